using System.Text;
using System.Text.RegularExpressions;

namespace Tenancy.Benchmarks.Load;

/// <summary>Names of functions, short and the same wherever they come from.</summary>
internal static partial class FunctionName
{
    /// <summary>
    /// From <c>instance void [Tenancy] Tenancy.Mcp.Filter+&lt;InvokeAsync&gt;d__3`1[System.__Canon]::MoveNext()[Tier1]</c>, or the like,
    /// makes <c>Tenancy.Mcp.Filter.InvokeAsync (async)</c>.
    /// </summary>
    public static string OfMethod(string name)
    {
        // What stands before the last blank is the type of the result and the assembly.
        var separator = name.IndexOf("::", StringComparison.Ordinal);
        var end = name.IndexOf('(', Math.Max(separator, 0));
        var qualified = end < 0 ? name : name[..end];
        if (separator >= 0)
        {
            qualified = qualified[(qualified.LastIndexOf(' ', separator) + 1)..].Replace("::", ".", StringComparison.Ordinal);
        }

        var plain = NoisePattern().Replace(WithoutTypeArguments(qualified), "");
        var isAsync = AsyncPattern().Match(plain);
        var called = isAsync.Success ? string.Concat(plain.AsSpan(0, isAsync.Index), ".", isAsync.Groups[1].ValueSpan) : plain;
        called = LambdaPattern().Replace(LocalFunctionPattern().Replace(called, "$1.$2"), "$1.lambda").Replace('+', '.');
        return isAsync.Success ? called + " (async)" : called;
    }

    private static string WithoutTypeArguments(string name)
    {
        var (text, depth) = (new StringBuilder(name.Length), 0);
        foreach (var character in name)
        {
            depth += character == '[' ? 1 : 0;
            if (depth == 0)
            {
                text.Append(character);
            }

            depth -= character == ']' ? 1 : 0;
        }

        return text.ToString();
    }

    // How many type arguments there are, and the classes of closures.
    [GeneratedRegex(@"`\d+|\+<>c(__DisplayClass\d+_\d+)?")]
    private static partial Regex NoisePattern();

    // A method, a lambda or a local function as the state machine that it becomes.
    [GeneratedRegex(@"\+<((?:<[^>]+>)?[^>]+)>d(?:__\d+)*\.MoveNext$")]
    private static partial Regex AsyncPattern();

    [GeneratedRegex(@"<([^<>]+)>g__([^|]+)\|[\d_]+")]
    private static partial Regex LocalFunctionPattern();

    [GeneratedRegex(@"<([^<>]+)>b__[\d_]+")]
    private static partial Regex LambdaPattern();
}

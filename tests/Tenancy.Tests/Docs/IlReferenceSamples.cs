namespace Tenancy.Tests.Docs.IlReferenceSamples;

// Each of these uses one type of the first lines in one way, and in no other.
internal class Used
{
    public static int Number { get; set; }

    public static void Do() { }

    public sealed class Nested;
}

internal interface IUsed;

internal sealed class UsedException : Exception;

[AttributeUsage(AttributeTargets.All)]
internal sealed class UsedAttribute(Type? type = null) : Attribute
{
    public Type? Type { get; } = type;
}

internal static class Unused;

internal sealed class InBase : Used;

internal sealed class InInterface : IUsed;

internal sealed class InField
{
    internal Used? Field { get; set; }
}

internal sealed class InGenericArgument
{
    internal Dictionary<string, List<Used[]>>? Field { get; set; }
}

internal sealed class InParameter
{
    internal static void Take(ref Used used) => _ = used;
}

internal sealed class InConstraint<T>
    where T : IUsed;

[Used]
internal sealed class InAttribute;

[Used(typeof(Used))]
internal sealed class InAttributeArgument;

internal sealed class InBody
{
    internal static void Run() => Used.Do();
}

internal sealed class InProperty
{
    internal static int Run() => Used.Number;
}

internal sealed class InTypeOf
{
    internal static string Run() => typeof(Used.Nested).Name;
}

internal sealed class InMethodArgument
{
    internal static object Run() => Array.Empty<Used>();
}

internal sealed class InCatch
{
    internal static void Run()
    {
        try
        {
            Console.Out.Flush();
        }
        catch (UsedException) { }
    }
}

internal sealed class InLambda
{
    internal static Action Run(int number) => () => Used.Number = number;
}

internal sealed class InAsync
{
    internal static async Task RunAsync()
    {
        await Task.Yield();
        Used.Do();
    }
}

internal sealed class InIterator
{
    internal static IEnumerable<int> Run()
    {
        yield return Used.Number;
    }
}

internal sealed class InNested
{
    internal sealed class Inner : Used;
}

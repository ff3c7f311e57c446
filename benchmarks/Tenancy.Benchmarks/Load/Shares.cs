using System.Globalization;

namespace Tenancy.Benchmarks.Load;

/// <summary>Who has how much of something.</summary>
internal sealed class Shares
{
    private const int Shown = 40;

    private readonly Dictionary<string, double> _shares = [];

    public void Add(string name, double weight) => _shares[name] = _shares.GetValueOrDefault(name) + weight;

    /// <summary>Writes those with the most, as a table.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="title">What they are.</param>
    /// <param name="unit">What <paramref name="perRequest"/> counts.</param>
    /// <param name="perRequest">How much there is for each request.</param>
    /// <param name="format">How to write it.</param>
    /// <param name="total">The weight of all; the sum of the shares where it is left out.</param>
    public async Task WriteAsync(TextWriter output, string title, string unit, double perRequest, string format, double? total = null)
    {
        var whole = total ?? _shares.Values.Sum();
        await output.WriteLineAsync($"| {unit} | % | {title} |");
        await output.WriteLineAsync("|--:|--:|---|");
        foreach (var (name, weight) in _shares.OrderByDescending(share => share.Value).Take(Shown))
        {
            var share = weight / whole;
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"| {(share * perRequest).ToString(format, CultureInfo.InvariantCulture)} | {share * 100:0.0} | {name} |"));
        }

        await output.WriteLineAsync();
    }
}

/// <summary>What functions have of something by themselves, and with all that they call.</summary>
internal sealed class StackShares
{
    private readonly Shares _exclusive = new();
    private readonly Shares _inclusive = new();
    private double _total;

    public int Samples { get; private set; }

    /// <param name="functions">A stack, innermost first.</param>
    /// <param name="weight">What was found there.</param>
    public void Add(IReadOnlyList<string> functions, double weight)
    {
        Samples++;
        _total += weight;
        _exclusive.Add(functions.Count > 0 ? functions[0] : "unknown", weight);

        // Once for each function, however often it calls itself.
        foreach (var function in functions.Where((function, place) => place == 0 || !IsPlumbing(function)).Distinct())
        {
            _inclusive.Add(function, weight);
        }
    }

    // What is below every function, and says nothing of any.
    private static bool IsPlumbing(string function) =>
        function.StartsWith("System.Threading.", StringComparison.Ordinal) || function.StartsWith("System.Runtime.CompilerServices.Async", StringComparison.Ordinal) || function[0] == '[';

    public async Task WriteAsync(TextWriter output, string unit, double perRequest, string format)
    {
        await _exclusive.WriteAsync(output, "functions by themselves", unit, perRequest, format);
        await _inclusive.WriteAsync(output, "functions with all that they call", unit, perRequest, format, _total);
    }
}

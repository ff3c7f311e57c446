namespace Tenancy.Benchmarks.Load;

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
        function[0] == '['
        || function.StartsWith("System.Threading.", StringComparison.Ordinal)
        || function.StartsWith("System.Runtime.CompilerServices.Async", StringComparison.Ordinal);

    public async Task WriteAsync(TextWriter output, string unit, double perRequest, string format)
    {
        await _exclusive.WriteAsync(output, "functions by themselves", unit, perRequest, format);
        await _inclusive.WriteAsync(output, "functions with all that they call", unit, perRequest, format, _total);
    }
}

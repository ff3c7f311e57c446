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
            var amount = (share * perRequest).ToString(format, CultureInfo.InvariantCulture);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {amount} | {share * 100:0.0} | {name} |"));
        }

        await output.WriteLineAsync();
    }
}

using System.Globalization;

namespace Tenancy.Benchmarks.Load;

/// <summary>What a ratio should not be above. It is missed where it is above by more than the bare server is above itself.</summary>
/// <param name="Name">What it says.</param>
/// <param name="Limit">The most.</param>
/// <param name="Ratios">The ratio in each row that has it, with the noise of that row.</param>
internal sealed record Target(string Name, double Limit, IReadOnlyList<(string Row, double Ratio, double Noise)> Ratios)
{
    public static IEnumerable<Target> Of(IReadOnlyList<Measurement> measurements)
    {
        var rows = measurements.GroupBy(one => (one.Tenants, one.Row)).Select(row => row.ToDictionary(one => one.Cell.Id)).ToArray();
        foreach (var (cell, limit) in ((string, double)[])[("b", 0.80), ("c", 0.90), ("d", 1.00), ("e", 1.30)])
        {
            yield return new($"CPU of {cell}", limit, [.. rows.Select(row => (NameOf(row[cell]), row[cell].Cpu.Median, row["a2"].Cpu.Third))]);
        }

        yield return new("bytes of c", 0.60, [.. rows.Select(row => (NameOf(row["c"]), row["c"].Bytes.Median, row["a2"].Bytes.Third))]);
        yield return new("CPU of d, against c", 1.15, [.. rows.Select(row => (NameOf(row["d"]), row["d"].CpuAgainst(row["c"]).Median, row["a2"].Cpu.Third))]);
        var most = measurements.Max(one => one.Tenants);
        foreach (var cell in (string[])["b", "c", "d", "e"])
        {
            yield return new($"CPU of {cell} at {most.ToString("N0", CultureInfo.InvariantCulture)} tenants, against that at 1", 1.00, [Growth(rows, cell, most)]);
        }
    }

    /// <summary>The targets as lines of a table.</summary>
    public override string ToString()
    {
        var worst = Ratios.MaxBy(one => one.Ratio / Math.Max(1, one.Noise));
        var met = Ratios.Count(IsMet);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {Name} | {Limit:0.00} | {Quartiles.Of(Ratios.Select(one => one.Ratio)).Median:0.00} | {(met == Ratios.Count ? "met" : "missed")} | {met} of {Ratios.Count} | {worst.Ratio:0.00}, noise to {worst.Noise:0.00}: {worst.Row} |");
    }

    private bool IsMet((string Row, double Ratio, double Noise) one) => one.Ratio <= Limit * Math.Max(1, one.Noise);

    private static string NameOf(Measurement one) =>
        string.Create(CultureInfo.InvariantCulture, $"{one.Tenants:N0} tenants, {one.Row.Generation}, {one.Row.Method}, {one.Row.Reply}");

    // Whether tenants cost anything at all is a matter of a percent: one kind of request alone would not show it.
    private static (string Row, double Ratio, double Noise) Growth(IReadOnlyList<Dictionary<string, Measurement>> rows, string cell, int most) =>
        ("all kinds of requests, as their geometric mean in each round", GrowthOf(rows, cell, most).Median, GrowthOf(rows, "a2", most).Third);

    private static Quartiles GrowthOf(IReadOnlyList<Dictionary<string, Measurement>> rows, string cell, int most)
    {
        var ofCell = rows.Select(row => row[cell]).ToLookup(one => one.Tenants);
        var kinds = (
            from many in ofCell[most]
            join one in ofCell[1] on many.Row equals one.Row
            select many.CpuByRound.Zip(one.CpuByRound, (grown, before) => Math.Log(grown / before)).ToArray()).ToArray();
        return Quartiles.Of(Enumerable.Range(0, kinds[0].Length).Select(round => Math.Exp(kinds.Average(kind => kind[round]))));
    }
}

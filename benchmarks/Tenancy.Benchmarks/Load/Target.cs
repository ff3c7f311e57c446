using System.Globalization;

namespace Tenancy.Benchmarks.Load;

/// <summary>What a ratio should not be above. It is missed where it is above by more than the bare server is above itself.</summary>
/// <param name="Name">What it says.</param>
/// <param name="Limit">The most.</param>
/// <param name="Ratios">The ratio in each row that has it, with the noise of that row.</param>
internal sealed record Target(string Name, double Limit, IReadOnlyList<(string Row, double Ratio, double Noise)> Ratios)
{
    private static readonly (string Cell, double Limit)[] AsShipped = [("h", 0.40), ("hg", 0.50), ("e", 0.55), ("g", 0.55), ("f", 1.30)];

    /// <summary>The targets of those cells that were measured.</summary>
    public static IEnumerable<Target> Of(IReadOnlyList<Measurement> measurements)
    {
        var most = measurements.Max(one => one.Tenants);
        IEnumerable<Target> targets =
        [
            OfRows(measurements, "hb", "CPU of hb, against ah", 0.35, one => one.Cpu.Median, noise => noise.Cpu),
            OfRows(measurements, "hb", "bytes of hb, against ah", 0.15, one => one.Bytes.Median, noise => noise.Bytes),
            OfRows(measurements, "b", "CPU of b, against a", 0.80, one => one.Cpu.Median, noise => noise.Cpu),
            OfRows(measurements, "c", "CPU of c, against a", 0.45, one => one.Cpu.Median, noise => noise.Cpu),
            OfRows(
                measurements,
                "d",
                "CPU of d, against c",
                1.15,
                one => Beside(measurements, one, "c") is { } c ? one.CpuAgainst(c).Median : null,
                noise => noise.Cpu
            ),
            .. from one in AsShipped
            select OfRows(
                measurements,
                one.Cell,
                $"CPU of {one.Cell}, against {Cell.Of(one.Cell).Reference}",
                one.Limit,
                cell => cell.Cpu.Median,
                noise => noise.Cpu
            ),
            .. from cell in (string[])["b", "c", "d", "hb"] where most > 1 select OfGrowth(measurements, cell, most),
        ];
        return targets.Where(target => target.Ratios.Count > 0);
    }

    /// <summary>The targets as lines of a table.</summary>
    public override string ToString()
    {
        var worst = Ratios.MaxBy(one => one.Ratio / Math.Max(1, one.Noise));
        var met = Ratios.Count(IsMet);
        var median = Quartiles.Of(Ratios.Select(one => one.Ratio)).Median;
        var verdict = met == Ratios.Count ? "met" : "missed";
        var explanation = string.Create(CultureInfo.InvariantCulture, $"{worst.Ratio:0.00}, noise to {worst.Noise:0.00}: {worst.Row}");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {Name} | {Limit:0.00} | {median:0.00} | {verdict} | {met} of {Ratios.Count} | {explanation} |"
        );
    }

    private static Target OfRows(
        IReadOnlyList<Measurement> measurements,
        string cell,
        string name,
        double limit,
        Func<Measurement, double?> ratio,
        Func<Measurement, Quartiles> noise
    ) =>
        new(
            name,
            limit,
            [
                .. from one in measurements
                where one.Cell.Id == cell
                let value = ratio(one)
                where value is not null
                select (NameOf(one), value.Value, noise(Beside(measurements, one, Cell.Noise.Again.Id)!).Third),
            ]
        );

    // Whether tenants cost anything at all is a matter of a percent: one kind of request alone would not show it.
    private static Target OfGrowth(IReadOnlyList<Measurement> measurements, string cell, int most)
    {
        var kinds = measurements.Where(one => one.Cell.Id == cell).Select(one => one.Row).ToHashSet();
        return new(
            string.Create(CultureInfo.InvariantCulture, $"CPU of {cell} at {most:N0} tenants, against that at 1"),
            1.00,
            kinds.Count == 0
                ? []
                : [("its kinds of requests, as their geometric mean in each round", Growth(cell).Median, Growth(Cell.Noise.Again.Id).Third)]
        );

        Quartiles Growth(string of)
        {
            var byTenants = measurements.Where(one => one.Cell.Id == of && kinds.Contains(one.Row)).ToLookup(one => one.Tenants);
            var logarithms = (
                from many in byTenants[most]
                join one in byTenants[1] on many.Row equals one.Row
                select many.CpuByRound.Zip(one.CpuByRound, (grown, before) => Math.Log(grown / before)).ToArray()
            ).ToArray();
            return Quartiles.Of(
                Enumerable.Range(0, logarithms[0].Length).Select(round => Math.Exp(logarithms.Average(kind => kind[round])))
            );
        }
    }

    private static Measurement? Beside(IReadOnlyList<Measurement> measurements, Measurement one, string cell) =>
        measurements.FirstOrDefault(other => other.Cell.Id == cell && other.Tenants == one.Tenants && other.Row == one.Row);

    private static string NameOf(Measurement one) =>
        string.Create(CultureInfo.InvariantCulture, $"{one.Tenants:N0} tenants, {one.Row.Generation}, {one.Row.Method}, {one.Row.Reply}");

    private bool IsMet((string Row, double Ratio, double Noise) one) => one.Ratio <= Limit * Math.Max(1, one.Noise);
}

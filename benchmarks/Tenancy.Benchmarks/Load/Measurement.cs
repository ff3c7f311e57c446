namespace Tenancy.Benchmarks.Load;

/// <summary>
/// All that was measured of one kind of request to one server, by round, beside what the cell that it is compared with did in the same
/// rounds.
/// </summary>
internal sealed record Measurement(Cell Cell, int Tenants, Row Row, IReadOnlyList<Slice> Slices, IReadOnlyList<Slice> Reference)
{
    /// <summary>CPU per request, as a ratio to the reference's.</summary>
    public Quartiles Cpu { get; } = Ratio(Slices, Reference, slice => slice.Cpu);

    /// <summary>Bytes per request, as a ratio to the reference's.</summary>
    public Quartiles Bytes { get; } = Ratio(Slices, Reference, slice => slice.Bytes);

    /// <summary>The median of a figure over all rounds.</summary>
    public double Absolute(Func<Slice, double> figure) => Quartiles.Of(Slices.Select(figure)).Median;

    /// <summary>CPU per request, as ratios to the reference's, round by round.</summary>
    public IEnumerable<double> CpuByRound => Slices.Zip(Reference, (slice, reference) => slice.Cpu / reference.Cpu);

    /// <summary>CPU per request, as a ratio to another cell's of the same row.</summary>
    public Quartiles CpuAgainst(Measurement other) => Ratio(Slices, other.Slices, slice => slice.Cpu);

    private static Quartiles Ratio(IReadOnlyList<Slice> slices, IReadOnlyList<Slice> others, Func<Slice, double> figure) =>
        Quartiles.Of(slices.Zip(others, (one, other) => figure(one) / figure(other)));
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Benchmarks.Load;

/// <summary>A measurement for other programs to read.</summary>
/// <param name="Cell">The cell's letters.</param>
/// <param name="Reference">The cell that it is compared with, in the same row.</param>
/// <param name="Tenants">How many tenants the server has.</param>
/// <param name="Generation">The protocol revision.</param>
/// <param name="Method">The method.</param>
/// <param name="Reply">The form of the answer that the client asks for: <c>sse</c> or <c>json</c>.</param>
/// <param name="Cpu">The CPU time per request, as a ratio to that of <paramref name="Reference"/>: the median of the rounds.</param>
/// <param name="Bytes">The bytes allocated per request, likewise.</param>
/// <param name="CpuQuartiles">The first and the third quartile around <paramref name="Cpu"/>.</param>
/// <param name="Microseconds">The CPU time per request.</param>
/// <param name="Allocated">The bytes allocated per request.</param>
/// <param name="Rps">Requests a second.</param>
/// <param name="P50">The median latency, in milliseconds.</param>
/// <param name="P99">The latency that 99 of 100 requests had at most, in milliseconds.</param>
internal sealed record Figures(
    string Cell,
    string Reference,
    int Tenants,
    string Generation,
    string Method,
    string Reply,
    double Cpu,
    double Bytes,
    IReadOnlyList<double> CpuQuartiles,
    double Microseconds,
    double Allocated,
    double Rps,
    double P50,
    double P99
)
{
    public static Task WriteAsync(string file, IEnumerable<Measurement> measurements) =>
        File.WriteAllTextAsync(file, JsonSerializer.Serialize([.. measurements.Select(Of)], FiguresJson.Default.FiguresArray) + "\n");

    private static Figures Of(Measurement measurement) =>
        new(
            measurement.Cell.Id,
            measurement.Cell.Reference,
            measurement.Tenants,
            measurement.Row.Generation,
            measurement.Row.Method,
            measurement.Row.Reply,
            measurement.Cpu.Median,
            measurement.Bytes.Median,
            [measurement.Cpu.First, measurement.Cpu.Third],
            measurement.Absolute(slice => slice.Cpu),
            measurement.Absolute(slice => slice.Bytes),
            measurement.Absolute(slice => slice.Rate),
            measurement.Absolute(slice => slice.Median),
            measurement.Absolute(slice => slice.Tail)
        );
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(Figures[]))]
internal sealed partial class FiguresJson : JsonSerializerContext;

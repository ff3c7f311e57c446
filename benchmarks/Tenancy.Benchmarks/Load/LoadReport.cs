using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Tenancy.Benchmarks.Load;

/// <summary>The measurements for people to read.</summary>
internal sealed class LoadReport(LoadPlan plan, IReadOnlyList<Measurement> measurements, string store, TimeSpan time)
{
    public async Task WriteAsync(TextWriter output)
    {
        await output.WriteLineAsync(Text($"{Machine()}, {Environment.ProcessorCount} cores, which servers and client share; {RuntimeInformation.FrameworkDescription}, MCP SDK {SdkVersion()}; {DateTime.UtcNow:yyyy-MM-dd}"));
        await output.WriteLineAsync(Text($"{plan.Name}; {plan.Starts} starts of all servers, {plan.Rounds} rounds each of {plan.Requests} requests, interleaved; store: {store}; {time.TotalMinutes:0.0} minutes"));
        await output.WriteLineAsync(string.Join("; ", plan.Cells.Select(cell => $"{cell.Id}: {cell.Summary}")));
        await output.WriteLineAsync();
        await output.WriteLineAsync("Medians, per request. Beside it: as a multiple of another cell in the same row, with the quartiles of the rounds.");
        await output.WriteLineAsync();
        await output.WriteLineAsync("| tenants | revision | method | reply | cell | CPU | | bytes | | requests/s | p50 | p99 |");
        await output.WriteLineAsync("|--:|---|---|---|---|--:|---|--:|---|--:|--:|--:|");
        foreach (var measurement in measurements)
        {
            await output.WriteLineAsync(Line(measurement));
        }

        await output.WriteLineAsync();
        await output.WriteLineAsync("| target | at most | median of the rows | | rows | worst row |");
        await output.WriteLineAsync("|---|--:|--:|---|--:|---|");
        foreach (var target in Target.Of(measurements))
        {
            await output.WriteLineAsync(target.ToString());
        }
    }

    /// <summary>The machine, as its maker names it.</summary>
    public static string Machine() =>
        File.Exists("/proc/cpuinfo") && File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            : RuntimeInformation.ProcessArchitecture.ToString();

    private static string Line(Measurement one)
    {
        var (cpu, bytes) = one.Cell.IsReference ? ("", "") : (Text($"{one.Cell.Reference} x {one.Cpu}"), Text($"{one.Cell.Reference} x {one.Bytes.Median:0.00}"));
        return Text($"| {one.Tenants:N0} | {one.Row.Generation} | {one.Row.Method} | {one.Row.Reply} | {one.Cell.Id} | {one.Absolute(slice => slice.Cpu):0.0} us | {cpu} | {one.Absolute(slice => slice.Bytes) / 1024:0.0} KiB | {bytes} | {one.Absolute(slice => slice.Rate):N0} | {one.Absolute(slice => slice.Median):0.00} ms | {one.Absolute(slice => slice.Tail):0.00} ms |");
    }

    private static string SdkVersion() =>
        typeof(ModelContextProtocol.Server.McpServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}

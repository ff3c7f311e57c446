using System.Reflection;
using System.Runtime.InteropServices;
using ModelContextProtocol.Server;

namespace Tenancy.Benchmarks.Load;

/// <summary>The measurements for people to read.</summary>
internal sealed class LoadReport(LoadPlan plan, IReadOnlyList<Measurement> measurements, string store, TimeSpan time)
{
    public async Task WriteAsync(TextWriter output)
    {
        var versions = $"{RuntimeInformation.FrameworkDescription}, MCP SDK {SdkVersion()}";
        var amount = $"{plan.Starts} starts of all servers, {plan.Rounds} rounds each of {plan.Requests} requests, interleaved";
        var machine = $"{Machine()}, {Environment.ProcessorCount} cores, which servers and client share";
        await output.WriteLineAsync(Text($"{machine}; {versions}; {DateTime.UtcNow:yyyy-MM-dd}"));
        await output.WriteLineAsync(Text($"{plan.Name}; {amount}; store: {store}; {time.TotalMinutes:0.0} minutes"));
        await output.WriteLineAsync(string.Join("; ", plan.Cells.Select(cell => $"{cell.Id}: {cell.Summary}")));
        await output.WriteLineAsync();
        await output.WriteLineAsync("Medians, per request. Beside them: as multiples of another cell's, with quartiles of the rounds.");
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
        File.Exists("/proc/cpuinfo")
        && File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            : RuntimeInformation.ProcessArchitecture.ToString();

    private static string Line(Measurement one)
    {
        string[] fields =
        [
            Text($"{one.Tenants:N0}"),
            one.Row.Generation,
            one.Row.Method,
            one.Row.Reply,
            one.Cell.Id,
            Text($"{one.Absolute(slice => slice.Cpu):0.0} us"),
            one.Cell.IsReference ? "" : $"{one.Cell.Reference} x {one.Cpu}",
            Text($"{one.Absolute(slice => slice.Bytes) / 1024:0.0} KiB"),
            one.Cell.IsReference ? "" : Text($"{one.Cell.Reference} x {one.Bytes.Median:0.00}"),
            Text($"{one.Absolute(slice => slice.Rate):N0}"),
            Text($"{one.Absolute(slice => slice.Median):0.00} ms"),
            Text($"{one.Absolute(slice => slice.Tail):0.00} ms"),
        ];
        return $"| {string.Join(" | ", fields)} |";
    }

    private static string SdkVersion() =>
        typeof(McpServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}

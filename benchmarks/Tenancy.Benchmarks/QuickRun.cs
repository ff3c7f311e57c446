using System.Diagnostics;
using System.Globalization;

namespace Tenancy.Benchmarks;

/// <summary>
/// All figures in one table within two minutes. Rounds of the candidates and of what they are compared with alternate, so that a busy
/// machine slows both.
/// </summary>
internal static class QuickRun
{
    // Many short rounds: most of them run between two interruptions, and the median is one of those.
    private const int Rounds = 2001;
    private const int CallsPerRound = 500;
    private const int Registrations = 100_000;

    public static async Task RunAsync(TextWriter output)
    {
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Environment.ProcessorCount} cores, .NET {Environment.Version}; {Rounds} rounds of {CallsPerRound} calls, medians "
                    + $"[quartiles]"
            )
        );
        output.WriteLine();
        output.WriteLine("| look-up | tenants | bare ns | ns | ratio | B/call | target |");
        output.WriteLine("|---|--:|--:|--:|--:|--:|--:|");
        foreach (var count in (int[])[10, 10_000, 100_000])
        {
            using var lookups = new Lookups(count);
            Compare(output, "host", count, lookups.BareHost, lookups.Host, target: 2);
            Compare(output, "URL with a path", count, lookups.BareUrl, lookups.Url, target: 4);
            Compare(output, "/{tenant}/mcp", count, lookups.BareId, lookups.IdInPath, target: 4);
            Compare(output, "id", count, lookups.BareId, lookups.Id, target: null);
            Compare(output, "resolver, host", count, lookups.BareHost, () => lookups.ResolverHost(), target: null);
            Compare(output, "resolver, URL with a path", count, lookups.BareUrl, () => lookups.ResolverUrl(), target: null);
            Compare(output, "resolver, /{tenant}/mcp", count, lookups.BareId, () => lookups.ResolverIdInPath(), target: null);
        }

        output.WriteLine();
        output.WriteLine("| 100,000 registrations | seconds | CPU seconds | B retained per tenant | B allocated per tenant |");
        output.WriteLine("|---|--:|--:|--:|--:|");
        await RegisterAsync(output, "first, code not yet compiled");
        await RegisterAsync(output, "second");
        await RegisterAsync(output, "third");
        output.WriteLine("| target | 2 | | 2048 | |");
    }

    private static void Compare<TBare, TOurs>(TextWriter output, string name, int count, Func<TBare> bare, Func<TOurs> ours, double? target)
    {
        // Long enough for the last tier of compilation, which comes in the background.
        var warmUp = Stopwatch.StartNew();
        while (warmUp.ElapsedMilliseconds < 800)
        {
            Measure(bare);
            Measure(ours);
        }

        var (bareTimes, times, ratios) = (new double[Rounds], new double[Rounds], new double[Rounds]);
        long allocated = 0;
        for (var round = 0; round < Rounds; round++)
        {
            bareTimes[round] = Measure(bare);
            var before = GC.GetAllocatedBytesForCurrentThread();
            times[round] = Measure(ours);
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            ratios[round] = times[round] / bareTimes[round];
        }

        var bytes = (double)allocated / (Rounds * CallsPerRound);
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {count} | {Quartiles(bareTimes, "0")} | {Quartiles(times, "0")} | {Quartiles(ratios, "0.00")} | "
                    + $"{bytes:0.##} | {(target is { } limit ? $"{limit:0}" : "")} |"
            )
        );
    }

    /// <returns>Nanoseconds per call.</returns>
    private static double Measure<T>(Func<T> call)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < CallsPerRound; i++)
        {
            call();
        }

        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / CallsPerRound;
    }

    private static string Quartiles(double[] values, string format)
    {
        Array.Sort(values);
        var (first, median, third) = (values[values.Length / 4], values[values.Length / 2], values[values.Length * 3 / 4]);
        return $"{median.ToString(format, CultureInfo.InvariantCulture)} "
            + $"[{first.ToString(format, CultureInfo.InvariantCulture)}-{third.ToString(format, CultureInfo.InvariantCulture)}]";
    }

    private static async Task RegisterAsync(TextWriter output, string name)
    {
        using var tenants = new Tenants();
        var held = GC.GetTotalMemory(forceFullCollection: true);
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var (start, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await tenants.RegisterAsync(Registrations);
        var elapsed = Stopwatch.GetElapsedTime(start);
        cpu = Environment.CpuUsage.TotalTime - cpu;
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        held = GC.GetTotalMemory(forceFullCollection: true) - held;
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {elapsed.TotalSeconds:0.00} | {cpu.TotalSeconds:0.00} | {held / Registrations} | {allocated / Registrations} |"
            )
        );
        GC.KeepAlive(tenants);
    }
}

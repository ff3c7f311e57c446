using System.Globalization;

namespace Tenancy.Benchmarks.Load;

/// <summary>Where the CPU time and the bytes of a request go, function by function.</summary>
internal sealed class ProfileRun(LoadClient client, Row row, TextWriter output, TextWriter progress)
{
    private const int WarmUpRequests = 30_000;

    // Long enough for some thousands of samples.
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(10);
    private const int Requests = 30_000;

    public static async Task RunAsync(Cell cell, TextWriter output, TextWriter progress)
    {
        await using var issuer = await LoadIssuer.StartAsync();
        using var redis = await LoadRedis.StartAsync();
        using var client = await LoadClient.StartAsync(cell, 1, redis?.ConnectionString(database: 0) ?? "", issuer, isProfiled: true);
        await new ProfileRun(client, Row.All.First(cell.Has), output, progress).RunAsync();
    }

    private async Task RunAsync()
    {
        await progress.WriteLineAsync("Warming up");
        await client.RunAsync(row, WarmUpRequests);
        var undisturbed = await client.RunAsync(row, Requests);
        await WriteAsync($"{client.Cell.Id}, {client.Cell.Summary}: {row.Generation}, {row.Method}, {row.Reply}; {LoadReport.Machine()}");
        await WriteAsync($"{undisturbed.Cpu:0.0} us and {undisturbed.Bytes:N0} bytes a request before anybody watched.");
        await WriteCpuAsync(undisturbed.Cpu);
        await WriteBytesAsync();
    }

    private async Task WriteCpuAsync(double undisturbed)
    {
        await progress.WriteLineAsync("Sampling CPU time");
        await output.WriteLineAsync("\n# CPU");
        await output.WriteLineAsync();
        if (await CpuProfile.TakeAsync(client, row, Watched) is not ({ } stacks, { } threads, var cpu))
        {
            await output.WriteLineAsync("Not sampled: perf is not installed. On Debian and Ubuntu: apt-get install linux-perf");
            return;
        }

        await WriteAsync($"{stacks.Samples:N0} samples of threads on a core: who waits is not in it, who spins is.");
        await WriteAsync($"A request took {cpu:0.0} us while perf watched; below are shares of the {undisturbed:0.0} us.");
        await output.WriteLineAsync();
        await threads.WriteAsync(output, "threads", "us", undisturbed, "0.00");
        await stacks.WriteAsync(output, "us", undisturbed, "0.00");
    }

    private async Task WriteBytesAsync()
    {
        await progress.WriteLineAsync("Sampling allocations");
        var (types, stacks, bytes) = await AllocationProfile.TakeAsync(client, row, Requests);
        await output.WriteLineAsync("\n# Bytes");
        await output.WriteLineAsync();
        await WriteAsync($"{bytes:N0} bytes a request; {stacks.Samples:N0} of the allocations, drawn by chance, one in about 100 KiB.");
        await output.WriteLineAsync();
        await types.WriteAsync(output, "types", "bytes", bytes, "0");
        await stacks.WriteAsync(output, "bytes", bytes, "0");
    }

    private Task WriteAsync(FormattableString text) => output.WriteLineAsync(text.ToString(CultureInfo.InvariantCulture));
}

using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Tenancy.Benchmarks.Load;

/// <summary>Samples of what a server runs, taken by <c>perf</c>.</summary>
internal static class CpuProfile
{
    private const int SamplesPerSecond = 1999;
    private const string Kernel = "[kernel]";

    /// <summary>Takes samples while requests are made; null where <c>perf</c> is not installed.</summary>
    /// <returns>The time by function and by thread, and the microseconds of a request.</returns>
    public static async Task<(StackShares Stacks, Shares Threads, double Cpu)?> TakeAsync(LoadClient client, Row row, TimeSpan time)
    {
        var (map, samples) = ($"/tmp/perf-{client.Server.Id}.map", Path.GetTempFileName());
        try
        {
            string[] record =
            [
                "record",
                "--quiet",
                "--event",
                "cpu-clock",
                "--freq",
                $"{SamplesPerSecond}",
                "--call-graph",
                "fp",
                "--pid",
                $"{client.Server.Id}",
                "--output",
                samples,
                "--",
                "sleep",
                time.TotalSeconds.ToString(CultureInfo.InvariantCulture),
            ];
            if (Start(record) is not { } perf)
            {
                return null;
            }

            var cpu = new List<double>();
            using (perf)
            {
                while (!perf.HasExited)
                {
                    cpu.Add((await client.RunAsync(row, 1000)).Cpu);
                }

                await ExpectSuccessAsync(perf);
            }

            var (stacks, threads) = await ReadAsync(samples);
            return (stacks, threads, Quartiles.Of(cpu).Median);
        }
        finally
        {
            File.Delete(map);
            File.Delete(samples);
        }
    }

    private static async Task<(StackShares Stacks, Shares Threads)> ReadAsync(string samples)
    {
        var (stacks, threads, stack) = (new StackShares(), new Shares(), new List<string>());
        using var perf = Start(["script", "--input", samples, "--fields", "comm,ip,sym,dso", "--no-inline"])!;
        var errors = perf.StandardError.ReadToEndAsync();
        var thread = "";
        while (await perf.StandardOutput.ReadLineAsync() is { } line)
        {
            // A thread, the frames of its stack, and an empty line.
            if (line.Length == 0)
            {
                stacks.Add(stack, 1);
                threads.Add(thread, 1);
                stack = [];
            }
            else if (line[0] is '\t' or ' ')
            {
                Push(stack, line.AsSpan().Trim());
            }
            else
            {
                thread = line.Trim();
            }
        }

        await errors;
        await ExpectSuccessAsync(perf);
        return (stacks, threads);
    }

    // ADDRESS NAME (FILE)
    private static void Push(List<string> stack, ReadOnlySpan<char> frame)
    {
        var file = frame.LastIndexOf(" (", StringComparison.Ordinal);
        var symbol = frame[(frame.IndexOf(' ') + 1)..file].ToString();
        var module = frame[(file + 2)..^1].ToString();
        if (module.Contains("kernel", StringComparison.Ordinal))
        {
            PushKernel(stack, symbol);
            return;
        }

        var name = Path.GetFileName(module) switch
        {
            var map when map.StartsWith("perf-", StringComparison.Ordinal) => FunctionName.OfMethod(symbol),
            var native when symbol == "[unknown]" => $"[{native}]",
            var native => $"[{native}] {symbol}",
        };
        if (stack is [Kernel] && name[0] == '[')
        {
            // What the kernel was asked for is told by who asked.
            stack[0] = $"{Kernel} for {name}";
        }

        // Functions of a library that has no names are one.
        if (stack is not [.., var inner] || inner != name || name[0] != '[')
        {
            stack.Add(name);
        }
    }

    // All frames of the kernel are one.
    private static void PushKernel(List<string> stack, string symbol)
    {
        if (stack.Count == 0)
        {
            stack.Add(Kernel);
        }

        if (stack is [Kernel] && symbol.Contains("page_fault", StringComparison.Ordinal))
        {
            stack[0] = $"{Kernel}, page fault";
        }
    }

    private static Process? Start(IEnumerable<string> arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("perf", arguments) { RedirectStandardOutput = true, RedirectStandardError = true });
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static async Task ExpectSuccessAsync(Process perf)
    {
        await perf.WaitForExitAsync();
        if (perf.ExitCode != 0)
        {
            throw new InvalidOperationException($"perf ended with {perf.ExitCode}: {await perf.StandardError.ReadToEndAsync()}");
        }
    }
}

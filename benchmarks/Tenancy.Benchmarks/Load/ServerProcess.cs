using System.Diagnostics;
using System.Globalization;

namespace Tenancy.Benchmarks.Load;

/// <summary>A running server, seen from outside.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process) => _process = process;

    public string Address { get; private set; } = "";

    public int Id => _process.Id;

    public static async Task<ServerProcess> StartAsync(Cell cell, int tenants, string redis, string issuer, bool isProfiled)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet")
        {
            start.ArgumentList.Add(typeof(ServerProcess).Assembly.Location);
        }

        foreach (var argument in (string[])["--load-server", cell.Id, tenants.ToString(CultureInfo.InvariantCulture), redis, issuer])
        {
            start.ArgumentList.Add(argument);
        }

        // What a project of the web SDK has. The settings of this one are for micro-benchmarks.
        start.Environment["DOTNET_gcServer"] = start.Environment["DOTNET_gcConcurrent"] = "1";
        if (isProfiled)
        {
            // perf takes the names of methods from a file (3: that file only), for code that was compiled at run time into plain memory.
            start.Environment["DOTNET_PerfMapEnabled"] = "3";
            start.Environment["DOTNET_ReadyToRun"] = start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        }

        var server = new ServerProcess(Process.Start(start)!);
        server.Address = await server.ReadLineAsync();
        return server;
    }

    /// <summary>The CPU time and the allocations of the process so far.</summary>
    public async Task<(TimeSpan Cpu, long Bytes)> ReadUsageAsync()
    {
        await _process.StandardInput.WriteLineAsync();
        await _process.StandardInput.FlushAsync();
        var numbers = (await ReadLineAsync()).Split(' ');
        return (new(long.Parse(numbers[0], CultureInfo.InvariantCulture)), long.Parse(numbers[1], CultureInfo.InvariantCulture));
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private async Task<string> ReadLineAsync() =>
        await _process.StandardOutput.ReadLineAsync()
        ?? throw new InvalidOperationException("A server ended before it was told to; its last words are above.");
}

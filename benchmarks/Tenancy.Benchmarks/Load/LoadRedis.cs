using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Tenancy.Benchmarks.Load;

/// <summary>A redis-server of the run's own on loopback, which keeps nothing.</summary>
internal sealed class LoadRedis : IDisposable
{
    private readonly Process _process;

    private LoadRedis(Process process, string address)
    {
        (_process, Address) = (process, address);

        // It ends with this process, however that ends.
        AppDomain.CurrentDomain.ProcessExit += Kill;
    }

    public string Address { get; }

    /// <summary>Starts one; null where none is installed.</summary>
    public static async Task<LoadRedis?> StartAsync()
    {
        if (Find() is not { } executable)
        {
            return null;
        }

        var port = FreePort();
        var process = Process.Start(new ProcessStartInfo(executable, ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"]) { RedirectStandardOutput = true })!;
        process.BeginOutputReadLine();
        var redis = new LoadRedis(process, $"127.0.0.1:{port}");
        await redis.WaitAsync();
        return redis;
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= Kill;
        Kill(null, EventArgs.Empty);
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Kill(object? sender, EventArgs arguments) => _process.Kill();

    private async Task WaitAsync()
    {
        for (var clock = Stopwatch.StartNew(); ;)
        {
            try
            {
                await using var connection = await ConnectionMultiplexer.ConnectAsync(Address);
                await connection.GetDatabase().PingAsync();
                return;
            }
            catch (RedisException) when (clock.Elapsed < TimeSpan.FromSeconds(20) && !_process.HasExited)
            {
                await Task.Delay(20);
            }
        }
    }

    private static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "redis-server")).FirstOrDefault(File.Exists);

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}

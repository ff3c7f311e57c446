using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using StackExchange.Redis;

namespace Tenancy.Benchmarks.Load;

/// <summary>A redis-server of the run's own on loopback, which keeps nothing.</summary>
internal sealed class LoadRedis : IDisposable
{
    private readonly Process _process;
    private readonly string _address;
    private readonly PosixSignalRegistration _termination;

    private LoadRedis(Process process, string address)
    {
        (_process, _address) = (process, address);

        // Ctrl+C reaches it by itself.
        _termination = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => process.Kill());
    }

    /// <summary>Where it is, for one cell alone. A machine that is busy with other things may keep it waiting; that ends no run.</summary>
    public string ConnectionString(int database) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{_address},defaultDatabase={database},asyncTimeout=10000,syncTimeout=10000,connectTimeout=10000"
        );

    /// <summary>Starts one; null where none is installed.</summary>
    public static async Task<LoadRedis?> StartAsync()
    {
        if (Find() is not { } executable)
        {
            return null;
        }

        var port = FreePort();
        var process = Process.Start(
            new ProcessStartInfo(
                executable,
                ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"]
            )
            {
                RedirectStandardOutput = true,
            }
        )!;
        process.BeginOutputReadLine();
        var redis = new LoadRedis(process, $"127.0.0.1:{port}");
        try
        {
            await redis.WaitAsync();
            return redis;
        }
        catch
        {
            redis.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _termination.Dispose();
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private async Task WaitAsync()
    {
        for (var clock = Stopwatch.StartNew(); ; )
        {
            try
            {
                await using var connection = await ConnectionMultiplexer.ConnectAsync(_address);
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
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "redis-server"))
            .FirstOrDefault(File.Exists);

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Tenancy.Tests.Hosting;

/// <summary>
/// A real redis-server of the test's own, on loopback. Skips the test where there is none, unless TENANCY_REQUIRE_REDIS says that there
/// must be.
/// </summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("tenancy-redis-").FullName;
    private readonly int _port = FreePort();
    private readonly string[] _arguments;
    private Process? _process;

    private RedisServer(string[] arguments) => _arguments = arguments;

    /// <summary>For tests that are not about slow answers: a machine that is busy with other tests gives some.</summary>
    public const string Patience = ",asyncTimeout=5000,syncTimeout=5000,connectTimeout=5000";

    public string ConnectionString => $"127.0.0.1:{_port}";

    public int Port => _port;

    /// <summary>Sends the server a command of an operator's.</summary>
    public async Task ExecuteAsync(string command, params object[] arguments)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{ConnectionString},allowAdmin=true");
        await connection.GetDatabase().ExecuteAsync(command, arguments);
    }

    /// <summary>All that it holds, keys and values, as one text.</summary>
    public async Task<string> ReadAllAsync()
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{ConnectionString},allowAdmin=true");
        var (database, text) = (connection.GetDatabase(), new System.Text.StringBuilder());
        await foreach (var key in connection.GetServers()[0].KeysAsync())
        {
            text.AppendLine(key.ToString())
                .AppendJoin(
                    '\n',
                    await database.KeyTypeAsync(key) switch
                    {
                        RedisType.String => [(await database.StringGetAsync(key)).ToString()],
                        RedisType.Hash => (await database.HashGetAllAsync(key)).Select(entry => entry.ToString()),
                        RedisType.Set => (await database.SetMembersAsync(key)).Select(member => member.ToString()),
                        RedisType.SortedSet => (await database.SortedSetRangeByRankAsync(key)).Select(member => member.ToString()),
                        RedisType.List => (await database.ListRangeAsync(key)).Select(item => item.ToString()),
                        RedisType.Stream => (await database.StreamRangeAsync(key))
                            .SelectMany(entry => entry.Values)
                            .Select(pair => pair.ToString()),
                        // It expired between the two questions.
                        RedisType.None => [],
                        var type => throw new NotSupportedException($"{key} is a {type}."),
                    }
                )
                .AppendLine();
        }

        return text.ToString();
    }

    public static async Task<RedisServer> StartAsync(params string[] arguments)
    {
        if (FindExecutable() is null)
        {
            Assert.SkipUnless(
                Environment.GetEnvironmentVariable("TENANCY_REQUIRE_REDIS") is "1",
                "redis-server is not installed: the same behaviour is tested on the embedded store only."
            );
            Assert.Fail("redis-server is not installed, and TENANCY_REQUIRE_REDIS says that it must be.");
        }

        // Between the choice of a free port and its use, somebody else may take it.
        for (var attempt = 1; ; attempt++)
        {
            var server = new RedisServer(arguments);
            try
            {
                await server.LaunchAsync();
                return server;
            }
            catch (RedisException) when (attempt < 5)
            {
                await server.DisposeAsync();
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>Kills the process, as a crash would, and starts it again on the same data.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await LaunchAsync();
    }

    public async Task StopAsync()
    {
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    /// <summary>Makes the process stand still, with its connections open, until it is resumed.</summary>
    public Task PauseAsync() => SignalAsync("-STOP");

    public Task ResumeAsync() => SignalAsync("-CONT");

    public async Task LaunchAsync()
    {
        _process = Process.Start(
            new ProcessStartInfo(
                FindExecutable()!,
                [
                    "--port",
                    $"{_port}",
                    "--bind",
                    "127.0.0.1",
                    "--save",
                    "",
                    "--appendonly",
                    "yes",
                    "--appendfsync",
                    "always",
                    "--dir",
                    _directory,
                    "--loglevel",
                    "warning",
                    .. _arguments,
                ]
            )
            {
                RedirectStandardOutput = true,
            }
        )!;
        _process.BeginOutputReadLine();
        for (var clock = Stopwatch.StartNew(); ; )
        {
            try
            {
                await using var connection = await ConnectionMultiplexer.ConnectAsync(
                    $"{ConnectionString},connectTimeout=500,allowAdmin=true"
                );
                var said = await connection.GetServers()[0].InfoRawAsync("server");
                if (said?.Contains($"process_id:{_process.Id}\r", StringComparison.Ordinal) is true)
                {
                    return;
                }

                // Somebody else has the port, and this process is about to end.
                await _process
                    .WaitForExitAsync(TestContext.Current.CancellationToken)
                    .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
                throw new RedisException($"The port {_port} is another server's.");
            }
            catch (RedisException) when (clock.Elapsed < TimeSpan.FromSeconds(20) && !_process.HasExited)
            {
                // It is another process that is waited for.
                await Task.Delay(10);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, $"{_process!.Id}"]);
        await kill.WaitForExitAsync();
    }

    private static string? FindExecutable() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "redis-server"))
            .FirstOrDefault(File.Exists);

    internal static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}

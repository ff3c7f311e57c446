using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Garnet;
using Garnet.server;
using Garnet.server.Auth.Settings;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Tenancy.State;
using Tsavorite.core;

namespace Tenancy.Embedded;

/// <summary>
/// A Garnet server in this process, in memory, that only this process's user can reach: on a Unix socket in a private directory, else on
/// loopback; both with a password.
/// </summary>
internal sealed class EmbeddedStore(ILoggerFactory loggers) : IEmbeddedStore, IDisposable
{
    internal const string LogCategory = "Garnet";

    private readonly string _password = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
    private readonly Lock _lock = new();
    private string? _directory;
    private GarnetServer? _server;
    private EndPoint? _endPoint;

    /// <summary>Whether to listen on loopback even where there are Unix sockets.</summary>
    internal bool UseLoopback { get; init; } = !Socket.OSSupportsUnixDomainSockets;

    /// <inheritdoc/>
    public ConfigurationOptions Start()
    {
        lock (_lock)
        {
            if (_server is null)
            {
                _endPoint = UseLoopback ? FreeLoopbackPort() : SocketInPrivateDirectory();
                _server = new GarnetServer(Options(_endPoint), new GarnetLoggers(loggers));
                _server.Start();
            }

            return new ConfigurationOptions { EndPoints = { _endPoint! }, Password = _password };
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _server?.Dispose();
            _server = null;
            if (_directory is not null)
            {
                Directory.Delete(_directory, recursive: true);
                _directory = null;
            }
        }
    }

    private GarnetServerOptions Options(EndPoint endPoint) =>
        new()
        {
            EndPoints = [endPoint],
            UnixSocketPath = endPoint is UnixDomainSocketEndPoint ? endPoint.ToString() : null,
            UnixSocketPermission = endPoint is UnixDomainSocketEndPoint ? UnixFileMode.UserRead | UnixFileMode.UserWrite : default,
            AuthSettings = new PasswordAuthenticationSettings(_password),
            QuietMode = true,

            // The default device needs libaio, and ends the whole process where that is missing.
            DeviceType = DeviceType.RandomAccess,

            // Scripts are atomic only in transaction mode, and only over the keys that they declare.
            EnableLua = true,
            LuaTransactionMode = true,
            LuaOptions = new(LuaMemoryManagementMode.Tracked, "16m", TimeSpan.FromSeconds(2), LuaLoggingMode.Silent, []),

            // The log is a ring that evicts when it is full: a gigabyte, committed only as it fills.
            LogMemorySize = "1g",
            PageSize = "1m",
            SegmentSize = "64m",
            ObjectLogSegmentSize = "64m",
            IndexMemorySize = "16m",
            BufferPoolMemoryBudget = "16m",
            MaxDatabases = 1,
            NetworkConnectionLimit = 256,
            ExpiredKeyDeletionScanFrequencySecs = 30,
            ExpiredObjectCollectionFrequencySecs = 60,
        };

    /// <summary>Gives the server's loggers one name to be filtered by.</summary>
    private sealed class GarnetLoggers(ILoggerFactory loggers) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => loggers.CreateLogger($"{LogCategory}.{categoryName}");

        public void AddProvider(ILoggerProvider provider) => loggers.AddProvider(provider);

        public void Dispose()
        {
            // The application owns the factory.
        }
    }

    // The directory is made with mode 0700, so that no other user can reach the socket between bind and chmod.
    private UnixDomainSocketEndPoint SocketInPrivateDirectory()
    {
        _directory = Directory.CreateTempSubdirectory("tenancy-").FullName;
        return new(Path.Combine(_directory, "store"));
    }

    private static IPEndPoint FreeLoopbackPort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)probe.LocalEndPoint!;
    }
}

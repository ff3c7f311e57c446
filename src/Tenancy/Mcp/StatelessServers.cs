using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Server;
using Tenancy.Diagnostics;

namespace Tenancy.Mcp;

/// <summary>The long-lived servers without sessions: one for each platform kind and protocol version, as a server keeps the version that it first spoke.</summary>
internal class StatelessServers(
    PlatformCatalog platforms, IOptions<McpServerOptions> options, IOptionsFactory<McpServerOptions> factory, IOptions<HttpServerTransportOptions> transport, IServiceScopeFactory scopes, ILoggerFactory loggers, TimeProvider time, ILogger<StatelessServers> logger)
    : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(PlatformKind Kind, string Version), Lazy<StatelessServer>> _servers = new();
    private readonly bool _isUsual = IsUsual(options.Value, transport.Value, platforms);

    /// <summary>The server for a kind and version. Null where the application has changed the MCP SDK's settings so that only the SDK can follow, or where the server is gone: the next call finds a new one.</summary>
    public virtual StatelessServer? Find(PlatformKind kind, string? version)
    {
        if (!_isUsual)
        {
            return null;
        }

        var key = (kind, version ?? "");
        var server = _servers.GetOrAdd(key, static (key, servers) => new(() => servers.Create(key.Kind, key.Version)), this);
        if (server.Value.IsAlive)
        {
            return server.Value;
        }

        if (_servers.TryRemove(KeyValuePair.Create(key, server)))
        {
            logger.StatelessServerGone(kind.Name);
            _ = server.Value.GiveBackAsync();
        }

        return null;
    }

    /// <summary>Makes a server.</summary>
    public StatelessServer Create(PlatformKind kind, string? version)
    {
        var serverOptions = factory.Create(Options.DefaultName);
        TenantServer.Configure(serverOptions, kind, kind.Name);
        return new(serverOptions, namesItself: version == ProtocolVersions.Modern, scopes, loggers, time);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers.Values.Where(server => server.IsValueCreated))
        {
            await server.Value.CloseAsync();
        }
    }

    // Tools of all tenants, one version only, or a session's own set-up and run.
    private static bool IsUsual(McpServerOptions server, HttpServerTransportOptions transport, PlatformCatalog platforms) =>
        server is { ProtocolVersion: null, ToolCollection: var tools } && (tools is null or { IsEmpty: true } || tools == platforms.HeaderTools)
        && transport.SessionMode == HttpServerSessionMode.StatefulForInitializeClients
        && transport.ConfigureSessionOptions == TenantServer.ConfigureAsync
#pragma warning disable MCPEXP002 // Whoever uses the experimental handler is served without this.
        && transport.RunSessionHandler is null;
#pragma warning restore MCPEXP002
}

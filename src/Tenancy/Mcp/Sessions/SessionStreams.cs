using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.Mcp.Requests;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>The streams that are open on this node. One keeps its session alive, and ends with its session or its tenant.</summary>
internal sealed class SessionStreams(RedisConnection redis, TenantRegistry registry, TimeProvider time)
{
    /// <summary>How often a stream asks whether its session is still there, as another node may have ended it.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(TenantId Tenant, string Handle), HttpContext> _open = new();

    /// <summary>Holds a stream until it ends.</summary>
    public async ValueTask<object?> RunAsync(McpRequest request, Func<ValueTask<object?>> stream)
    {
        var (context, tenant) = (request.Http, request.Tenant);
        await using var tenantEnds = registry.GetPresence(tenant.Id).Register(static context => ((HttpContext)context!).Abort(), context);
        if (request.SessionId is not { } sessionId)
        {
            return await stream();
        }

        // The MCP SDK allows one stream per session and refuses a second, which must not put the first one's entry out.
        var entry = KeyValuePair.Create((tenant.Id, TenantKeyspace.Hash(sessionId)), context);
        var isFirst = _open.TryAdd(entry.Key, entry.Value);
        using var ends = new CancellationTokenSource();
        var keeping = KeepAsync(
            context,
            new(redis, tenant.Id, tenant.Generation),
            sessionId,
            SessionGuard.Owner(tenant, request.Caller),
            ends.Token
        );
        try
        {
            return await stream();
        }
        finally
        {
            await ends.CancelAsync();
            await keeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (isFirst)
            {
                _open.TryRemove(entry);
            }
        }
    }

    /// <summary>Ends the stream of a session that was ended.</summary>
    public void End(TenantId tenant, string handle)
    {
        if (_open.TryGetValue((tenant, handle), out var context))
        {
            context.Abort();
        }
    }

    private async Task KeepAsync(
        HttpContext context,
        SessionStore sessions,
        string sessionId,
        SessionOwner owner,
        CancellationToken cancellationToken
    )
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            try
            {
                if (!await sessions.TouchAsync(sessionId, owner))
                {
                    context.Abort();
                    return;
                }
            }
            catch (StoreUnavailableException)
            {
                // It is asked again in a minute; until then nobody has said that the session is gone.
            }
        }
    }
}

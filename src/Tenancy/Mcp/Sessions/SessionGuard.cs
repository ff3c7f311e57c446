using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ModelContextProtocol;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp.Calls;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sdk;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>
/// A session is for the caller and the tenant that began it; to others it does not exist. <see cref="Gate.RequestLimits"/> looks it up. One
/// that this node does not have, because the MCP SDK let it go or another node began it, goes on from what the store keeps of it.
/// </summary>
internal sealed class SessionGuard(RedisConnection redis, OpenSessions open, TouchedSessions touched) : ISessionMigrationHandler
{
    // What a client says of itself. One that says more has to begin anew where its node is gone.
    private const int MaxClientLength = 16 * 1024;

    private static readonly JsonTypeInfo<InitializeRequestParams> ClientType =
        (JsonTypeInfo<InitializeRequestParams>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(InitializeRequestParams));

    /// <summary>Whose the sessions of a caller are.</summary>
    public static SessionOwner Owner(TenantModel tenant, CallerIdentity caller) => new(tenant.Record.SessionEpoch, caller.Value);

    /// <summary>
    /// Whether the MCP SDK can read what a client says when it begins a session. It makes the session first, and then fails on what it
    /// cannot read.
    /// </summary>
    public static bool CanBegin(McpRequest request)
    {
        try
        {
            return JsonSerializer.Deserialize(request.Body.Span[request.Head.Parameters], ClientType) is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Keeps a place for the session that a request is about to begin.</summary>
    /// <returns>Null where tenant or caller has as many as it may.</returns>
    public async ValueTask<IAsyncDisposable?> TryReserveAsync(McpRequest request)
    {
        var tenant = request.Tenant;
        var store = new SessionStore(redis, tenant.Id, tenant.Generation);
        var max = (tenant.Config.Limits ?? new TenantLimits()).MaxSessions;

        // Nobody can take all of a tenant's, except where all callers are the same.
        var perCaller = ToolContextFactory.IsOpen(tenant) ? max : (max / 2) + (max % 2);
        if (await store.ReserveAsync(Owner(tenant, request.Caller), max, perCaller) is not { } place)
        {
            return null;
        }

        var reservation = new Reservation(store, place);
        request.Http.Features.Set(reservation);
        return reservation;
    }

    /// <summary>Records the session that the MCP SDK has just made, before anybody can use it.</summary>
    /// <exception cref="InvalidOperationException">No place was kept for it.</exception>
    public async Task CreateAsync(HttpContext context, TenantModel tenant, string sessionId)
    {
        var reservation = context.Features.Get<Reservation>();
        var owner = Owner(tenant, CallerIdentity.Read(context.User, tenant.Id));
        if (
            reservation is null
            || !await new SessionStore(redis, tenant.Id, tenant.Generation).CreateAsync(sessionId, owner, reservation.Place)
        )
        {
            throw new InvalidOperationException("A session was about to begin that no place was kept for.");
        }

        reservation.IsTaken = true;
    }

    /// <summary>Forgets the session that the caller has ended.</summary>
    public async ValueTask ForgetAsync(McpRequest request)
    {
        if (request.SessionId is { } id)
        {
            open.End(request.Tenant.Id, id);
            await new SessionStore(redis, request.Tenant.Id, request.Tenant.Generation).DeleteAsync(
                id,
                Owner(request.Tenant, request.Caller)
            );

            // Only now: until the store had it from us, an answer that it is there was true.
            touched.End(request.Tenant.Id, id);
        }
    }

    /// <summary>Cancels a direct call of a session, if it is this node that runs it.</summary>
    public void Cancel(TenantId tenant, string sessionId, string requestId) => open.Find(tenant, sessionId)?.Cancel(requestId);

    public async ValueTask OnSessionInitializedAsync(
        HttpContext context,
        string sessionId,
        InitializeRequestParams initializeParams,
        CancellationToken cancellationToken
    )
    {
        // The SDK gives the HttpContext that the session began with, which is over where a client says this a second time.
        var flow = RequestFlow.Current ?? throw new InvalidOperationException("A session was begun outside a tenant's request.");
        var tenant = flow.Tenant;
        open.Add(tenant.Id, sessionId, initializeParams.ProtocolVersion);
        var client = JsonSerializer.Serialize(initializeParams, ClientType);
        if (client.Length <= MaxClientLength)
        {
            await new SessionStore(redis, tenant.Id, tenant.Generation).DescribeAsync(sessionId, Owner(tenant, flow.Caller), client);
        }
    }

    public async ValueTask<InitializeRequestParams?> AllowSessionMigrationAsync(
        HttpContext context,
        string sessionId,
        CancellationToken cancellationToken
    )
    {
        // The guard has let the request pass, but this is asked for a session of any tenant's: it is looked up under this one's, and its
        // owner compared.
        var tenant = context.Features.GetRequiredFeature<ITenantFeature>().Tenant;
        if (
            await new SessionStore(redis, tenant.Id, tenant.Generation).FindClientAsync(
                sessionId,
                Owner(tenant, CallerIdentity.Read(context.User, tenant.Id))
            )
            is not { } client
        )
        {
            return null;
        }

        var parameters = JsonSerializer.Deserialize(client, ClientType);
        open.Add(tenant.Id, sessionId, parameters?.ProtocolVersion);
        return parameters;
    }

    /// <summary>A place for a session; given back unless the session begins.</summary>
    private sealed class Reservation(SessionStore store, string place) : IAsyncDisposable
    {
        public string Place { get; } = place;

        public bool IsTaken { get; set; }

        public async ValueTask DisposeAsync()
        {
            if (!IsTaken)
            {
                await store.ReleaseAsync(Place);
            }
        }
    }
}

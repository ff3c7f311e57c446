using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ModelContextProtocol;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>
/// A session is for the caller and the tenant that began it; to others it does not exist. <see cref="RequestLimits"/> looks it up. One that this
/// node does not have, because the MCP SDK let it go or another node began it, goes on from what the store keeps of it.
/// </summary>
internal sealed class SessionGuard(RedisConnection redis) : ISessionMigrationHandler
{
    public const string HeaderName = "Mcp-Session-Id";

    // What a client says of itself. One that says more has to begin anew where its node is gone.
    private const int MaxClientLength = 16 * 1024;

    private static readonly JsonTypeInfo<InitializeRequestParams> ClientType =
        (JsonTypeInfo<InitializeRequestParams>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(InitializeRequestParams));

    /// <summary>Whose the sessions of a caller are.</summary>
    public static SessionOwner Owner(TenantModel tenant, CallerIdentity caller) => new(tenant.Record.SessionEpoch, caller.Value);

    /// <summary>Keeps a place for the session that a request is about to begin.</summary>
    /// <returns>Null where tenant or caller has as many as it may.</returns>
    public async ValueTask<IAsyncDisposable?> TryReserveAsync(HttpContext context, TenantModel tenant, CallerIdentity caller)
    {
        var store = new SessionStore(redis, tenant.Id);
        var max = (tenant.Config.Limits ?? new TenantLimits()).MaxSessions;

        // Nobody can take all of a tenant's, except where all callers are the same.
        var perCaller = ToolContextFactory.IsOpen(tenant) ? max : (max / 2) + (max % 2);
        if (await store.ReserveAsync(Owner(tenant, caller), max, perCaller) is not { } place)
        {
            return null;
        }

        var reservation = new Reservation(store, place);
        context.Features.Set(reservation);
        return reservation;
    }

    /// <summary>Records the session that the MCP SDK has just made, before anybody can use it.</summary>
    /// <exception cref="InvalidOperationException">No place was kept for it.</exception>
    public async Task CreateAsync(HttpContext context, TenantModel tenant, string sessionId)
    {
        var reservation = context.Features.Get<Reservation>();
        var owner = Owner(tenant, CallerIdentity.Read(context.User, tenant.Id));
        if (reservation is null || !await new SessionStore(redis, tenant.Id).CreateAsync(sessionId, owner, reservation.Place))
        {
            throw new InvalidOperationException("A session was about to begin that no place was kept for.");
        }

        reservation.IsTaken = true;
    }

    /// <summary>Forgets the session that the caller has ended.</summary>
    public async ValueTask ForgetAsync(HttpRequest request, TenantModel tenant, CallerIdentity caller)
    {
        if (request.Headers[HeaderName] is [{ Length: > 0 } id])
        {
            await new SessionStore(redis, tenant.Id).DeleteAsync(id, Owner(tenant, caller));
        }
    }

    public async ValueTask OnSessionInitializedAsync(HttpContext context, string sessionId, InitializeRequestParams initializeParams, CancellationToken cancellationToken)
    {
        var tenant = context.Features.GetRequiredFeature<ITenantFeature>().Tenant;
        var client = JsonSerializer.Serialize(initializeParams, ClientType);
        if (client.Length <= MaxClientLength)
        {
            await new SessionStore(redis, tenant.Id).DescribeAsync(sessionId, Owner(tenant, CallerIdentity.Read(context.User, tenant.Id)), client);
        }
    }

    public async ValueTask<InitializeRequestParams?> AllowSessionMigrationAsync(HttpContext context, string sessionId, CancellationToken cancellationToken)
    {
        // The guard has let the request pass, but this is asked for a session of any tenant's: it is looked up under this one's, and its owner compared.
        var tenant = context.Features.GetRequiredFeature<ITenantFeature>().Tenant;
        return await new SessionStore(redis, tenant.Id).FindClientAsync(sessionId, Owner(tenant, CallerIdentity.Read(context.User, tenant.Id))) is { } client
            ? JsonSerializer.Deserialize(client, ClientType)
            : null;
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

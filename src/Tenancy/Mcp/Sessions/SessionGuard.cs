using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp.Platforms;
using Tenancy.Mcp.Requests;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>
/// A session is for the caller and the tenant that began it; to others it does not exist. <see cref="Gate.RequestLimits"/> looks it up. One
/// that this node does not have, because the MCP SDK let it go or another node began it, goes on from what the store keeps of it.
/// </summary>
internal sealed class SessionGuard(RedisConnection redis, OpenSessions open, SessionEnds ends, CallsUnderWay calls)
{
    // What is kept of what a client says of itself.
    private const int MaxClientLength = 16 * 1024;
    private const int MaxNameLength = 256;

    private static readonly JsonTypeInfo<InitializeRequestParams> ClientType =
        (JsonTypeInfo<InitializeRequestParams>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(InitializeRequestParams));

    private static readonly JsonTypeInfo<ClientCapabilities> CapabilitiesType =
        (JsonTypeInfo<ClientCapabilities>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(ClientCapabilities));

    /// <summary>Whose the sessions of a caller are.</summary>
    public static SessionOwner Owner(TenantModel tenant, CallerIdentity caller) => new(tenant.Record.SessionEpoch, caller.Value);

    /// <summary>
    /// Keeps a place for the session that a request is about to begin. Where the caller has as many as it may, the one that it did not use
    /// for longest ends.
    /// </summary>
    /// <returns>Null where the tenant has as many as it may, or all of the caller's are in use.</returns>
    public async ValueTask<SessionPlace?> TryReserveAsync(McpRequest request)
    {
        var tenant = request.Tenant;
        var store = new SessionStore(redis, tenant.Id, tenant.Generation);
        var max = tenant.Limits.MaxSessions;
        var owner = Owner(tenant, request.Caller);

        // Where all callers are the same, a session that somebody uses does not end for another one's.
        var idle = CallerRights.IsOpen(tenant) ? SessionStore.Abandonment : TimeSpan.Zero;
        var key = await store.ReserveAsync(
            owner,
            max,
            (int)CallerRights.ShareOf(tenant, max),
            handle => ends.End(tenant.Id, handle),
            idle,
            handle => calls.KeepAsync(store, tenant.Id, handle)
        );
        if (key is null)
        {
            return null;
        }

        var place = new SessionPlace(store, key, owner, id => open.End(tenant.Id, id));
        request.Http.Features.Set(place);
        return place;
    }

    /// <summary>Notes that a session's client does more than begin it, so that it lives its full time from now on.</summary>
    /// <returns>False where the session has just ended.</returns>
    public async ValueTask<bool> UseAsync(McpRequest request)
    {
        if (request is not { SessionId: { } id, UsesSession: true })
        {
            return true;
        }

        var session = open.Find(request.Tenant.Id, id);
        if (session is not { IsUsed: true })
        {
            var store = new SessionStore(redis, request.Tenant.Id, request.Tenant.Generation);
            if (!await store.UseAsync(id, Owner(request.Tenant, request.Caller)))
            {
                return false;
            }

            session = open.Enter(request.Tenant.Id, id);
            session.IsUsed = true;
        }

        if (request.Head.Method is RequestMethods.ToolsList)
        {
            session.Listed = request.Platform.Kind;
        }

        return true;
    }

    /// <summary>Cancels what runs here in a session that its caller ends.</summary>
    public void Cancel(McpRequest request)
    {
        if (request.SessionId is { } id)
        {
            open.End(request.Tenant.Id, id);
        }
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

            // After the store has deleted it: whoever asks the store before that is told that the session is there, and would remember it.
            ends.EndById(request.Tenant.Id, id);
        }
    }

    /// <summary>Keeps what a client said of itself when its session began, so that the session can go on at another node.</summary>
    public async ValueTask KeepClientAsync(TenantModel tenant, CallerIdentity caller, string sessionId, InitializeRequestParams client)
    {
        var kind = McpPlatformInstance.Of(tenant).Kind;
        open.Add(tenant.Id, sessionId, client.ProtocolVersion, kind);
        var session = open.Enter(tenant.Id, sessionId);
        session.Begin(kind);
        session.KnowsLogLevel = true;
        await new SessionStore(redis, tenant.Id, tenant.Generation).DescribeAsync(sessionId, Owner(tenant, caller), Describe(client));
    }

    // A client may say much that nobody asks for again, such as its icons. What it can do is what a session needs most.
    internal static string Describe(InitializeRequestParams client)
    {
        // What is null is not written, and could not be read again where it must be there.
        var isWhole = client is { ProtocolVersion: not null, Capabilities: not null, ClientInfo: { Name: not null, Version: not null } };
        if (isWhole && JsonSerializer.Serialize(client, ClientType) is { Length: <= MaxClientLength } all)
        {
            return all;
        }

        // A copy: what the client said is the MCP SDK's, which goes on to use it.
        var kept = new InitializeRequestParams
        {
            ProtocolVersion = client.ProtocolVersion ?? "",
            Capabilities = Copy(client.Capabilities),
            ClientInfo = new() { Name = Shorten(client.ClientInfo?.Name), Version = Shorten(client.ClientInfo?.Version) },
        };
        var json = JsonSerializer.Serialize(kept, ClientType);
        if (json.Length <= MaxClientLength)
        {
            return json;
        }

        kept.Capabilities.Experimental = null;
        kept.Capabilities.Extensions = null;
        return JsonSerializer.Serialize(kept, ClientType);
    }

    private static ClientCapabilities Copy(ClientCapabilities? capabilities) =>
        capabilities is null
            ? new()
            : JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(capabilities, CapabilitiesType), CapabilitiesType)!;

    private static string Shorten(string? text) =>
        text is null ? ""
        : text.Length <= MaxNameLength ? text
        : text[..MaxNameLength];

    /// <summary>Finds what the client of a session said of itself, where the session is the caller's at this tenant.</summary>
    /// <returns>Null where it is not, and where nothing was kept.</returns>
    public async ValueTask<InitializeRequestParams?> FindClientAsync(TenantModel tenant, CallerIdentity caller, string sessionId)
    {
        var store = new SessionStore(redis, tenant.Id, tenant.Generation);
        if (await store.FindClientAsync(sessionId, Owner(tenant, caller)) is not { } json)
        {
            return null;
        }

        var client = JsonSerializer.Deserialize(json, ClientType);
        open.Add(tenant.Id, sessionId, client?.ProtocolVersion, McpPlatformInstance.Of(tenant).Kind);
        return client;
    }
}

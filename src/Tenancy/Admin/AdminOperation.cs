using Microsoft.AspNetCore.Http;
using Tenancy.Administration;
using Tenancy.Authentication;
using Tenancy.Configuration;

namespace Tenancy.Admin;

/// <summary>What the description of the admin API says of one of its requests.</summary>
/// <param name="Id">What a generated client calls it.</param>
/// <param name="Summary">What it does.</param>
/// <param name="Status">The status of its answer where it succeeds.</param>
/// <param name="Answer">What it answers then; null for nothing.</param>
/// <param name="Body">What it takes; null for nothing.</param>
internal sealed record AdminOperation(string Id, string Summary, int Status, Type? Answer = null, Type? Body = null)
{
    /// <summary>What the description calls the change of a tenant, which is no type of its own.</summary>
    public const string Patch = "TenantPatch";

    /// <summary>The values of parameters of the query, as their descriptions say them.</summary>
    public static IReadOnlyDictionary<string, string> Parameters { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["wait"] = "true: answers after the first check of the tenant, whatever its result",
            ["adopt"] = "true: the new tenant gets the data that an unregistered one with this id left",
            ["force"] = "true: switches at once; the tenant is pending until its next check",
            ["take"] = "how many a page has: 1 to 1000, 100 where it is left out",
            ["cursor"] = "the nextCursor of the page before, with the same filters",
            ["status"] = "active or suspended",
            ["health"] = "pending, healthy, unverified or disabled; or broken: not suspended, and any but healthy",
            ["platform"] = "a platform of the server",
            ["text"] = "1 to 200 characters that the id, the name or a URL has",
            ["from"] = "the earliest time, such as 2026-01-31T12:00:00Z (RFC 3339); of usage the first day, such as 2026-01-31",
            ["to"] = "the time that all come before; of usage the last day",
            ["action"] = "one of the actions, such as tenant.changed",
            ["caller"] = "the caller of an entry",
            ["key"] = "the key of an entry, which is not the key itself",
            ["reason"] = "the reason of an entry",
            ["tenant"] = "the id of a tenant, which may be gone",
            ["format"] = "json, or csv without a nextCursor in it: that is the header X-Next-Cursor then",
            ["hours"] = "the hours before now: 1 to 24, 24 where it is left out",
            ["after"] = "the id of the last event that was seen, as in the header Last-Event-ID",
            ["overlap"] = "the seconds for which the token before is good too: 0 to 604800, 0 where it is left out",
        };

    private static readonly Dictionary<string, AdminOperation> All = new(StringComparer.Ordinal)
    {
        ["POST /admin/tenants"] = new("registerTenant", "Registers a tenant", 201, typeof(TenantAnswer), typeof(TenantWire)) { Also = 200 },
        ["GET /admin/tenants"] = new("listTenants", "Lists tenants, by id, a page at a time", 200, typeof(TenantList)),
        ["GET /admin/tenants/{id}"] = new("getTenant", "Shows a tenant", 200, typeof(TenantAnswer)),
        ["PATCH /admin/tenants/{id}"] = new(
            "updateTenant",
            "Changes a tenant by a JSON merge patch (RFC 7396)",
            200,
            typeof(TenantAnswer),
            typeof(TenantConfig)
        )
        {
            BodyType = "application/merge-patch+json",
            BodyName = Patch,
            IsConditional = true,
        },
        ["DELETE /admin/tenants/{id}"] = new("deleteTenant", "Takes a tenant out, and deletes all that it keeps", 204),
        ["POST /admin/tenants/{id}/unregister"] = new("unregisterTenant", "Takes a tenant out, and keeps its data", 204),
        ["POST /admin/tenants/{id}/recheck"] = new(
            "recheckTenant",
            "Builds a tenant's platform anew, and checks the tenant",
            200,
            typeof(TenantAnswer)
        ),
        ["POST /admin/tenants/{id}/principals"] = new(
            "issuePrincipal",
            "Issues a principal with a token, which is shown this once",
            201,
            typeof(IssuedPrincipal),
            typeof(PrincipalRegistration)
        ),
        ["GET /admin/tenants/{id}/principals"] = new("listPrincipals", "Lists the principals, without tokens", 200, typeof(PrincipalList)),
        ["POST /admin/tenants/{id}/principals/{principalId}/rotate"] = new(
            "rotatePrincipal",
            "Gives a principal a new token",
            200,
            typeof(IssuedPrincipal)
        ),
        ["DELETE /admin/tenants/{id}/principals/{principalId}"] = new("revokePrincipal", "Revokes a principal with all its tokens", 204),
        ["POST /admin/tenants/{id}/clients"] = new(
            "addClient",
            "Lists an OAuth client",
            201,
            typeof(ClientAnswer),
            typeof(ClientRegistration)
        ),
        ["GET /admin/tenants/{id}/clients"] = new("listClients", "Shows the listed clients, a page at a time", 200, typeof(ClientList)),
        ["GET /admin/tenants/{id}/clients/{handle}"] = new("getClient", "Shows a client", 200, typeof(ClientAnswer)),
        ["POST /admin/tenants/{id}/clients/{handle}/refresh"] = new(
            "refreshClient",
            "Renews a client, and fetches its metadata document again",
            200,
            typeof(ClientAnswer)
        ),
        ["DELETE /admin/tenants/{id}/clients/{handle}"] = new("removeClient", "Takes a client out", 204),
        ["GET /admin/tenants/{id}/sessions"] = new("listSessions", "Lists the MCP sessions, by handles", 200, typeof(SessionList)),
        ["DELETE /admin/tenants/{id}/sessions/{handle}"] = new("endSession", "Ends a session, with its stream and its calls", 204),
        ["GET /admin/tenants/{id}/refused-tokens"] = new(
            "listRefusedTokens",
            "Lists why tokens were refused lately",
            200,
            typeof(RefusedTokenList)
        ),
        ["POST /admin/tenants/{id}/explain-token"] = new(
            "explainToken",
            "Says what would happen to a token, and why",
            200,
            typeof(TokenExplanation),
            typeof(TokenToExplain)
        )
        {
            OnlyAsks = true,
        },
        ["GET /admin/tenants/{id}/audit"] = new("listAuditOfTenant", "Lists what was done to a tenant", 200, typeof(AuditList)),
        ["GET /admin/tenants/{id}/refusals"] = new(
            "listRefusalsOfTenant",
            "Lists how many requests to a tenant were refused, by minute and reason",
            200,
            typeof(RefusalList)
        ),
        ["GET /admin/audit"] = new("listAudit", "Lists what was done to all tenants, those that are gone, too", 200, typeof(AuditList)),
        ["GET /admin/refusals"] = new(
            "listRefusals",
            "Lists how many requests were refused, by minute and reason",
            200,
            typeof(RefusalList)
        ),
        ["GET /admin/tenants/{id}/usage"] = new(
            "getUsageOfTenant",
            "Shows what a tenant used, by day, tool and outcome",
            200,
            typeof(UsageList)
        ),
        ["GET /admin/tenants/{id}/traffic"] = new(
            "getTrafficOfTenant",
            "Shows how a tenant was called in the last hours, how its health changed, and how much of its limits is used",
            200,
            typeof(TenantTraffic)
        ),
        ["GET /admin/usage"] = new("listUsage", "Shows what all tenants used, deleted ones, too", 200, typeof(UsageList)),
        ["GET /admin/nodes"] = new("listNodes", "Lists the servers that share the store", 200, typeof(NodeList)),
        ["GET /admin/summary"] = new("getSummary", "Counts the tenants by their health", 200, typeof(TenantSummary)),
        ["GET /admin/deletions"] = new(
            "listDeletions",
            "Lists the tenants that are gone, but for some of their data",
            200,
            typeof(DeletionList)
        ),
        ["GET /admin/events"] = new("followEvents", "Tells what happens as it happens, as Server-Sent Events", 200, typeof(string))
        {
            AnswerType = "text/event-stream",
        },
        ["GET /admin/openapi.json"] = new("getDescription", "Describes this API", 200),
    };

    /// <summary>Gets another status that means success, too.</summary>
    public int? Also { get; init; }

    /// <summary>Gets the media type of what it answers.</summary>
    public string AnswerType { get; init; } = "application/json";

    /// <summary>Gets the media type of what it takes.</summary>
    public string BodyType { get; init; } = "application/json";

    /// <summary>Gets what the description calls its body, where that is not its type's name.</summary>
    public string? BodyName { get; init; }

    /// <summary>Gets the parameters of its query.</summary>
    public IReadOnlyList<string> Query { get; init; } = [];

    /// <summary>Gets whether it does nothing: what it was answered before may not be so any more.</summary>
    private bool OnlyAsks { get; init; }

    /// <summary>Gets whether it may carry an Idempotency-Key.</summary>
    public bool IsKeyed { get; init; }

    /// <summary>Gets whether it may carry an If-Match.</summary>
    public bool IsConditional { get; init; }

    /// <summary>Finds what is said of a request.</summary>
    /// <exception cref="InvalidOperationException">Nothing is: whoever adds a request says what it does.</exception>
    public static AdminOperation Of(string method, string path, string[] query) =>
        All.TryGetValue($"{method} {path}", out var operation)
            ? operation with
            {
                Query = query,
                IsKeyed = !HttpMethods.IsGet(method) && !operation.OnlyAsks,
            }
            : throw new InvalidOperationException($"AdminOperation says nothing of {method} {path}.");
}

using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore.Http.Features;
using ModelContextProtocol;
using Tenancy.Resolution;

namespace McpFixtures.Tasks;

/// <summary>
/// The tasks of all tenants, until the process ends. They are begun and found for the tenant and caller of the request that is being
/// served, and in no other way.
/// </summary>
internal sealed class TaskTable(IHttpContextAccessor http, TimeProvider time)
{
    private readonly ConcurrentDictionary<(Owner Owner, string Id), RunningTask> _tasks = new();

    public RunningTask Begin()
    {
        var task = new RunningTask(time);
        _tasks[(Owner.Of(http.HttpContext!), task.Id)] = task;
        return task;
    }

    /// <exception cref="McpProtocolException">The caller has no such task at this tenant.</exception>
    public RunningTask Find(string id) =>
        _tasks.GetValueOrDefault((Owner.Of(http.HttpContext!), id))
        ?? throw new McpProtocolException($"There is no task '{id}'.", McpErrorCode.InvalidParams);

    // The claim is the one that the tenant's authentication gives every caller; where the tenant asks for no proof all callers are one.
    private sealed record Owner(string Tenant, string? Caller)
    {
        public static Owner Of(HttpContext context) =>
            new(
                context.Features.GetRequiredFeature<ITenantFeature>().Tenant.Id.Value,
                context.User.FindFirst(ClaimTypes.NameIdentifier)?.Value
            );
    }
}

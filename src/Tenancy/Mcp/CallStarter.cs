using System.Diagnostics;
using System.Security.Claims;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy.Authentication;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>Begins the calls of handlers, for whichever way a request takes to them.</summary>
internal sealed class CallStarter(
    IServiceScopeFactory scopes,
    ToolContextFactory contexts,
    CallerRights rights,
    ConcurrentCalls places,
    ILogger<Call> logger,
    TenancyMetrics? metrics = null,
    UsageCounts? usage = null,
    TrafficCounts? traffic = null
)
{
    /// <summary>Makes the scopes of calls' services.</summary>
    public IServiceScopeFactory Scopes => scopes;

    /// <summary>Makes the contexts of calls.</summary>
    public ToolContextFactory Contexts => contexts;

    /// <summary>Measures calls; null where nobody can listen.</summary>
    public TenancyMetrics? Metrics => metrics;

    /// <summary>Counts what calls take; null where nobody does.</summary>
    public UsageCounts? Usage => usage;

    /// <summary>Counts how often tenants are called; null where nobody does.</summary>
    public TrafficCounts? Traffic => traffic;

    /// <summary>What calls log to.</summary>
    public ILogger Logger => logger;

    /// <summary>Begins a call.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="user">The caller as ASP.NET Core has it; most tools do without, see <see cref="TenantTool.NeedsUser"/>.</param>
    /// <param name="tool">The tool; null for another kind of handler.</param>
    /// <param name="isModern">Whether the call is direct and its client speaks 2026-07-28 or later.</param>
    /// <returns>The call, or why there is none.</returns>
    public (Call? Call, Refusal? Refusal) TryBegin(
        TenantModel tenant,
        CallerIdentity caller,
        ClaimsPrincipal? user = null,
        TenantTool? tool = null,
        bool isModern = false
    )
    {
        // The gate has asked the same of the name in the message; this asks it of the tool that is about to run.
        if (!rights.MayCall(tenant, caller, tool?.ProtocolTool.Name))
        {
            return (null, Refusal.NoCredentials);
        }

        if (tool is not null && ToolScopes.Missing(tenant, user, tool) is { Count: > 0 } scopesMissing)
        {
            return (null, caller.IsAnonymous ? Refusal.NoCredentials : Refusal.InsufficientScope(scopesMissing));
        }

        if (places.TryTake(tenant, caller) is not { } place)
        {
            traffic?.AddRefused(tenant.Id, tenant.Generation);
            return (null, Refusal.TooManyCalls);
        }

        traffic?.NotePeak(tenant.Id, tenant.Generation, LimitPeak.Calls, (int)(100L * place.Taken / tenant.Limits.MaxConcurrentCalls));

        // A handler may run on after its request, whose hold on the platform ends with it.
        if (!tenant.Platform!.TryHold())
        {
            place.GiveBack();
            return (null, Refusal.TenantChanged);
        }

        return (
            new(tenant, caller, place, this)
            {
                User = user,
                IsModern = isModern,
                Tool = tool,
                Activity = CallObservation.Begin(tenant, caller, tool),
            },
            null
        );
    }

    /// <summary>Counts a call that was answered before a handler ran, such as one whose arguments could not be read.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="tool">The tool.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="began">When it began, as <see cref="Stopwatch.GetTimestamp"/> says.</param>
    /// <param name="bytes">Those of the request and the answer.</param>
    public void CountAnswered(TenantModel tenant, TenantTool tool, string outcome, long began, long bytes)
    {
        var micros = Stopwatch.GetElapsedTime(began).Ticks / TimeSpan.TicksPerMicrosecond;
        CallObservation.End(metrics, activity: null, began, tenant, tool, outcome);
        traffic?.Add(tenant.Id, tenant.Generation, CallOutcome.EndOf(outcome), micros);
        usage?.Add(tenant.Id, tenant.Generation, new(tool.ProtocolTool.Name, outcome, 1, micros, bytes, 0));
    }
}

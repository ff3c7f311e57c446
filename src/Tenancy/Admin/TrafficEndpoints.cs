using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>What a tenant's day looks like: its calls by quarters of an hour, its health, and how much of its limits is used now.</summary>
internal static class TrafficEndpoints
{
    private const int MaxHours = 24;
    private const int QuartersOfHour = 4;

    public static void Map(AdminRoutes routes) => routes.Map(HttpMethods.Get, "{id}/traffic", ReadAsync, "hours");

    private static async Task<IResult> ReadAsync(
        string id,
        HttpContext context,
        TenantRegistry registry,
        TrafficStore store,
        TrafficCounts counts,
        ConcurrentCalls calls,
        TimeProvider time
    )
    {
        var hours = AdminRequest.ReadNumber(context, "hours", MaxHours, least: 1, MaxHours, "hours");
        if (await AdminEndpoints.FindAsync(registry, id, context.RequestAborted) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        var (now, life) = (time.GetUtcNow(), new TenantLife(tenant.Id, tenant.Generation));
        var first = Quarter.NumberOf(now) - (QuartersOfHour * hours);
        var quarters = await store.ReadAsync(life, first, counts.Find(life));
        var health = await store.ListHealthAsync(tenant.Id);
        return TypedResults.Json(
            new TenantTraffic(
                Quarter.StartOf(first),
                now,
                (int)Quarter.Length.TotalSeconds,
                [.. quarters.Select(TrafficStep.Of)],
                [.. Within(health, Quarter.StartOf(first)).Select(HealthEvent.Of)],
                await ReadLimitsAsync(tenant, store, calls)
            ),
            AdminJson.Wire.TenantTraffic
        );
    }

    // With the last one before, which says how it was at the beginning.
    private static IEnumerable<FoundHealth> Within(IReadOnlyList<FoundHealth> all, DateTimeOffset from)
    {
        var before = 0;
        for (var i = 0; i < all.Count; i++)
        {
            before = all[i].At <= from ? i : before;
        }

        return all.Skip(before);
    }

    private static async Task<UsedLimits> ReadLimitsAsync(TenantModel tenant, TrafficStore store, ConcurrentCalls calls)
    {
        var limits = tenant.Limits;
        var (sessions, bytes) = await store.CountTakenAsync(tenant.Id);
        return new(
            limits.RateLimit,
            await store.CountUsedAsync(tenant.Id, RateLimit.Tenant(limits.RateLimit)),
            limits.MaxConcurrentCalls,
            calls.CountOf(tenant.Id),
            limits.MaxSessions,
            sessions,
            limits.MaxDocumentBytes,
            bytes
        );
    }
}

/// <summary>How a tenant was called lately.</summary>
/// <param name="From">When the first step begins.</param>
/// <param name="To">When it was asked.</param>
/// <param name="StepSeconds">How long a step is.</param>
/// <param name="Steps">The steps in which anything was asked of it, the earliest first.</param>
/// <param name="Health">How its health changed since then, with the last change before; the last 30 are known.</param>
/// <param name="Limits">How much of its limits is used now.</param>
internal sealed record TenantTraffic(
    DateTimeOffset From,
    DateTimeOffset To,
    int StepSeconds,
    IReadOnlyList<TrafficStep> Steps,
    IReadOnlyList<HealthEvent> Health,
    UsedLimits Limits
);

/// <summary>The calls of tools in a quarter of an hour, at all nodes.</summary>
/// <param name="At">When it begins.</param>
/// <param name="Calls">How many there were.</param>
/// <param name="Errors">Those whose caller was told what to mend.</param>
/// <param name="Failed">Those whose handler failed, or that the store was away for.</param>
/// <param name="Cancelled">Those whose caller left.</param>
/// <param name="P50Millis">The step of a scale up to which half of them took; null beyond a minute.</param>
/// <param name="P99Millis">The same of 99 in 100.</param>
/// <param name="RefusedByLimits">The requests and calls that were refused because a limit was spent.</param>
/// <param name="RatePeakPercent">The most of the tenant's requests of a minute that was spent at a time.</param>
/// <param name="CallsPeakPercent">The most of the calls that may run at once which ran on a node.</param>
/// <param name="AnonymousPeakPercent">The most that one address without credentials spent of its requests of a minute.</param>
/// <param name="SessionsPeakPercent">The most of the sessions that there were when a minute was over.</param>
/// <param name="DocumentsPeakPercent">The most that documents took up of what they may when a minute was over.</param>
internal sealed record TrafficStep(
    DateTimeOffset At,
    long Calls,
    long Errors,
    long Failed,
    long Cancelled,
    int? P50Millis,
    int? P99Millis,
    long RefusedByLimits,
    int RatePeakPercent,
    int CallsPeakPercent,
    int AnonymousPeakPercent,
    int SessionsPeakPercent,
    int DocumentsPeakPercent
)
{
    public static TrafficStep Of(Quarter quarter) =>
        new(
            quarter.Start,
            Enum.GetValues<CallEnd>().Sum(quarter.Of),
            quarter.Of(CallEnd.Error),
            quarter.Of(CallEnd.Failed),
            quarter.Of(CallEnd.Cancelled),
            quarter.Percentile(0.5),
            quarter.Percentile(0.99),
            quarter.Refused,
            quarter.PeakOf(LimitPeak.Rate),
            quarter.PeakOf(LimitPeak.Calls),
            quarter.PeakOf(LimitPeak.Anonymous),
            quarter.PeakOf(LimitPeak.Sessions),
            quarter.PeakOf(LimitPeak.Documents)
        );
}

/// <summary>How much of a tenant's limits is used.</summary>
/// <param name="RateLimit">The requests that may come within a minute.</param>
/// <param name="RateUsed">About how many of them are used up now, at all nodes.</param>
/// <param name="MaxConcurrentCalls">The calls that may run at once on a node.</param>
/// <param name="ConcurrentCalls">How many run on the node that answers.</param>
/// <param name="MaxSessions">The MCP sessions that there may be at a time.</param>
/// <param name="Sessions">How many there are.</param>
/// <param name="MaxDocumentBytes">The bytes that documents may take up.</param>
/// <param name="DocumentBytes">What they take up.</param>
internal sealed record UsedLimits(
    int RateLimit,
    int RateUsed,
    int MaxConcurrentCalls,
    int ConcurrentCalls,
    int MaxSessions,
    long Sessions,
    long MaxDocumentBytes,
    long DocumentBytes
);

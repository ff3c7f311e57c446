using Microsoft.AspNetCore.Http;
using Tenancy.Audit;
using Tenancy.Diagnostics;

namespace Tenancy.Resolution;

/// <summary>Counts a refused request, for the metrics and for the audit, wherever on its way it is refused.</summary>
internal sealed class CountedRefusals(TenancyMetrics metrics, RefusalCounts counts)
{
    /// <param name="context">The request.</param>
    /// <param name="refusal">Why it is refused.</param>
    /// <param name="tenant">The tenant, where there is one that the caller may know of.</param>
    public void Count(HttpContext context, Refusal refusal, string? tenant)
    {
        metrics.Refusal(refusal.Name, refusal.StatusCode, tenant);
        counts.Count(refusal.Name, refusal.StatusCode, tenant, context.Connection.RemoteIpAddress);
    }
}

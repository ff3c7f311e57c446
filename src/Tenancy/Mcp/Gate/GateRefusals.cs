using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp.Requests;
using Tenancy.Resolution;
using Tenancy.State;

namespace Tenancy.Mcp.Gate;

/// <summary>Writes what the gate refuses: with the challenge that tells a client which credentials to get.</summary>
internal sealed class GateRefusals(BearerChallenge challenge, McpRefusals refusals, CountedRefusals refused, TrafficCounts traffic)
{
    /// <summary>Counts a refusal, and writes it.</summary>
    public async ValueTask WriteAsync(McpRequest request, Refusal refusal)
    {
        refused.Count(request.Http, refusal, request.Tenant.Id.Value);
        CountBeyondLimit(request, refusal);
        if (refusal.StatusCode == StatusCodes.Status401Unauthorized)
        {
            await request.Http.ChallengeAsync();
        }
        else if (
            refusal.Scopes.Count > 0
            && request.Tenant.Config.Authentication?.Kind is TenantAuthenticationKind.Bearer or TenantAuthenticationKind.Jwks
        )
        {
            challenge.WriteInsufficientScope(request.Http, CallerScopes.All(request.User), refusal.Scopes);
        }

        await refusals.WriteAsync(request.Http, refusal, request.ReadId());
    }

    // Calls beyond those that may run at once are counted where they are begun, on both ways. Who showed bad credentials too often has
    // spent no limit of the tenant's.
    private void CountBeyondLimit(McpRequest request, Refusal refusal)
    {
        if (
            refusal.Name is nameof(Refusal.TooManyRequests) or nameof(Refusal.TooManySessions)
            && request.Http.Features.Get<TooManyFailedChecks>() is null
        )
        {
            traffic.AddRefused(request.Tenant.Id, request.Tenant.Generation);
        }
    }
}

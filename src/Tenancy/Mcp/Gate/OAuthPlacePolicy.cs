using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Gate;

/// <summary>
/// Leaves the places where clients look for OAuth to the application where it has endpoints of its own there. Without this, routing would
/// find two endpoints and refuse to choose, or take ours, as the one whose pattern is more specific.
/// </summary>
/// <remarks>
/// An order of our endpoints after all others would not do: <c>/{a}/{b}/mcp</c>, where tenants are called, would come before
/// <c>/.well-known/oauth-protected-resource/mcp</c>, and a page for everything, <c>/{**path}</c>, before all of these places.
/// </remarks>
internal sealed class OAuthPlacePolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    private const string WellKnown = ".well-known";

    // After the policies of ASP.NET Core, which leave out what does not fit the request.
    public override int Order => int.MaxValue;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => endpoints.Any(IsPlace) && !endpoints.All(IsOurs);

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        if (IsTaken(candidates))
        {
            for (var i = 0; i < candidates.Count; i++)
            {
                if (IsOurs(candidates[i].Endpoint))
                {
                    candidates.SetValidity(i, false);
                }
            }
        }

        return Task.CompletedTask;
    }

    private static bool IsTaken(CandidateSet candidates)
    {
        // The one that would be chosen: candidates come in the order of their scores.
        var best = Valid(candidates).FirstOrDefault(candidate => IsPlace(candidate.Endpoint));
        return best.Endpoint is not null
            && Valid(candidates)
                .Any(candidate => !IsOurs(candidate.Endpoint) && (candidate.Score == best.Score || IsWellKnown(candidate.Endpoint)));
    }

    private static IEnumerable<CandidateState> Valid(CandidateSet candidates) =>
        Enumerable.Range(0, candidates.Count).Where(candidates.IsValidCandidate).Select(i => candidates[i]);

    private static bool IsPlace(Endpoint endpoint) => endpoint.Metadata.GetMetadata<TenantEndpointMetadata>() is { IsMetadata: true };

    // An application's own endpoint may ask for a tenant, too, and has no suffix then.
    private static bool IsOurs(Endpoint endpoint) => endpoint.Metadata.GetMetadata<TenantEndpointMetadata>() is { Suffix: not null };

    // An application that maps something below this folder means it; a page for everything does not.
    private static bool IsWellKnown(Endpoint endpoint) =>
        endpoint is RouteEndpoint { RoutePattern.RawText: { } pattern }
        && pattern.TrimStart('/').StartsWith(WellKnown + "/", StringComparison.OrdinalIgnoreCase);
}

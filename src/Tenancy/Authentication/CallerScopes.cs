using System.Security.Claims;
using Tenancy.Configuration;

namespace Tenancy.Authentication;

/// <summary>What a caller may do, as its credentials say.</summary>
internal static class CallerScopes
{
    /// <summary>The claim with the scopes, separated by spaces (RFC 9068, section 2.2.3).</summary>
    public const string ClaimType = "scope";

    /// <summary>The name that some issuers use, Microsoft Entra ID among them; its value may be a list.</summary>
    public const string ShortClaimType = "scp";

    /// <summary>All scopes that a challenge can repeat, each once.</summary>
    public static IEnumerable<string> All(ClaimsPrincipal user) =>
        user
            .Claims.Where(claim => claim.Type is ClaimType or ShortClaimType)
            .SelectMany(claim => claim.Value.Split(' '))
            .Where(OAuthScope.IsValid)
            .Distinct(StringComparer.Ordinal);

    public static bool Has(ClaimsPrincipal user, string scope)
    {
        foreach (var claim in user.Claims)
        {
            if (claim.Type is ClaimType or ShortClaimType && Contains(claim.Value, scope))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Contains(ReadOnlySpan<char> scopes, string scope)
    {
        foreach (var range in scopes.Split(' '))
        {
            if (scopes[range].SequenceEqual(scope))
            {
                return true;
            }
        }

        return false;
    }
}

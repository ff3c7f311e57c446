using System.Security.Claims;
using Tenancy.Configuration;

namespace Tenancy.Authentication;

/// <summary>A principal with an opaque token, and what a request's user has of it.</summary>
internal sealed class KnownPrincipal
{
    private readonly Claim[] _claims;

    private KnownPrincipal(TokenPrincipal principal, CallerIdentity caller, Claim[] claims) =>
        (Principal, Caller, _claims) = (principal, caller, claims);

    public TokenPrincipal Principal { get; }

    public CallerIdentity Caller { get; }

    /// <exception cref="FormatException">The principal's id cannot identify anybody.</exception>
    public static KnownPrincipal Of(TenantId tenant, TokenPrincipal principal)
    {
        var caller = CallerIdentity.FromPrincipal(principal.Id)
            ?? throw new FormatException(
                "A principal's id is empty, too long or has control characters: give each an id of 1 to 1,024 visible characters."
            );
        List<Claim> claims = [caller.ToClaim(tenant)];
        if (principal.Name is { } name)
        {
            claims.Add(new(ClaimTypes.Name, name));
        }

        if (principal.Scopes.Count > 0)
        {
            claims.Add(new(CallerScopes.ClaimType, string.Join(' ', principal.Scopes)));
        }

        return new(principal, caller, [.. claims]);
    }

    /// <summary>Makes a user for one request: what an application adds to it does not stay for the next.</summary>
    public ClaimsPrincipal ToUser() => new(new ClaimsIdentity(_claims, TenantSchemes.Bearer, ClaimTypes.Name, ClaimTypes.Role));
}

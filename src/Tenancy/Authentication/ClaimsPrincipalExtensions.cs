using System.Security.Claims;

namespace Tenancy.Authentication;

internal static class ClaimsPrincipalExtensions
{
    /// <summary>
    /// Makes a user for one request of one that is kept: what an application adds to it, or to an identity of it, does not stay for the
    /// next.
    /// </summary>
    /// <remarks><see cref="ClaimsPrincipal.Clone"/> gives the copy the same identities.</remarks>
    public static ClaimsPrincipal Copy(this ClaimsPrincipal principal) => new(principal.Identities.Select(identity => identity.Clone()));
}

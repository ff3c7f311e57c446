using Tenancy.Registry;

namespace Tenancy.Authentication;

/// <summary>
/// Checks the opaque bearer tokens (RFC 6750) of tenants whose authentication is <c>bearer</c>, in place of those that the admin API
/// issues.
/// </summary>
/// <remarks>
/// Replace it with <c>AddTokenValidator&lt;YourValidator&gt;()</c> on the builder. It is asked at each request; what it caches must be kept
/// by tenant. A token of one tenant must mean nobody at another.
/// </remarks>
public interface ITokenValidator
{
    /// <summary>Says whose a token is at a tenant.</summary>
    /// <param name="tenant">The tenant that is called.</param>
    /// <param name="token">The token, 16 KiB at most.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    /// <returns>The principal; null where the token is not valid at this tenant, for whatever reason.</returns>
    ValueTask<TokenPrincipal?> ValidateAsync(TenantModel tenant, string token, CancellationToken cancellationToken);
}

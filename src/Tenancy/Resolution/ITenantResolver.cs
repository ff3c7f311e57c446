using Microsoft.AspNetCore.Http;

namespace Tenancy.Resolution;

/// <summary>Says which tenant a request names.</summary>
/// <remarks>
/// Replace it with <c>AddTenantResolver&lt;YourResolver&gt;()</c> on the builder; to decorate, let the constructor take a
/// <see cref="TenantResolver"/>. The host is checked before, and the tenant's status and health after it, whoever resolves.
/// </remarks>
public interface ITenantResolver
{
    /// <summary>Reads the name of the tenant from a request; whether there is such a tenant is not its business.</summary>
    ValueTask<TenantResolution> ResolveAsync(HttpContext context);
}

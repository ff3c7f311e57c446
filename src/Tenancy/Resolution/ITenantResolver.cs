using Microsoft.AspNetCore.Http;

namespace Tenancy.Resolution;

/// <summary>Says which tenant a request names. Replace or decorate it with one registration.</summary>
public interface ITenantResolver
{
    /// <summary>Reads the name of the tenant from a request; whether there is such a tenant is not its business.</summary>
    ValueTask<TenantResolution> ResolveAsync(HttpContext context);
}

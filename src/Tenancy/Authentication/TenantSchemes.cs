using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>The authentication schemes of tenants. The default one forwards to that of the request's tenant.</summary>
internal static class TenantSchemes
{
    public const string Default = "Tenant";
    public const string Bearer = "TenantBearer";
    public const string Jwks = "TenantJwks";
    public const string None = "TenantNone";

    public static string Select(HttpContext context) =>
        context.Features.Get<ITenantFeature>()?.Tenant.Config.Authentication?.Kind switch
        {
            TenantAuthenticationKind.Bearer => Bearer,
            TenantAuthenticationKind.Jwks => Jwks,
            _ => None,
        };
}

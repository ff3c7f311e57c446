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
    public const string Scheme = "TenantScheme";
    public const string None = "TenantNone";

    /// <summary>The scheme of the admin API's keys, which is no tenant's.</summary>
    public const string Admin = "TenantAdmin";

    /// <summary>All of ours: none of them can be what a tenant forwards to.</summary>
    public static IReadOnlyList<string> All { get; } = [Default, Bearer, Jwks, Scheme, None, Admin];

    public static string Select(HttpContext context) =>
        context.Features.Get<ITenantFeature>()?.Tenant.Config.Authentication?.Kind switch
        {
            TenantAuthenticationKind.Bearer => Bearer,
            TenantAuthenticationKind.Jwks => Jwks,
            TenantAuthenticationKind.Scheme => Scheme,
            _ => None,
        };
}

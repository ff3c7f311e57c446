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

    /// <summary>All of them: none of them can be what a tenant forwards to.</summary>
    public static IReadOnlyList<string> All { get; } = [Default, Bearer, Jwks, Scheme, None];

    public static string Select(HttpContext context) =>
        context.Features.Get<ITenantFeature>()?.Tenant.Config.Authentication?.Kind switch
        {
            TenantAuthenticationKind.Bearer => Bearer,
            TenantAuthenticationKind.Jwks => Jwks,
            TenantAuthenticationKind.Scheme => Scheme,
            _ => None,
        };
}

using Tenancy.Authentication;

namespace Tenancy.Admin;

/// <summary>How ASP.NET Core's authentication and authorization know the admins of this server.</summary>
public static class TenantAdminDefaults
{
    /// <summary>
    /// The authentication scheme of the keys in <c>Tenancy:Admin:Keys</c>, which the header <c>X-Admin-API-Key</c> carries.
    /// </summary>
    public const string AuthenticationScheme = TenantSchemes.Admin;

    /// <summary>The authorization policy of the admin API: by default, a key.</summary>
    /// <remarks>
    /// Endpoints of an application's own ask for it with <c>RequireAuthorization(TenantAdminDefaults.Policy)</c>. An application that adds
    /// a policy of this name says itself who is an admin.
    /// </remarks>
    public const string Policy = "TenantAdmin";
}

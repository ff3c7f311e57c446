namespace Tenancy.Configuration;

/// <summary>The ways in which a request names its tenant.</summary>
[Flags]
public enum TenantIdentification
{
    /// <summary>No way: every request is for the default tenant.</summary>
    None = 0,

    /// <summary>The path: a tenant's URL that has one, else <c>/{tenant}/mcp</c>.</summary>
    Path = 1,

    /// <summary>The host: a tenant's URL, else a subdomain of <see cref="TenancyOptions.BaseDomain"/>.</summary>
    [AlsoRead("subdomain")]
    Host = 2,

    /// <summary>The header <c>X-Tenant-ID</c>.</summary>
    Header = 4,

    /// <summary>The bearer token: issuer and audience of a JSON Web Token, or the <c>{id}.</c> with which an opaque token begins.</summary>
    Token = 8,
}

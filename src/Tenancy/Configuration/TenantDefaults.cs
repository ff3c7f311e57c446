namespace Tenancy.Configuration;

/// <summary>What a tenant gets where its configuration leaves it out: <c>Tenancy:Defaults</c>.</summary>
public sealed class TenantDefaults
{
    /// <summary>Gets or sets the authentication.</summary>
    /// <value>Default: bearer.</value>
    public TenantAuthentication Authentication { get; set; } = new() { Kind = TenantAuthenticationKind.Bearer };

    /// <summary>Gets or sets the quotas.</summary>
    public TenantLimits Limits { get; set; } = new();

    /// <summary>Gets or sets the platform.</summary>
    /// <value>Default: the first that was added.</value>
    public string? Platform { get; set; }
}

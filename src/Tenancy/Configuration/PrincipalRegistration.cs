using System.ComponentModel.DataAnnotations;

namespace Tenancy.Configuration;

/// <summary>A principal to be created.</summary>
public sealed record PrincipalRegistration
{
    internal const int MaxScopes = 50;

    /// <summary>Gets the name that people see; it identifies nobody.</summary>
    [Length(1, 200)]
    public required string Name { get; init; }

    /// <summary>Gets the bearer token, which begins with the tenant's id and a dot. Default: a generated one.</summary>
    public string? Token { get; init; }

    /// <summary>Gets what the principal may do (RFC 6749, section 3.3). Default: nothing that asks for a scope.</summary>
    [MaxLength(MaxScopes)]
    public IReadOnlyList<string> Scopes
    {
        get;
        // Generated serializers pass null for what a JSON text leaves out.
        init => field = value?.ToArray() ?? [];
    } = [];

    /// <summary>Says who it is, and nothing that a log must not have.</summary>
    public override string ToString() => Name;
}

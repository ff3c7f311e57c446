namespace Tenancy.Authentication;

/// <summary>Who an opaque token belongs to.</summary>
/// <param name="Id">
/// What identifies the principal within its tenant: 1 to 1,024 characters that are never given to somebody else, so neither a name nor an
/// e-mail address.
/// </param>
public sealed record TokenPrincipal(string Id)
{
    /// <summary>Gets the name that people see; it identifies nobody.</summary>
    public string? Name { get; init; }

    /// <summary>Gets what the principal may do (RFC 6749, section 3.3). Default: nothing that asks for a scope.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];
}

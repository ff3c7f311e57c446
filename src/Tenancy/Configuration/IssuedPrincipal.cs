namespace Tenancy.Configuration;

/// <summary>A principal with a token that was just made.</summary>
/// <param name="Id">The principal's id, which stays when the token is another.</param>
/// <param name="Name">The name that people see; it identifies nobody.</param>
/// <param name="Token">The bearer token. Nothing can show it again.</param>
/// <param name="Scopes">What the principal may do (RFC 6749, section 3.3).</param>
public sealed record IssuedPrincipal(string Id, string Name, string Token, IReadOnlyList<string> Scopes)
{
    /// <summary>Says who it is, and nothing that a log must not have.</summary>
    public override string ToString() => $"{Id} ({Name})";
}

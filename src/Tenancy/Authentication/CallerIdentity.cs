using System.Security.Claims;
using Tenancy.Configuration;

namespace Tenancy.Authentication;

/// <summary>Who is calling one tenant: stable, and never made of anything that can be given to somebody else.</summary>
public sealed record CallerIdentity
{
    // OpenID Connect Core 1.0, section 2, allows a subject 255 characters; ids of clients may be URLs.
    private const int MaxIdLength = 1024;

    private CallerIdentity(string value) => Value = value;

    /// <summary>Gets the caller without credentials.</summary>
    public static CallerIdentity Anonymous { get; } = new("anonymous");

    /// <summary>Gets the server itself, at work for a tenant outside a tool call.</summary>
    public static CallerIdentity System { get; } = new("system");

    /// <summary>
    /// Gets the identity as text: <c>anonymous</c>, <c>system</c>, <c>principal:{id}</c>, <c>user:{issuer}|{sub}</c>,
    /// <c>client:{issuer}|{id}</c> for a token that a client got for itself, or <c>scheme:{scheme}|{id}</c>.
    /// </summary>
    public string Value { get; }

    /// <summary>Gets whether the caller showed no credentials.</summary>
    public bool IsAnonymous => ReferenceEquals(this, Anonymous);

    /// <inheritdoc/>
    public override string ToString() => Value;

    /// <summary>A principal with an opaque token. Null where the id is none.</summary>
    internal static CallerIdentity? FromPrincipal(string id) => IsId(id) ? new("principal:" + id) : null;

    /// <summary>A user of an issuer.</summary>
    internal static CallerIdentity FromUser(string issuer, string subject) => new($"user:{issuer}|{subject}");

    /// <summary>A client of an issuer that acts for itself. It is another caller than a user with the same id.</summary>
    internal static CallerIdentity FromClient(string issuer, string clientId) => new($"client:{issuer}|{clientId}");

    /// <summary>Who a scheme of the application's own says is calling. Null where it names nobody, or not one.</summary>
    internal static CallerIdentity? FromScheme(ClaimsPrincipal principal, string scheme, string idClaim) =>
        principal.FindAll(idClaim).ToArray() is [{ Value: var id }] && IsId(id) ? new($"scheme:{scheme}|{id}") : null;

    /// <summary>
    /// The claim that carries the identity. The MCP SDK binds sessions to this claim type, so that its own check knows the tenant too.
    /// </summary>
    internal Claim ToClaim(TenantId tenant) => new(ClaimTypes.NameIdentifier, $"{tenant.Value}|{Value}");

    /// <summary>Reads the identity that this tenant's authentication gave. A claim that was made for another tenant is ignored.</summary>
    internal static CallerIdentity Read(ClaimsPrincipal user, TenantId tenant)
    {
        var claim = user.Identity is { IsAuthenticated: true } ? user.FindFirst(ClaimTypes.NameIdentifier)?.Value : null;
        return
            claim is not null
            && claim.Length > tenant.Value.Length + 1
            && claim[tenant.Value.Length] == '|'
            && claim.StartsWith(tenant.Value, StringComparison.Ordinal)
            ? new(claim[(tenant.Value.Length + 1)..])
            : Anonymous;
    }

    /// <summary>Whether a text can be somebody's id.</summary>
    internal static bool IsId(string? id) =>
        id is { Length: > 0 and <= MaxIdLength } && !id.Any(char.IsControl) && !string.IsNullOrWhiteSpace(id);
}

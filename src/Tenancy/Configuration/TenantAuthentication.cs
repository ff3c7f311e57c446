using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Tenancy.Configuration;

/// <summary>
/// How callers of one tenant prove who they are. All but <see cref="Kind"/> and <see cref="Scheme"/> belongs to
/// <see cref="TenantAuthenticationKind.Jwks"/>, and is refused with another kind.
/// </summary>
[OnChange(ChangeEffects.Validation | ChangeEffects.EndOfStreams)]
public sealed record TenantAuthentication
{
    internal const int MaxItems = 50;

    /// <summary>Gets the kind of proof.</summary>
    public required TenantAuthenticationKind Kind { get; init; }

    /// <summary>
    /// Gets the scheme that proves who is calling, one that was added with <c>AddTenantScheme</c>; for the kind <c>scheme</c>.
    /// </summary>
    [OfKind(TenantAuthenticationKind.Scheme)]
    public string? Scheme { get; init; }

    /// <summary>
    /// Gets the issuer whose tokens are accepted: an absolute https URL, compared byte for byte with <c>iss</c> (RFC 8414, section 2).
    /// </summary>
    [OfKind(TenantAuthenticationKind.Jwks)]
    public string? Issuer { get; init; }

    /// <summary>Gets the audiences that a token may name beside the URLs of the tenant's own endpoints (RFC 8707, section 2).</summary>
    [OfKind(TenantAuthenticationKind.Jwks), MaxLength(MaxItems)]
    public IReadOnlyList<string> Audiences
    {
        get;
        // Generated serializers pass null for what a JSON text leaves out.
        init => field = value ?? [];
    } = [];

    /// <summary>Gets where the issuer's keys are (RFC 7517, section 5). Default: where its discovery document says.</summary>
    [OfKind(TenantAuthenticationKind.Jwks)]
    public string? JwksUri { get; init; }

    /// <summary>Gets the scopes that a client should ask for at first (RFC 6749, section 3.3).</summary>
    /// <remarks>
    /// A tool's scope that is not among them is asked for when the tool is called. Name those, too, where the identity provider registers a
    /// client for the scopes that it asked for at first, and refuses others later.
    /// </remarks>
    [OfKind(TenantAuthenticationKind.Jwks), MaxLength(MaxItems)]
    public IReadOnlyList<string> Scopes
    {
        get;
        init => field = value ?? [];
    } = [];

    /// <summary>
    /// Gets whether only tokens of the clients that the admin API lists for the tenant are accepted, instead of those of every client of
    /// the issuer.
    /// </summary>
    [OfKind(TenantAuthenticationKind.Jwks), OnChange(ChangeEffects.Stored)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool RequireClients { get; init; }

    /// <summary>
    /// Gets whether a client is asked for a token when it calls a tool that needs one, and may connect and list the tools without a scope
    /// before, instead of being asked at once, where it may only call what <c>Tenancy:AnonymousTools</c> names.
    /// </summary>
    [OfKind(TenantAuthenticationKind.Jwks), OnChange(ChangeEffects.Stored)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ChallengeAtCall { get; init; }

    /// <summary>Gets the id (<c>kid</c>) of the only key that is accepted. Default: every signing key that the issuer publishes.</summary>
    [OfKind(TenantAuthenticationKind.Jwks), Length(1, 1024)]
    public string? PinnedKeyId { get; init; }

    /// <summary>Gets the token endpoint that the issuer's discovery document must name. Default: any.</summary>
    [OfKind(TenantAuthenticationKind.Jwks)]
    public string? TokenUrl { get; init; }

    /// <summary>Gets the authorization endpoint that the issuer's discovery document must name. Default: any.</summary>
    [OfKind(TenantAuthenticationKind.Jwks)]
    public string? AuthorizationUrl { get; init; }

    /// <inheritdoc/>
    public bool Equals(TenantAuthentication? other) =>
        other is not null && !RecordFields.Compare(this, other, TenancyJson.Default.TenantAuthentication).Any();

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, Issuer);

    /// <summary>
    /// Whether two take the same proof, so that nothing is to be asked of the issuer; which clients may show it is another matter.
    /// </summary>
    internal bool HasSameProof(TenantAuthentication? other) =>
        other is not null
        && RecordFields
            .Compare(this, other, TenancyJson.Default.TenantAuthentication)
            .All(change => !change.Effects.HasFlag(ChangeEffects.Validation));
}

/// <summary>The kinds of proof that a tenant may ask of its callers.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TenantAuthenticationKind>))]
public enum TenantAuthenticationKind
{
    /// <summary>Opaque bearer tokens (RFC 6750) that the admin API issues for named principals.</summary>
    [JsonStringEnumMemberName("bearer")]
    Bearer,

    /// <summary>No proof: every caller is <c>anonymous</c>. For development, or a network that you trust.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>JSON Web Tokens (RFC 9068) of the tenant's own issuer, checked with the issuer's keys.</summary>
    [JsonStringEnumMemberName("jwks")]
    Jwks,

    /// <summary>An authentication handler of the application's own, such as one for client certificates.</summary>
    [JsonStringEnumMemberName("scheme")]
    Scheme,
}

/// <summary>Says to which kind of proof a field belongs: with another kind it is a mistake.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OfKindAttribute(TenantAuthenticationKind kind) : Attribute
{
    public TenantAuthenticationKind Kind { get; } = kind;
}

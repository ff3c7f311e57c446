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

    /// <summary>The type of the access tokens of RFC 9068, which say in their head what they are.</summary>
    internal const string AccessTokenType = "at+jwt";

    /// <summary>Gets the kind of proof.</summary>
    public required TenantAuthenticationKind Kind { get; init; }

    /// <summary>
    /// Gets the scheme that proves who is calling, one that was added with <c>AddTenantScheme</c>; for the kind <c>scheme</c>.
    /// </summary>
    [OfKind(TenantAuthenticationKind.Scheme)]
    public string? Scheme { get; init; }

    /// <summary>
    /// Gets the issuer whose tokens are accepted: an absolute https URL, compared byte for byte with <c>iss</c> (RFC 8414, section 2); with
    /// <c>jwksUri</c> any text that stands there, of the characters that a URL may have (RFC 3986, section 2).
    /// </summary>
    [OfKind(TenantAuthenticationKind.Jwks)]
    public string? Issuer { get; init; }

    /// <summary>Gets the audiences that a token may name beside the URLs of the tenant's own endpoints (RFC 8707, section 2).</summary>
    [OfKind(TenantAuthenticationKind.Jwks), MaxLength(MaxItems)]
    public IReadOnlyList<string> Audiences
    {
        get;
        // Generated serializers pass null for what a JSON text leaves out. A copy: very many tenants are kept, and nobody changes it.
        init => field = value?.ToArray() ?? [];
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
        init => field = value?.ToArray() ?? [];
    } = [];

    /// <summary>
    /// Gets whether only tokens of the clients that the admin API lists for the tenant are accepted, instead of those of every client of
    /// the issuer.
    /// </summary>
    [OfKind(TenantAuthenticationKind.Jwks), OnChange(ChangeEffects.Stored)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool RequireClients { get; init; }

    /// <summary>
    /// Gets the claim that says who a token's user is: one text that the issuer never gives to somebody else, such as <c>uid</c> of Okta or
    /// <c>oid</c> of Microsoft Entra ID.
    /// </summary>
    /// <value>Default: <c>sub</c>. Another claim makes other callers of the same users.</value>
    [OfKind(TenantAuthenticationKind.Jwks), Length(1, 200)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? SubjectClaim { get; init; }

    /// <summary>
    /// Gets the claim that says to which client a token was issued, such as <c>cid</c> of Okta or <c>appid</c> of Entra ID.
    /// </summary>
    /// <value>Default: <c>azp</c>, or <c>client_id</c> where a token has no <c>azp</c>.</value>
    [OfKind(TenantAuthenticationKind.Jwks), Length(1, 200)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? ClientClaim { get; init; }

    /// <summary>
    /// Gets whether a token is taken for its client's own where it has no subject, or its subject is the client's id, and nothing in it
    /// tells of a user.
    /// </summary>
    /// <remarks>
    /// Without it that takes a mark that the issuer sets: <c>gty</c> (<c>client-credentials</c>) or <c>idtyp</c> (<c>app</c>).
    /// </remarks>
    [OfKind(TenantAuthenticationKind.Jwks)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool UnmarkedClients { get; init; }

    /// <summary>
    /// Gets the only type (<c>typ</c> in the head) of tokens that are accepted: <c>at+jwt</c> for an issuer that follows RFC 9068.
    /// </summary>
    /// <value>
    /// Default: that, <c>JWT</c> and none. ID, refresh and logout tokens are refused in any case, as far as they can be told apart.
    /// </value>
    [OfKind(TenantAuthenticationKind.Jwks)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? TokenType { get; init; }

    /// <summary>
    /// Gets the claims whose values are scopes, too, beside those of <c>scope</c> and <c>scp</c>: <c>roles</c> of Entra ID, or
    /// <c>permissions</c> of Auth0.
    /// </summary>
    [OfKind(TenantAuthenticationKind.Jwks), MaxLength(MaxItems)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public IReadOnlyList<string> ScopeClaims
    {
        get;
        init => field = value?.ToArray() ?? [];
    } = [];

    /// <summary>
    /// Gets whether a listed client stands for the audience: a token of one is accepted where it names no audience, or only the client
    /// itself. For issuers that cannot put a URL there, such as Amazon Cognito, Clerk and OpenAuth.
    /// </summary>
    /// <remarks>
    /// It takes <c>requireClients</c>. A client of an issuer then belongs to one tenant: two that list the same one would take each
    /// other's tokens, so that the second is refused. For the same reason all such tenants of an issuer have the same <c>clientClaim</c>.
    /// </remarks>
    [OfKind(TenantAuthenticationKind.Jwks)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool AudienceFromClients { get; init; }

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

    /// <summary>Whether nothing is set but the kind.</summary>
    internal bool IsOnlyKind =>
        Scheme is null
        && Issuer is null
        && Audiences.Count == 0
        && JwksUri is null
        && Scopes.Count == 0
        && !RequireClients
        && SubjectClaim is null
        && ClientClaim is null
        && !UnmarkedClients
        && TokenType is null
        && ScopeClaims.Count == 0
        && !AudienceFromClients
        && !ChallengeAtCall
        && PinnedKeyId is null
        && TokenUrl is null
        && AuthorizationUrl is null;

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

using System.Collections.Frozen;
using System.Text.Json;
using Tenancy.Configuration;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// Tells access tokens from what else an issuer signs with the same keys, for the same audience (RFC 8725, sections 2.8 and 3.11): ID,
/// refresh and logout tokens. What it cannot tell it takes for an access token, because many of these say nothing of themselves.
/// </summary>
internal static class TokenKinds
{
    private const int MaxName = 100;
    private const string Advice = ": the client has to send the access token.";

    private static readonly FrozenSet<string> HeadTypes = Set("", "jwt", "at+jwt", "application/at+jwt");
    private static readonly FrozenSet<string> AccessTokenHeadTypes = Set("at+jwt", "application/at+jwt");

    // What issuers call access tokens in the claims that say what a token is. Anything else there is something else.
    private static readonly FrozenSet<string> AccessNames = Set(
        "access",
        "accesstoken",
        "at",
        "atjwt",
        "applicationatjwt",
        "bearer",
        "jwt"
    );

    // Other claims by such names may say other things, too. There only what is known not to be an access token is refused.
    private static readonly string[] OtherKindClaims =
    [
        "type",
        "token_type",
        "tokenType",
        "TokenType",
        "tokenUse",
        "tty",
        "token_kind",
        "drn",
    ];
    private static readonly FrozenSet<string> OtherNames = Set(
        "id",
        "idtoken",
        "refresh",
        "refreshtoken",
        "rt",
        // Descope's name of the place where its refresh tokens lie (drn).
        "dsr",
        "offline",
        "offlinetoken",
        "logout",
        "logouttoken"
    );

    // Hashes of what was issued beside an ID token (OpenID Connect Core 1.0, section 3.3.2.11), and what makes a token a report of events
    // (RFC 8417, section 2.2), such as a logout token. Spring's refresh tokens name the access token beside them (ati).
    private static readonly string[] ForeignClaims = ["at_hash", "c_hash", "s_hash", "events", "ati"];

    // Not roles or permissions, which issuers put into ID tokens, too.
    private static readonly string[] ScopeClaims = ["scope", "scp"];

    /// <summary>Why a token is no access token of the type that the tenant wants; null where it is one.</summary>
    public static TokenRefusal? Explain(SignedToken token, TenantAuthentication authentication) =>
        ExplainHead(token, authentication) ?? ExplainClaims(token) ?? ExplainBinding(token);

    /// <summary>Whether a token says of itself that it is an access token.</summary>
    public static bool SaysAccess(SignedToken token) =>
        AccessTokenHeadTypes.Contains(SignedToken.Text(token.Head, "typ")?.ToLowerInvariant() ?? "")
        || Letters(SignedToken.Text(token.Claims, "token_use")) == "access"
        || Letters(SignedToken.Text(token.Claims, "typ")) == "bearer"
        || Letters(SignedToken.Text(token.Claims, "tty")) == "at"
        // The grant that an access token was got by, and the mark that Microsoft Entra ID gives to access tokens alone.
        || SignedToken.Has(token.Claims, "gty")
        || SignedToken.Has(token.Claims, "idtyp")
        || SignedToken.Text(token.Claims, "mode") == "access"
        || SignedToken.Has(token.Claims, "scope")
        || SignedToken.Has(token.Claims, "scp");

    /// <summary>
    /// Why a token is taken for an ID token whose audience is its client alone (OpenID Connect Core 1.0, section 2); null where it says of
    /// itself that it is an access token.
    /// </summary>
    public static TokenRefusal? ExplainClientAsAudience(SignedToken token) =>
        SaysAccess(token)
            ? null
            : Refuse(
                "The token's audience is the client that it was issued to, as that of an ID token is, and nothing says that it is an "
                    + $"access token, such as a scope or the typ at+jwt{Advice}"
            );

    private static TokenRefusal? ExplainHead(SignedToken token, TenantAuthentication authentication)
    {
        if (token.Head.TryGetProperty("crit", out _))
        {
            return new(
                RefusalCause.Critical,
                "The token's head has crit: an extension that must be understood (RFC 7515, section 4.1.11). None is understood here."
            );
        }

        var isThere = SignedToken.Has(token.Head, "typ");
        var type = isThere ? SignedToken.Text(token.Head, "typ") : "";
        var wanted = authentication.TokenType is null ? HeadTypes : AccessTokenHeadTypes;
        return type is not null && wanted.Contains(type.ToLowerInvariant()) ? null
            : authentication.TokenType is not null
                ? Refuse(
                    $"The tenant's tokenType asks for tokens whose head has typ at+jwt (RFC 9068), and this one has "
                        + $"{(isThere ? TokenRefusal.Quote(type ?? "something else than a text") : "none")}."
                )
            : Refuse($"The token's typ is {TokenRefusal.Quote(type ?? "no text")}, so that it is no access token{Advice}");
    }

    private static TokenRefusal? ExplainClaims(SignedToken token)
    {
        foreach (var claim in (ReadOnlySpan<string>)["token_use", "typ"])
        {
            if (SignedToken.Has(token.Claims, claim) && !AccessNames.Contains(Letters(SignedToken.Text(token.Claims, claim))))
            {
                return Refuse($"The token's {claim} is {Show(token, claim)}, so that it is no access token{Advice}");
            }
        }

        foreach (var claim in OtherKindClaims)
        {
            if (OtherNames.Contains(Letters(SignedToken.Text(token.Claims, claim))))
            {
                return Refuse($"The token's {claim} is {Show(token, claim)}, so that it is no access token{Advice}");
            }
        }

        if (Array.Find(ForeignClaims, claim => SignedToken.Has(token.Claims, claim)) is { } foreign)
        {
            var kind = foreign switch
            {
                "events" => "an event or logout",
                "ati" => "a refresh",
                _ => "an ID",
            };
            return Refuse($"The token has {foreign}, as {kind} token has{Advice}");
        }

        // Some issuers say in an access token, too, by what grant it was renewed.
        if (Letters(SignedToken.Text(token.Claims, "grant_type")) == "refreshtoken" && !SaysAccess(token))
        {
            return Refuse($"The token's grant_type is {Show(token, "grant_type")}, and nothing says that it is an access token{Advice}");
        }

        // A nonce is what a client asked for an ID token with. Some issuers repeat it in access tokens, which have scopes besides.
        return
            SignedToken.Has(token.Claims, "nonce")
            && !AccessTokenHeadTypes.Contains(SignedToken.Text(token.Head, "typ")?.ToLowerInvariant() ?? "")
            && !Array.Exists(ScopeClaims, claim => SignedToken.Has(token.Claims, claim))
            ? Refuse($"The token has a nonce and no scope, as an ID token has{Advice}")
            : null;
    }

    // Whoever has stolen such a token must not be able to use it without the key (RFC 7800; RFC 8705, section 3; RFC 9449, section 6).
    private static TokenRefusal? ExplainBinding(SignedToken token) =>
        token.Claims.TryGetProperty("cnf", out _)
            ? new(
                RefusalCause.Bound,
                "The token is bound to a key of its client (cnf: DPoP or mutual TLS), which cannot be checked here. Have the issuer give "
                    + "bearer tokens for this audience."
            )
            : null;

    private static TokenRefusal Refuse(string reason) => new(RefusalCause.TokenType, reason);

    private static string Show(SignedToken token, string claim) =>
        SignedToken.Text(token.Claims, claim) is { } text ? TokenRefusal.Quote(text)
        : token.Claims.GetProperty(claim).ValueKind == JsonValueKind.Array ? "a list"
        : "no text";

    // Issuers write the same name in many ways: ID, id_token, id-token, idToken; of a URN, as RFC 8693, section 3, has them, the last part
    // counts.
    private static string Letters(string? text) =>
        text is { Length: <= MaxName } ? string.Concat(text[(text.LastIndexOf(':') + 1)..].Where(char.IsLetter)).ToLowerInvariant() : "?";

    private static FrozenSet<string> Set(params string[] names) => names.ToFrozenSet(StringComparer.Ordinal);
}

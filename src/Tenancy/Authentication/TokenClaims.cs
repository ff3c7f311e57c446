using System.Collections.Frozen;
using System.Text.Json;
using Tenancy.Configuration;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>What a token says of who is calling, as its tenant reads it. Only what is known for certain makes a caller.</summary>
internal static class TokenClaims
{
    private const string Subject = "sub";

    // What an issuer puts into the tokens of users alone, beside what tells of a person, by the letters of its name. A token with one of
    // these is no client's own, whatever else it lacks.
    private static readonly FrozenSet<string> SignsOfUser = FrozenSet.Create(
        StringComparer.Ordinal,
        "sid",
        "sessionid",
        "sessionstate",
        "authtime",
        "amr",
        "nonce",
        "act",
        "uid",
        "userid",
        "subid"
    );

    // Microsoft Entra ID has one for clients, too, which it marks.
    private const string ObjectId = "oid";

    // What issuers name the client by: OpenID Connect Core 1.0, section 2; RFC 9068, section 2.2; Okta; Microsoft Entra ID.
    private static readonly string[] ClientClaims = ["azp", "client_id", "cid", "appid"];

    /// <summary>
    /// The client that a token was issued to (OpenID Connect Core 1.0, section 2; RFC 9068, section 2.2). Null where it names none, or not
    /// one.
    /// </summary>
    public static string? FindClient(SignedToken token, TenantAuthentication authentication) =>
        SignedToken.Text(token.Claims, ClientClaim(token, authentication)) is { } id && CallerIdentity.IsId(id) ? id : null;

    /// <summary>
    /// All claims that a token names a client by, whichever of them the tenant looks at. Only a token that has none may name its client as
    /// the audience: else one client would be taken for another.
    /// </summary>
    public static IEnumerable<string> ClientClaimsOf(SignedToken token, TenantAuthentication authentication) =>
        ClientClaims
            .Append(authentication.ClientClaim ?? ClientClaims[0])
            .Distinct(StringComparer.Ordinal)
            .Where(claim => SignedToken.Has(token.Claims, claim));

    /// <summary>The claim that the tenant looks at for the client of a token.</summary>
    public static string ClientClaim(SignedToken token, TenantAuthentication authentication) =>
        authentication.ClientClaim ?? (SignedToken.Has(token.Claims, "azp") ? "azp" : "client_id");

    /// <summary>
    /// Who a token is for: its user, or its client where it is known for certain that the client got the token for itself. A user's token
    /// never becomes its client's, because then all users of the client would be one caller.
    /// </summary>
    public static CallerIdentity? FindCaller(
        SignedToken token,
        TenantAuthentication authentication,
        string? client,
        out TokenRefusal? refusal
    )
    {
        var (issuer, claim) = (authentication.Issuer!, authentication.SubjectClaim ?? Subject);
        refusal = ExplainSubject(token, Subject) ?? ExplainSubject(token, claim);
        if (refusal is not null)
        {
            return null;
        }

        var isClients = IsClientsOwn(token, authentication);
        if (SignedToken.Text(token.Claims, claim) is { Length: > 0 } subject)
        {
            return isClients && subject == client && (IsMarked(token) || !NamesAnother(token, client))
                ? CallerIdentity.FromClient(issuer, subject)
                : CallerIdentity.FromUser(issuer, subject);
        }

        if (client is null || !isClients || (!IsMarked(token) && NamesAnother(token, client)))
        {
            refusal = new(RefusalCause.Subject, ExplainMissing(token, authentication, claim, client));
            return null;
        }

        return CallerIdentity.FromClient(issuer, client);
    }

    // A number is not taken either, although it has a text: readers of JSON round long ones, so that two users would become one.
    private static TokenRefusal? ExplainSubject(SignedToken token, string claim)
    {
        if (!SignedToken.Has(token.Claims, claim))
        {
            return null;
        }

        var value = token.Claims.GetProperty(claim);
        return value.ValueKind != JsonValueKind.String
                ? new(
                    RefusalCause.Subject,
                    $"The token's {claim} is {Describe(value.ValueKind)}, and who is calling must be a JSON string."
                )
            : value.GetString() is { Length: > 0 } subject && !CallerIdentity.IsId(subject)
                ? new(
                    RefusalCause.Subject,
                    $"The token's {claim} cannot be an id: it is blank, longer than 1024 characters, or has a control character."
                )
            : null;
    }

    private static string Describe(JsonValueKind kind) =>
        kind switch
        {
            JsonValueKind.Number => "a number",
            JsonValueKind.Array => "a list",
            JsonValueKind.Object => "an object",
            _ => "true or false",
        };

    /// <summary>Whether a client got the token for itself.</summary>
    private static bool IsClientsOwn(SignedToken token, TenantAuthentication authentication) =>
        (IsMarked(token) || (authentication.UnmarkedClients && !HasOtherMark(token))) && FindSignOfUser(token) is null;

    private static string? FindSignOfUser(SignedToken token) =>
        token.Claims.EnumerateObject().FirstOrDefault(claim => claim.Value.ValueKind != JsonValueKind.Null && IsSignOfUser(claim.Name))
            is { Value.ValueKind: not JsonValueKind.Undefined } sign
            ? sign.Name
        : IsMarked(token) ? null
        : SignedToken.Has(token.Claims, ObjectId) ? ObjectId
        : IsOpenId(token) ? "scope openid"
        : null;

    private static bool IsSignOfUser(string claim) =>
        SignsOfUser.Contains(ReassignableClaims.Letters(claim)) || ReassignableClaims.TellsOfPerson(claim);

    // gty is Auth0's and FusionAuth's, which has a list; idtyp is that of Microsoft Entra ID. One that says something else outweighs the
    // other.
    private static bool IsMarked(SignedToken token) =>
        !HasOtherMark(token) && (SignedToken.Has(token.Claims, "gty") || SignedToken.Has(token.Claims, "idtyp"));

    // The scope by which a user signs in (OpenID Connect Core 1.0, section 3.1.2.1). Some issuers put nothing else of the user there.
    private static bool IsOpenId(SignedToken token) =>
        new[] { CallerScopes.ClaimType, CallerScopes.ShortClaimType }.Any(claim =>
            token.Claims.TryGetProperty(claim, out var value)
            && (value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Any(NamesOpenId) : NamesOpenId(value))
        );

    private static bool NamesOpenId(JsonElement scopes) => IsText(scopes) && scopes.GetString()!.Split(' ').Contains("openid");

    private static bool HasOtherMark(SignedToken token) =>
        (SignedToken.Has(token.Claims, "gty") && !IsClientCredentials(token.Claims.GetProperty("gty")))
        || (SignedToken.Has(token.Claims, "idtyp") && SignedToken.Text(token.Claims, "idtyp") != "app");

    private static bool IsClientCredentials(JsonElement grant) =>
        grant.ValueKind switch
        {
            JsonValueKind.String => grant.GetString() is "client-credentials" or "client_credentials",
            JsonValueKind.Array => grant.GetArrayLength() > 0 && grant.EnumerateArray().All(one => IsText(one) && IsClientCredentials(one)),
            _ => false,
        };

    private static bool IsText(JsonElement element) => element.ValueKind == JsonValueKind.String;

    // Where the tenant knows users by another claim, a token without that still has a subject: unless it is the client's id, it is a
    // user's.
    private static bool NamesAnother(SignedToken token, string client) =>
        SignedToken.Text(token.Claims, Subject) is { Length: > 0 } subject && subject != client;

    private static string ExplainMissing(SignedToken token, TenantAuthentication authentication, string claim, string? client)
    {
        if (client is null)
        {
            return $"The token has no {claim}, and names no client in {ClientClaim(token, authentication)} either.";
        }

        return FindSignOfUser(token) is { } sign
                ? $"The token has no {claim}, and its {TokenRefusal.Quote(sign)} tells that it is a user's. Have the issuer put the user's "
                    + "lasting id there: at Keycloak by the client scope 'basic'."
            : HasOtherMark(token)
                ? $"The token has no {claim}, and its gty or idtyp says that it is not its client's own. Have the issuer put the user's "
                    + "lasting id there."
            : authentication.UnmarkedClients
                ? $"The token has no {claim}, and its {Subject} is somebody else than its client. Have the issuer put the user's lasting "
                    + "id there."
            : $"The token has no {claim}, and nothing marks it as its client's own (gty or idtyp). Have the issuer put the user's lasting "
                + "id there; if all such tokens are clients' own, set unmarkedClients.";
    }
}

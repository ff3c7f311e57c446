using System.Globalization;
using System.Text.Json.Serialization;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// Why a token was refused, for whoever administers its tenant. The caller never reads it. It carries nothing that could be used as a
/// token: of what the token says, only names such as its issuer and its audiences.
/// </summary>
/// <param name="Cause">The kind of reason.</param>
/// <param name="Reason">The reason in words, with what is to be done.</param>
internal sealed record TokenRefusal(RefusalCause Cause, string Reason)
{
    /// <summary>There are credentials, and no bearer token.</summary>
    public static TokenRefusal NoBearer { get; } =
        new(
            RefusalCause.Malformed,
            "The request has an Authorization header that is not one bearer token (RFC 6750, section 2.1): 'Authorization: Bearer eyJ...'."
        );

    /// <summary>Nothing can be said of a token without its issuer's keys.</summary>
    public static TokenRefusal WithoutKeys(IssuerUnavailableException exception) =>
        new(RefusalCause.KeysUnavailable, $"The issuer's keys are not to be had, so that callers get 503: {exception.Message}.");

    /// <summary>A text is no token that can be read.</summary>
    public static TokenRefusal Of(TokenFlaw flaw, string text) =>
        flaw switch
        {
            TokenFlaw.TooLong => new(
                RefusalCause.Malformed,
                $"The token has {text.Length} characters, and {BearerToken.MaxLength} are the most."
            ),
            TokenFlaw.Encrypted => new(
                RefusalCause.Encrypted,
                "The token is encrypted (JWE), so that only who has the key can read it. Have the issuer sign access tokens without "
                    + "encrypting them."
            ),
            TokenFlaw.Opaque => new(
                RefusalCause.Opaque,
                "The token is opaque: no JSON Web Token, which has three parts with dots between them. Have the issuer give JWT access "
                    + "tokens (RFC 9068); many do so only where the client asks for an audience or a resource."
            ),
            _ => new(
                RefusalCause.Malformed,
                "The token has three parts like a JSON Web Token, but they are not what RFC 7515 asks for: base64url of JSON objects in "
                    + "which no member stands twice."
            ),
        };

    private const int MaxQuoted = 120;
    private const int MaxListed = 5;

    /// <summary>
    /// A text that came from outside, so that it can stand in a line of a log: short, and without what breaks a line or turns it around.
    /// </summary>
    public static string Quote(string text)
    {
        var shown = string.Concat(text.Take(MaxQuoted).Select(c => IsShown(c) ? c : ' '));
        return text.Length <= MaxQuoted ? $"'{shown}'" : $"'{shown}...'";
    }

    /// <summary>Several of them.</summary>
    public static string Quote(IReadOnlyCollection<string> texts) =>
        texts.Count == 0
            ? "none"
            : string.Join(", ", texts.Take(MaxListed).Select(Quote))
                + (texts.Count > MaxListed ? $" and {texts.Count - MaxListed} more" : "");

    private static bool IsShown(char c) =>
        char.GetUnicodeCategory(c)
            is not (
                UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.Surrogate
                or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
            );

    /// <summary>Whether two texts differ by a slash at the end alone, which is the commonest slip.</summary>
    public static bool DifferBySlash(string left, string right) => left != right && left.TrimEnd('/') == right.TrimEnd('/');
}

/// <summary>The kinds of reasons for which a token is refused.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RefusalCause>))]
internal enum RefusalCause
{
    /// <summary>It is no JSON Web Token.</summary>
    [JsonStringEnumMemberName("opaque")]
    Opaque,

    /// <summary>It is encrypted.</summary>
    [JsonStringEnumMemberName("encrypted")]
    Encrypted,

    /// <summary>It cannot be read.</summary>
    [JsonStringEnumMemberName("malformed")]
    Malformed,

    /// <summary>It is another issuer's.</summary>
    [JsonStringEnumMemberName("issuer")]
    Issuer,

    /// <summary>It is no access token.</summary>
    [JsonStringEnumMemberName("tokenType")]
    TokenType,

    /// <summary>It is bound to a key that its sender has to show.</summary>
    [JsonStringEnumMemberName("bound")]
    Bound,

    /// <summary>It has an extension that must be understood, and is not.</summary>
    [JsonStringEnumMemberName("critical")]
    Critical,

    /// <summary>It is for somebody else.</summary>
    [JsonStringEnumMemberName("audience")]
    Audience,

    /// <summary>Its time is over.</summary>
    [JsonStringEnumMemberName("expired")]
    Expired,

    /// <summary>Its time has not come, or it has none.</summary>
    [JsonStringEnumMemberName("lifetime")]
    Lifetime,

    /// <summary>It is signed in a way that is not accepted.</summary>
    [JsonStringEnumMemberName("algorithm")]
    Algorithm,

    /// <summary>The issuer has no key that it could be signed with.</summary>
    [JsonStringEnumMemberName("key")]
    Key,

    /// <summary>None of the issuer's keys has signed it.</summary>
    [JsonStringEnumMemberName("signature")]
    Signature,

    /// <summary>It does not say who is calling.</summary>
    [JsonStringEnumMemberName("subject")]
    Subject,

    /// <summary>Its client is not listed.</summary>
    [JsonStringEnumMemberName("client")]
    Client,

    /// <summary>The issuer's keys are not to be had; callers are answered 503.</summary>
    [JsonStringEnumMemberName("keysUnavailable")]
    KeysUnavailable,

    /// <summary>No principal of the tenant has it.</summary>
    [JsonStringEnumMemberName("principal")]
    Principal,

    /// <summary>The application's scheme did not accept what was shown, or does not say whose it is.</summary>
    [JsonStringEnumMemberName("credentials")]
    Credentials,
}

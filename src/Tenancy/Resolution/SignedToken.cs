using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Claims;
using System.Text;
using System.Text.Json;

namespace Tenancy.Resolution;

/// <summary>
/// A JSON Web Token as it was sent (RFC 7519; RFC 7515, section 7.1), before anybody has checked it. It is read strictly: what two readers
/// could take for two things, such as a claim that stands twice, makes it unreadable.
/// </summary>
internal sealed class SignedToken
{
    private const int PartsOfEncrypted = 5;

    // As the claims of IdentityModel's tokens say it, which handlers may know.
    private const string JsonValueType = "JSON";

    private static readonly SearchValues<char> Base64UrlCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    );

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 32 };
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _text;
    private readonly int _signedLength;

    private SignedToken(string text, int signedLength, JsonElement head, JsonElement claims, byte[] signature) =>
        (_text, _signedLength, Head, Claims, Signature) = (text, signedLength, head, claims, signature);

    public JsonElement Head { get; }

    public JsonElement Claims { get; }

    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>The bytes that are signed.</summary>
    public byte[] Signed => Encoding.ASCII.GetBytes(_text, 0, _signedLength);

    /// <summary>Reads a token.</summary>
    /// <param name="text">What was sent.</param>
    /// <param name="token">The token.</param>
    /// <param name="flaw">Why it is none.</param>
    public static bool TryRead(string text, [NotNullWhen(true)] out SignedToken? token, out TokenFlaw flaw)
    {
        token = null;
        if (text.Length > BearerToken.MaxLength)
        {
            flaw = TokenFlaw.TooLong;
            return false;
        }

        Span<Range> parts = stackalloc Range[PartsOfEncrypted + 1];
        var count = text.AsSpan().Split(parts, '.');
        if (count != 3)
        {
            flaw = count == PartsOfEncrypted ? TokenFlaw.Encrypted : TokenFlaw.Opaque;
            return false;
        }

        if (
            !TryDecode(text, parts[0], out var head)
            || !TryDecode(text, parts[1], out var claims)
            || !TryDecode(text, parts[2], out var signature)
            || !TryParse(head, out var headObject)
            || !TryParse(claims, out var claimsObject)
        )
        {
            flaw = TokenFlaw.Malformed;
            return false;
        }

        flaw = TokenFlaw.None;
        token = new(text, parts[1].End.Value, headObject, claimsObject, signature);
        return true;
    }

    /// <summary>A member that is a text; null where it is none.</summary>
    public static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Whether a member is there, and not null.</summary>
    public static bool Has(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>Whom it is for (RFC 7519, section 4.1.3); null where that is neither a text nor a list of texts.</summary>
    public IReadOnlyList<string>? Audiences
    {
        get
        {
            if (!Has(Claims, "aud"))
            {
                return [];
            }

            var audience = Claims.GetProperty("aud");
            return audience.ValueKind switch
            {
                JsonValueKind.String => [audience.GetString()!],
                JsonValueKind.Array when audience.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String) =>
                [
                    .. audience.EnumerateArray().Select(one => one.GetString()!),
                ],
                _ => null,
            };
        }
    }

    /// <summary>A time (RFC 7519, section 2, NumericDate); null where the claim is no number.</summary>
    public DateTimeOffset? Time(string name)
    {
        if (!Claims.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds))
        {
            return null;
        }

        return seconds >= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.MaxValue
            : seconds <= 0 ? DateTimeOffset.UnixEpoch
            : DateTimeOffset.UnixEpoch + TimeSpan.FromSeconds(seconds);
    }

    /// <summary>The claims as handlers read them: one for each value of a list, and none for null.</summary>
    public IEnumerable<Claim> ToClaims(string issuer) =>
        Claims
            .EnumerateObject()
            .SelectMany(claim =>
                claim.Value.ValueKind == JsonValueKind.Array
                    ? claim.Value.EnumerateArray().Select(value => (claim.Name, Value: value))
                    : [(claim.Name, claim.Value)]
            )
            .Where(claim => claim.Value.ValueKind != JsonValueKind.Null)
            .Select(claim => ToClaim(claim.Name, claim.Value, issuer));

    private static Claim ToClaim(string type, JsonElement value, string issuer) =>
        value.ValueKind switch
        {
            JsonValueKind.String => new(type, value.GetString()!, ClaimValueTypes.String, issuer),
            JsonValueKind.True or JsonValueKind.False => new(type, value.GetRawText(), ClaimValueTypes.Boolean, issuer),
            JsonValueKind.Number => new(
                type,
                value.GetRawText(),
                value.TryGetInt64(out _) ? ClaimValueTypes.Integer64 : ClaimValueTypes.Double,
                issuer
            ),
            _ => new(type, value.GetRawText(), JsonValueType, issuer),
        };

    private static bool TryDecode(string text, Range part, out byte[] bytes)
    {
        var characters = text.AsSpan(part);
        bytes = [];
        if (characters.ContainsAnyExcept(Base64UrlCharacters) || !Base64Url.IsValid(characters))
        {
            return false;
        }

        try
        {
            bytes = Base64Url.DecodeFromChars(characters);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    // The JSON reader looks at the encoding of a text only where somebody asks for the text. A byte that is no UTF-8, or half of a
    // surrogate pair, would be replaced elsewhere by a character that stands for all of them, so that two users could become one.
    private static bool TryParse(byte[] json, out JsonElement element)
    {
        element = default;
        try
        {
            Utf8.GetCharCount(json);
            element = JsonElement.Parse(json, Strict);
            return element.ValueKind == JsonValueKind.Object && IsWhole(element);
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidOperationException)
        {
            // The last is what half of a surrogate pair in a member's name makes of the search for those that stand twice.
            return false;
        }
    }

    private static bool IsWhole(JsonElement element)
    {
        try
        {
            return element.ValueKind switch
            {
                JsonValueKind.Object => element.EnumerateObject().All(member => member.Name is not null && IsWhole(member.Value)),
                JsonValueKind.Array => element.EnumerateArray().All(IsWhole),
                JsonValueKind.String => element.GetString() is not null,
                _ => true,
            };
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}

/// <summary>Why a text is no token that can be read.</summary>
internal enum TokenFlaw
{
    /// <summary>It is one.</summary>
    None,

    /// <summary>It is longer than any that is looked at.</summary>
    TooLong,

    /// <summary>It is no JSON Web Token.</summary>
    Opaque,

    /// <summary>It is encrypted.</summary>
    Encrypted,

    /// <summary>It looks like one, and is not what the standards ask for.</summary>
    Malformed,
}

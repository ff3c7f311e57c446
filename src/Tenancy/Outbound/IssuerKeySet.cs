using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Tenancy.Outbound;

/// <summary>
/// The keys with which an issuer's signatures can be checked, read from what it publishes (RFC 7517). A key that is odd, or for something
/// else, is left out and spoils no other. What is beside a key's numbers, such as a certificate (<c>x5c</c>), decides nothing.
/// </summary>
internal sealed class IssuerKeySet
{
    /// <summary>The most keys that can be used. Of a set with more, one more is read, which shows that it has.</summary>
    public const int MaxKeys = 64;

    private const int MaxReasons = 8;
    private const int MinimumRsaBits = 2048;

    // Beyond that one check costs more than a flood of tokens should be able to ask for.
    private const int MaximumRsaBits = 16384;
    private const int MaximumExponentBytes = 8;

    // As deep as a document that is fetched can be: one odd member spoils no other.
    internal static readonly JsonDocumentOptions Lenient = new() { MaxDepth = 1 << 20 };

    private IssuerKeySet(IReadOnlyList<SigningKey> keys, IReadOnlyList<string> leftOut) => (Keys, LeftOut) = (keys, leftOut);

    /// <summary>The keys that can be used.</summary>
    public IReadOnlyList<SigningKey> Keys { get; }

    /// <summary>Why the others cannot, each reason once, and a few of them.</summary>
    public IReadOnlyList<string> LeftOut { get; }

    /// <summary>What can be used, in words.</summary>
    public static string Usable => $"RSA of at least {MinimumRsaBits} bits, EC (P-256, P-384, P-521) or Ed25519";

    /// <summary>Reads a set.</summary>
    /// <exception cref="JsonException">The text is no set of keys.</exception>
    public static IssuerKeySet Read(string json)
    {
        var set = JsonElement.Parse(json, Lenient);
        if (set.ValueKind != JsonValueKind.Object || !set.TryGetProperty("keys", out var all) || all.ValueKind != JsonValueKind.Array)
        {
            throw new JsonException();
        }

        List<SigningKey> keys = [];
        HashSet<string> leftOut = [];
        foreach (var key in all.EnumerateArray())
        {
            // To make a key costs more than to read it, and a document has room for thousands.
            if (keys.Count > MaxKeys)
            {
                break;
            }

            if (Read(key, out var why) is { } usable)
            {
                keys.Add(usable);
            }
            else if (leftOut.Count < MaxReasons)
            {
                leftOut.Add(why);
            }
        }

        return new(keys, [.. leftOut]);
    }

    /// <summary>The keys that a token may be signed with, whose id this is; null where it names none.</summary>
    /// <remarks>A key without an id may be any. One id may be that of several keys of different kinds (RFC 7517, section 4.5).</remarks>
    public IEnumerable<SigningKey> Find(string? id, SignatureAlgorithm algorithm) =>
        Keys.Where(key => (id is null || key.Id is null || key.Id == id) && key.Fits(algorithm));

    /// <summary>The same set with one key id alone.</summary>
    public IssuerKeySet Pin(string id) => new([.. Keys.Where(key => key.Id == id)], LeftOut);

    private static SigningKey? Read(JsonElement key, out string why)
    {
        try
        {
            return TryRead(key, out why);
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException or InvalidOperationException)
        {
            why = "one whose numbers are no key";
            return null;
        }
    }

    private static SigningKey? TryRead(JsonElement key, out string why)
    {
        if (key.ValueKind != JsonValueKind.Object || Text(key, "kty") is not { } type)
        {
            why = "one without a type (kty)";
            return null;
        }

        if (ExplainUse(key, type) is { } reason)
        {
            why = reason;
            return null;
        }

        // An id that is no text is none: no token can name it.
        var (id, algorithm) = (Text(key, "kid"), Text(key, "alg") is { Length: > 0 } named ? named : null);
        switch (type)
        {
            case "RSA":
                return ReadRsa(key, id, algorithm, out why);
            case "EC" when Curve(Text(key, "crv")) is var (parameters, size):
                why = "";
                return SigningKey.Ec(Text(key, "crv")!, parameters, Bytes(key, "x", size), Bytes(key, "y", size), id, algorithm);
            case "OKP" when Text(key, "crv") == "Ed25519":
                why = "one whose numbers are no key";
                return SigningKey.Ed25519(Bytes(key, "x"), id, algorithm);
            case "EC" or "OKP":
                why =
                    Text(key, "crv") is not { } curve ? "one that names no curve (crv)"
                    : IsPlain(curve) ? $"one of the curve {curve}"
                    : "one of a curve with an odd name";
                return null;
            default:
                why = IsPlain(type) ? $"one of the type {type}" : "one of a type with an odd name";
                return null;
        }
    }

    /// <summary>Why a key is none for signatures that others can check; null where it is one.</summary>
    private static string? ExplainUse(JsonElement key, string type)
    {
        if (type == "oct")
        {
            return "a secret that is shared (oct)";
        }

        // Whoever has read the private half can sign, too.
        if (Has(key, "d") && Text(key, "d") != "")
        {
            return "one whose private half is published";
        }

        if (Has(key, "use") && Text(key, "use") is not ("sig" or ""))
        {
            return "one that is not for signatures (use)";
        }

        if (Has(key, "key_ops") && !CanVerify(key.GetProperty("key_ops")))
        {
            return "one that is not for checking signatures (key_ops)";
        }

        return !Has(key, "alg") ? null
            : Text(key, "alg") is not { } algorithm ? "one whose algorithm (alg) is no text"
            : algorithm.Length == 0 || SignatureAlgorithm.Find(algorithm)?.KeyType == type ? ExplainCurve(algorithm, Text(key, "crv"))
            : IsPlain(algorithm) ? $"one for the algorithm {algorithm}"
            : "one for an algorithm with an odd name";
    }

    // A curve of NIST's has one algorithm: by another one the key could check nothing.
    private static string? ExplainCurve(string algorithm, string? curve) =>
        Curve(curve) is not null && SignatureAlgorithm.Find(algorithm) is { KeyType: "EC" } found && found.Curve != curve
            ? $"one of the curve {curve} for the algorithm {algorithm}"
            : null;

    private static SigningKey? ReadRsa(JsonElement key, string? id, string? algorithm, out string why)
    {
        var modulus = Bytes(key, "n").AsSpan().TrimStart((byte)0).ToArray();
        var exponent = Bytes(key, "e").AsSpan().TrimStart((byte)0).ToArray();
        var bits = modulus.Length == 0 ? 0 : (modulus.Length * 8) - byte.LeadingZeroCount(modulus[0]);
        if (bits is < MinimumRsaBits or > MaximumRsaBits)
        {
            why = $"RSA of {bits} bits";
            return null;
        }

        // With an exponent of 1 a signature is what is signed, so that anybody could make one.
        if (exponent.Length is 0 or > MaximumExponentBytes || exponent is [1] || exponent[^1] % 2 == 0)
        {
            why = "RSA with an exponent that is none";
            return null;
        }

        why = "";
        return SigningKey.Rsa(modulus, exponent, id, algorithm);
    }

    private static (ECCurve Parameters, int Size)? Curve(string? name) =>
        name switch
        {
            "P-256" => (ECCurve.NamedCurves.nistP256, 32),
            "P-384" => (ECCurve.NamedCurves.nistP384, 48),
            "P-521" => (ECCurve.NamedCurves.nistP521, 66),
            _ => null,
        };

    private static bool CanVerify(JsonElement operations) =>
        operations.ValueKind == JsonValueKind.Array
        && (
            operations.GetArrayLength() == 0
            || operations.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.ValueEquals("verify"))
        );

    private static bool Has(JsonElement key, string name) =>
        key.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    private static string? Text(JsonElement key, string name) =>
        key.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[] Bytes(JsonElement key, string name) => Base64Url.DecodeFromChars(Text(key, name) ?? throw new FormatException());

    // Some issuers leave out zeros at the beginning, which RFC 7518, section 6.2.1.2, wants, and some have one too many.
    private static byte[] Bytes(JsonElement key, string name, int size)
    {
        var bytes = Bytes(key, name).AsSpan().TrimStart((byte)0).ToArray();
        return bytes.Length >= size ? bytes : [.. new byte[size - bytes.Length], .. bytes];
    }

    // What an issuer wrote, for an admin's eyes: short, and without what could be anything else than a name.
    private static bool IsPlain(string name) =>
        name.Length is > 0 and <= 20 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '+' or '_');
}

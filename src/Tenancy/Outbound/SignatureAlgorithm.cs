using System.Security.Cryptography;

namespace Tenancy.Outbound;

/// <summary>A way to sign tokens that is accepted (RFC 7518, section 3.1; RFC 8037), and the kind of key that it takes.</summary>
/// <remarks>None is symmetric: whoever can check such a signature can also make it (RFC 8725, sections 2.1 and 3.1).</remarks>
internal sealed record SignatureAlgorithm(string Name, string KeyType)
{
    private static readonly SignatureAlgorithm[] All =
    [
        Rsa("RS256", HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        Rsa("RS384", HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1),
        Rsa("RS512", HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1),
        Rsa("PS256", HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
        Rsa("PS384", HashAlgorithmName.SHA384, RSASignaturePadding.Pss),
        Rsa("PS512", HashAlgorithmName.SHA512, RSASignaturePadding.Pss),
        Ec("ES256", HashAlgorithmName.SHA256, "P-256"),
        Ec("ES384", HashAlgorithmName.SHA384, "P-384"),
        Ec("ES512", HashAlgorithmName.SHA512, "P-521"),
        // One algorithm with two names: the older one leaves the curve to the key, the newer one says it (RFC 9864).
        new("EdDSA", "OKP") { Curve = "Ed25519" },
        new("Ed25519", "OKP") { Curve = "Ed25519" },
    ];

    /// <summary>The names of all, for those who read what is accepted.</summary>
    public static string Names { get; } = string.Join(", ", All.Select(algorithm => algorithm.Name));

    public HashAlgorithmName Hash { get; private init; }

    /// <summary>The padding; null where the key is no RSA key.</summary>
    public RSASignaturePadding? Padding { get; private init; }

    /// <summary>The one curve that the key may have; null where the key is an RSA key.</summary>
    public string? Curve { get; private init; }

    /// <summary>Finds an algorithm by its name, which is compared byte for byte; null where it is not accepted.</summary>
    public static SignatureAlgorithm? Find(string? name) => Array.Find(All, algorithm => algorithm.Name == name);

    /// <summary>Whether a key that is bound to an algorithm of this name may check this one.</summary>
    public bool IsNamed(string algorithm) => algorithm == Name || (KeyType == "OKP" && Find(algorithm)?.KeyType == "OKP");

    private static SignatureAlgorithm Rsa(string name, HashAlgorithmName hash, RSASignaturePadding padding) =>
        new(name, "RSA") { Hash = hash, Padding = padding };

    private static SignatureAlgorithm Ec(string name, HashAlgorithmName hash, string curve) =>
        new(name, "EC") { Hash = hash, Curve = curve };
}

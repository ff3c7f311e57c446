using System.Collections.Concurrent;
using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Tenancy.Outbound;

/// <summary>
/// A public key with which an issuer's signatures are checked. Its type, its curve, and the algorithm that its issuer names with it bind
/// what it may check.
/// </summary>
internal abstract class SigningKey
{
    /// <summary>The key's id; null where the issuer gave it none.</summary>
    public string? Id { get; init; }

    /// <summary>The only algorithm that the issuer uses it for; null where it does not say.</summary>
    public string? Algorithm { get; init; }

    protected abstract string Type { get; }

    /// <summary>The curve; null for RSA.</summary>
    protected abstract string? Curve { get; }

    /// <summary>Whether this key may check signatures of an algorithm.</summary>
    public bool Fits(SignatureAlgorithm algorithm) =>
        algorithm.KeyType == Type && algorithm.Curve == Curve && (Algorithm is null || algorithm.IsNamed(Algorithm));

    /// <summary>Checks a signature of an algorithm that fits.</summary>
    public abstract bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, SignatureAlgorithm algorithm);

    /// <summary>What it is for, in a word of our own: its algorithm, else its curve or type.</summary>
    public string Kind => Algorithm ?? Curve ?? Type;

    /// <summary>Makes an RSA key.</summary>
    /// <exception cref="CryptographicException">The numbers are no key.</exception>
    public static SigningKey Rsa(byte[] modulus, byte[] exponent, string? id, string? algorithm) =>
        new PlatformKey<RSA>(
            "RSA",
            curve: null,
            () => RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent }),
            static (key, data, signature, algorithm) => key.VerifyData(data, signature, algorithm.Hash, algorithm.Padding!)
        )
        {
            Id = id,
            Algorithm = algorithm,
        };

    /// <summary>Makes a key of one of NIST's curves.</summary>
    /// <exception cref="CryptographicException">The point is not on the curve.</exception>
    public static SigningKey Ec(string curve, ECCurve parameters, byte[] x, byte[] y, string? id, string? algorithm) =>
        new PlatformKey<ECDsa>(
            "EC",
            curve,
            () =>
                ECDsa.Create(
                    new ECParameters
                    {
                        Curve = parameters,
                        Q = new() { X = x, Y = y },
                    }
                ),
            static (key, data, signature, algorithm) =>
                key.VerifyData(data, signature, algorithm.Hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
        )
        {
            Id = id,
            Algorithm = algorithm,
        };

    /// <summary>
    /// Makes an Ed25519 key (RFC 8037); null where the bytes are no point, or one of few multiples, which fits many signatures.
    /// </summary>
    public static SigningKey? Ed25519(byte[] x, string? id, string? algorithm) =>
        x.Length == Org.BouncyCastle.Math.EC.Rfc8032.Ed25519.PublicKeySize
        && Org.BouncyCastle.Math.EC.Rfc8032.Ed25519.ValidatePublicKeyFullExport(x) is { } point
            ? new EdwardsKey(point) { Id = id, Algorithm = algorithm }
            : null;

    /// <summary>A key of an algorithm that the platform has.</summary>
    private sealed class PlatformKey<TKey> : SigningKey
        where TKey : AsymmetricAlgorithm
    {
        private readonly Check _check;
        private readonly Func<TKey> _make;

        // The platform does not promise that one object can be used by several threads at once.
        private readonly ConcurrentBag<TKey> _idle = [];

        public PlatformKey(string type, string? curve, Func<TKey> make, Check check)
        {
            (Type, Curve, _make, _check) = (type, curve, make, check);
            _idle.Add(make());
        }

        public delegate bool Check(TKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, SignatureAlgorithm algorithm);

        protected override string Type { get; }

        protected override string? Curve { get; }

        public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, SignatureAlgorithm algorithm)
        {
            if (!_idle.TryTake(out var key))
            {
                key = _make();
            }

            try
            {
                return _check(key, data, signature, algorithm);
            }
            catch (CryptographicException)
            {
                // A signature that has not even the form of one.
                return false;
            }
            finally
            {
                _idle.Add(key);
            }
        }
    }

    /// <summary>The platform has no Ed25519.</summary>
    private sealed class EdwardsKey(Ed25519.PublicPoint point) : SigningKey
    {
        protected override string Type => "OKP";

        protected override string Curve => "Ed25519";

        public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, SignatureAlgorithm algorithm) =>
            signature.Length == Org.BouncyCastle.Math.EC.Rfc8032.Ed25519.SignatureSize
            && Org.BouncyCastle.Math.EC.Rfc8032.Ed25519.Verify(signature, point, data);
    }
}

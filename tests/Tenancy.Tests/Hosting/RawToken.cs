using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Tenancy.Tests.Hosting;

/// <summary>Tokens of any bytes, as no well-behaved library makes them.</summary>
internal static class RawToken
{
    /// <summary>Signs a token whose head and claims are these texts, to the byte.</summary>
    public static string Sign(string head, string claims, Func<byte[], byte[]> sign) =>
        Sign(Encoding.UTF8.GetBytes(head), Encoding.UTF8.GetBytes(claims), sign);

    public static string Sign(byte[] head, byte[] claims, Func<byte[], byte[]> sign)
    {
        var text = $"{Base64Url.EncodeToString(head)}.{Base64Url.EncodeToString(claims)}";
        return $"{text}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(text)))}";
    }

    /// <summary>The claims that every token needs, before these others.</summary>
    public static string Claims(string issuer, string audience, string others, DateTimeOffset? expires = null) =>
        $$"""{"iss":"{{issuer}}","aud":"{{audience}}","exp":"""
        + (expires ?? DateTimeOffset.UtcNow.AddHours(1)).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)
        + (others.Length > 0 ? $",{others}}}" : "}");

    public static Func<byte[], byte[]> By(ECDsa key, HashAlgorithmName? hash = null) =>
        data => key.SignData(data, hash ?? HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    public static Func<byte[], byte[]> By(RSA key, HashAlgorithmName? hash = null, RSASignaturePadding? padding = null) =>
        data => key.SignData(data, hash ?? HashAlgorithmName.SHA256, padding ?? RSASignaturePadding.Pkcs1);
}

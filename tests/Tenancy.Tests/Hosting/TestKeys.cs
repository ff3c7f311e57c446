using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Tenancy.Tests.Hosting;

/// <summary>Key sets as issuers publish them (RFC 7517).</summary>
internal static class TestKeys
{
    public static string Set(params JsonObject[] keys) => new JsonObject { ["keys"] = new JsonArray([.. keys]) }.ToJsonString();

    public static JsonObject Rsa(RSA key, string id) =>
        new()
        {
            ["kty"] = "RSA",
            ["use"] = "sig",
            ["kid"] = id,
            ["n"] = Base64Url.EncodeToString(key.ExportParameters(false).Modulus!),
            ["e"] = Base64Url.EncodeToString(key.ExportParameters(false).Exponent!),
        };

    public static JsonObject Ec(ECDsa key, string id) =>
        new()
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["kid"] = id,
            ["x"] = Base64Url.EncodeToString(key.ExportParameters(false).Q.X!),
            ["y"] = Base64Url.EncodeToString(key.ExportParameters(false).Q.Y!),
        };

    public static JsonObject Shared(string id) =>
        new()
        {
            ["kty"] = "oct",
            ["alg"] = "HS256",
            ["kid"] = id,
            ["k"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)),
        };
}

using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Authentication.Certificate;

namespace ClientCertificates;

/// <summary>Says whether a certificate is one of the tenant's clients.</summary>
internal static class TenantClients
{
    /// <summary>
    /// What stands in a tenant's settings for a certificate: its SHA-256 hash, as <c>openssl x509 -fingerprint -sha256</c> has it.
    /// </summary>
    public static string Fingerprint(ReadOnlySpan<byte> certificate) => Convert.ToHexString(SHA256.HashData(certificate));

    /// <summary>
    /// Runs for a certificate that is in its time and whose owner has its key. That alone opens nothing: anybody can make one.
    /// </summary>
    public static Task CheckAsync(CertificateValidatedContext context)
    {
        var fingerprint = Fingerprint(context.ClientCertificate.RawData);
        if (!ShopSettings.Of(context.HttpContext.GetTenant()).Clients.Contains(fingerprint, StringComparer.OrdinalIgnoreCase))
        {
            context.Fail("The certificate is none of the tenant's clients.");
            return Task.CompletedTask;
        }

        // One certificate, one caller: names in a certificate are what its maker liked to write.
        context.Principal = new(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, fingerprint)], context.Scheme.Name));
        context.Success();
        return Task.CompletedTask;
    }
}

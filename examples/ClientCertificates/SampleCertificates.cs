using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ClientCertificates;

/// <summary>
/// A certificate for the server, and one for a client of each of two tenants. They are made at the first start and kept as files, for curl.
/// </summary>
internal sealed class SampleCertificates : IDisposable
{
    private static readonly string[] Tenants = ["acme", "globex"];

    private SampleCertificates(X509Certificate2 server, Dictionary<string, string?> settings) => (Server, Settings) = (server, settings);

    public X509Certificate2 Server { get; }

    /// <summary>Gets the two tenants, as appsettings.json would have them.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; }

    public static SampleCertificates Create(string folder)
    {
        Directory.CreateDirectory(folder);
        var settings = new Dictionary<string, string?>();
        for (var i = 0; i < Tenants.Length; i++)
        {
            using var client = LoadOrCreate(folder, $"{Tenants[i]}-client");
            settings[$"Tenancy:Tenants:{i}:id"] = Tenants[i];
            settings[$"Tenancy:Tenants:{i}:settings:greeting"] = $"Welcome to {Tenants[i]}";
            settings[$"Tenancy:Tenants:{i}:settings:clients:0"] = TenantClients.Fingerprint(client.RawData);
        }

        return new(LoadOrCreate(folder, "localhost"), settings);
    }

    public void Dispose() => Server.Dispose();

    private static X509Certificate2 LoadOrCreate(string folder, string name)
    {
        var (certificatePath, keyPath) = (Path.Combine(folder, $"{name}.crt"), Path.Combine(folder, $"{name}.key"));
        if (!File.Exists(certificatePath))
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
            var alternatives = new SubjectAlternativeNameBuilder();
            alternatives.AddDnsName(name);
            request.CertificateExtensions.Add(alternatives.Build());
            using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddYears(1));
            File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
            File.WriteAllText(certificatePath, made.ExportCertificatePem());
        }

        // By way of PKCS #12, without which TLS on Windows cannot use the key.
        using var read = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
        return X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), password: null);
    }
}

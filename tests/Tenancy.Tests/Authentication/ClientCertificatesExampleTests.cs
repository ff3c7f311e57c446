using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>The example in examples/ClientCertificates, as its README runs it.</summary>
[Tier(Tier.Process)]
public sealed class ClientCertificatesExampleTests : IAsyncLifetime
{
    private const string Listening = "Now listening on: ";

    private readonly string _folder = Directory.CreateTempSubdirectory("client-certificates-").FullName;
    private Process _process = null!;
    private Uri _address = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var tests = new DirectoryInfo(AppContext.BaseDirectory);
        var example = Path.Combine(tests.Parent!.Parent!.FullName, "ClientCertificates", tests.Name);
        var start = new ProcessStartInfo(
            "dotnet",
            [Path.Combine(example, "ClientCertificates.dll"), "--contentRoot", example, "--urls", "https://127.0.0.1:0"]
        )
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            Environment =
            {
                ["DOTNET_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_ENVIRONMENT"] = null,
                ["ASPNETCORE_URLS"] = null,
            },
        };
        _process = Process.Start(start)!;
        var log = new StringBuilder();
        while (await _process.StandardOutput.ReadLineAsync(Cancellation) is { } line)
        {
            log.AppendLine(line);
            if (line.Split(Listening) is [_, var address])
            {
                _address = new(address);
                _ = _process.StandardOutput.ReadToEndAsync(Cancellation);
                return;
            }
        }

        Assert.Fail($"The example did not start:\n{log}");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_tenant_is_called_with_its_own_clients_certificates_only()
    {
        using var acme = Load("acme-client");
        using var globex = Load("globex-client");
        using var stranger = Create("acme-client");

        // Once the tenants are loaded, which may be a moment after the server listens.
        await Poll.UntilAsync(async () => (await CallAsync("acme", acme)).Status != HttpStatusCode.ServiceUnavailable);
        Assert.Equal((HttpStatusCode.OK, $"Welcome to acme, scheme:Certificate|{Fingerprint(acme)}"), await CallAsync("acme", acme));
        Assert.Equal(
            (HttpStatusCode.OK, $"Welcome to globex, scheme:Certificate|{Fingerprint(globex)}"),
            await CallAsync("globex", globex)
        );
        foreach (var (tenant, certificate) in new[] { ("acme", globex), ("globex", acme), ("acme", stranger), ("acme", null) })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(tenant, certificate)).Status);
        }

        // A change of the list counts at once, on connections that are open too.
        using var acmeClient = NewClient(acme);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(acmeClient, "acme")).Status);
        using (var admin = NewClient(null))
        using (var patch = new HttpRequestMessage(HttpMethod.Patch, new Uri(_address, "/admin/tenants/acme")))
        {
            patch.Headers.Add("X-Admin-API-Key", "dev-admin-key");
            patch.Content = new StringContent(
                $$"""{ "settings": { "clients": ["{{Fingerprint(stranger)}}"] } }""",
                Encoding.UTF8,
                "application/json"
            );
            using var answer = await admin.SendAsync(patch, Cancellation);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(acmeClient, "acme")).Status);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", stranger)).Status);
    }

    private static string Fingerprint(X509Certificate2 certificate) => certificate.GetCertHashString(HashAlgorithmName.SHA256);

    private static X509Certificate2 Create(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1),
            DateTimeOffset.UtcNow.AddDays(1)
        );
    }

    private X509Certificate2 Load(string name) =>
        X509Certificate2.CreateFromPemFile(
            Path.Combine(_folder, "certificates", $"{name}.crt"),
            Path.Combine(_folder, "certificates", $"{name}.key")
        );

    private HttpClient NewClient(X509Certificate2? certificate)
    {
        using var server = X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(_folder, "certificates", "localhost.crt")));
        var fingerprint = Fingerprint(server);
        return new(
            new SocketsHttpHandler
            {
                UseProxy = false,
                SslOptions = new SslClientAuthenticationOptions
                {
                    RemoteCertificateValidationCallback = (_, remote, _, _) =>
                        remote!.GetCertHashString(HashAlgorithmName.SHA256) == fingerprint,
                    ClientCertificateContext = certificate is null
                        ? null
                        : SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
                },
            }
        );
    }

    private async Task<(HttpStatusCode Status, string Text)> CallAsync(string tenant, X509Certificate2? certificate)
    {
        using var client = NewClient(certificate);
        return await CallAsync(client, tenant);
    }

    private async Task<(HttpStatusCode Status, string Text)> CallAsync(HttpClient client, string tenant)
    {
        using var request = McpCalls.Post(_address.Port, Way.Path, tenant, token: null, McpCalls.Call("greet"), accept: "application/json");
        request.RequestUri = new(_address, $"/{tenant}/mcp");
        using var response = await client.SendAsync(request, Cancellation);
        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!;
        return (response.StatusCode, body["result"]?["content"]?[0]?["text"]?.ToString() ?? body.ToJsonString());
    }
}

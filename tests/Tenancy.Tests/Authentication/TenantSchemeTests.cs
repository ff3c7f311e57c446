using System.Net;
using System.Net.Security;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Certificate;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>Tenants of all kinds live in one process: here beside those with tokens some with client certificates, on TLS.</summary>
[Tier(Tier.Server)]
public sealed class TenantSchemeTests : IAsyncLifetime
{
    private readonly X509Certificate2 _serverCertificate = Create("localhost");
    private readonly X509Certificate2 _alice = Create("alice");
    private readonly X509Certificate2 _bob = Create("bob");
    private readonly X509Certificate2 _expired = Create("expired", DateTimeOffset.UtcNow.AddDays(-2));
    private TestIssuer _issuer = null!;
    private TenancyServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings)
            {
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            },
            services: services =>
            {
                services.Configure<KestrelServerOptions>(options =>
                {
                    options.Listen(IPAddress.Loopback, 0);
                    options.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(_serverCertificate, https =>
                        {
                            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                            https.AllowAnyClientCertificate();
                        }));
                });
                services
                    .AddAuthentication()
                    .AddCertificate(options =>
                    {
                        options.AllowedCertificateTypes = CertificateTypes.SelfSigned;
                        options.RevocationMode = X509RevocationMode.NoCheck;
                    })
                    .AddScheme<AuthenticationSchemeOptions, HeaderHandler>("Signed", configureOptions: null);
                new Builder(services)
                    .AddTenantScheme(CertificateAuthenticationDefaults.AuthenticationScheme, ClaimTypes.Thumbprint)
                    .AddTenantScheme("Signed");
            }
        );
        await RegisterAsync("initech", """{ "kind": "scheme", "scheme": "Certificate" }""");
        await RegisterAsync("hooli", """{ "kind": "scheme", "scheme": "Certificate" }""");
        await RegisterAsync("signed", """{ "kind": "scheme", "scheme": "Signed" }""");
        await RegisterAsync("open", """{ "kind": "none" }""");
        await RegisterAsync("jwt", $$"""{ "kind": "jwks", "issuer": "{{_issuer.Url}}", "audiences": ["jwt-api"] }""");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
        foreach (var certificate in new[] { _serverCertificate, _alice, _bob, _expired })
        {
            certificate.Dispose();
        }
    }

    [Fact]
    public async Task A_client_certificate_says_who_is_calling()
    {
        var (status, text, _) = await CallAsync("initech", _alice);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains($"initech|scheme:Certificate|{_alice.Thumbprint}|", text, StringComparison.Ordinal);
        Assert.Contains(_bob.Thumbprint, (await CallAsync("initech", _bob)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_certificate_or_with_a_bad_one_nothing_is_reached()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync("initech", null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync("initech", _expired)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync("initech", _expired, tool: "get_products")).Status);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("initech", null, tool: "get_products")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync("initech", null, token: McpCalls.Acme)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync("initech", null, header: "alice")).Status);
    }

    [Fact]
    public async Task Each_tenant_of_a_server_takes_its_own_kind_of_proof_only()
    {
        var proofs = new Dictionary<string, (X509Certificate2? Certificate, string? Token, string? Header)>
        {
            ["initech"] = (_alice, null, null),
            ["acme"] = (null, McpCalls.Acme, null),
            ["jwt"] = (null, _issuer.Mint("jwt-api"), null),
            ["signed"] = (null, null, "alice"),
        };
        foreach (var (owner, proof) in proofs)
        {
            foreach (var tenant in proofs.Keys)
            {
                var (status, _, _) = await CallAsync(tenant, proof.Certificate, proof.Token, proof.Header);
                Assert.True(
                    status == (owner == tenant ? HttpStatusCode.OK : HttpStatusCode.Unauthorized),
                    $"{owner} at {tenant}: {status}"
                );
            }

            Assert.Equal(HttpStatusCode.OK, (await CallAsync("open", proof.Certificate, proof.Token, proof.Header)).Status);
        }
    }

    [Fact]
    public async Task A_session_with_a_certificate_is_its_tenants_and_callers()
    {
        var session = (await CallAsync("initech", _alice, body: McpCalls.Initialize())).SessionId;
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("initech", _alice, sessionId: session)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await CallAsync("initech", _bob, sessionId: session)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await CallAsync("hooli", _alice, sessionId: session)).Status);
    }

    [Fact]
    public async Task The_kind_changes_while_the_server_runs()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync("acme", _alice)).Status);
        using var patch = await _server.AdminAsync(
            HttpMethod.Patch,
            "/acme",
            """{ "authentication": { "kind": "scheme", "scheme": "Certificate" } }"""
        );
        Assert.True(patch.IsSuccessStatusCode, await patch.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(HttpStatusCode.OK, (await CallAsync("acme", _alice)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync("acme", null, McpCalls.Acme)).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("alice,bob")]
    [InlineData("\t")]
    public async Task Credentials_that_name_nobody_or_two_are_refused(string header) =>
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync("signed", null, header: header)).Status);

    [Fact]
    public async Task Why_credentials_were_refused_is_told_to_whoever_configures_the_tenant()
    {
        await CallAsync("initech", null);
        Assert.Empty(await RefusedAsync("initech"));
        await CallAsync("initech", _expired);
        Assert.Contains("'Certificate' did not accept", Assert.Single(await RefusedAsync("initech")), StringComparison.Ordinal);
        await CallAsync("signed", null, header: "alice,bob");
        Assert.Contains(ClaimTypes.NameIdentifier, Assert.Single(await RefusedAsync("signed")), StringComparison.Ordinal);
        await CallAsync("hooli", _alice);
        Assert.Empty(await RefusedAsync("hooli"));
    }

    private async Task<string[]> RefusedAsync(string tenant)
    {
        using var response = await _server.AdminAsync(HttpMethod.Get, $"/{tenant}/refused-tokens", null);
        var refused = (await McpCalls.ReadAsync(response))["refusedTokens"]!.AsArray();
        Assert.All(refused, one => Assert.Equal("credentials", one!["cause"]!.ToString()));
        return [.. refused.Select(one => one!["reason"]!.ToString())];
    }

    [Theory]
    [InlineData("""{ "kind": "scheme" }""")]
    [InlineData("""{ "kind": "scheme", "scheme": "Other" }""")]
    [InlineData("""{ "kind": "scheme", "scheme": "Tenant" }""")]
    [InlineData("""{ "kind": "scheme", "scheme": "TenantBearer" }""")]
    [InlineData("""{ "kind": "bearer", "scheme": "Certificate" }""")]
    public async Task A_scheme_that_was_not_added_for_tenants_is_refused(string authentication)
    {
        using var answer = await _server.AdminAsync(HttpMethod.Post, "", $$"""{ "id": "new", "authentication": {{authentication}} }""");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(["authentication.scheme"], (await McpCalls.ReadAsync(answer))["errors"]!.AsObject().Select(error => error.Key));
    }

    [Theory]
    [InlineData("email")]
    [InlineData(ClaimTypes.Email)]
    [InlineData("preferred_username")]
    [InlineData("name")]
    [InlineData(ClaimTypes.Upn)]
    [InlineData("user_email")]
    [InlineData("https://x.example/claims/WorkMail")]
    [InlineData("account-name")]
    [InlineData(ClaimTypes.WindowsAccountName)]
    public void A_claim_that_can_be_given_to_somebody_else_is_refused_as_identity_at_start(string claim) =>
        Assert.Contains(
            claim,
            Assert.Throws<ArgumentException>(() => new Builder(new ServiceCollection()).AddTenantScheme("Certificate", claim)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(ClaimTypes.NameIdentifier)]
    [InlineData(ClaimTypes.Thumbprint)]
    [InlineData(ClaimTypes.PrimarySid)]
    [InlineData(ClaimTypes.X500DistinguishedName)]
    [InlineData("sub")]
    public void A_lasting_claim_will_do_as_identity(string claim) =>
        new Builder(new ServiceCollection()).AddTenantScheme("Certificate", claim);

    [Fact]
    public async Task A_scheme_without_a_handler_stops_the_start()
    {
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            TenancyServer.StartAsync(services: services => new Builder(services).AddTenantScheme("Nothing"))
        );
        Assert.Contains("'Nothing'", exception.Message, StringComparison.Ordinal);
    }

    private static X509Certificate2 Create(string name, DateTimeOffset? end = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var from = DateTimeOffset.UtcNow.AddDays(-10);
        using var certificate = request.CreateSelfSigned(from, end ?? DateTimeOffset.UtcNow.AddDays(10));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    private async Task RegisterAsync(string id, string authentication)
    {
        using var answer = await _server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$"""{ "id": "{{id}}", "authentication": {{authentication}} }"""
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }

    private async Task<(HttpStatusCode Status, string Text, string? SessionId)> CallAsync(
        string tenant,
        X509Certificate2? certificate,
        string? token = null,
        string? header = null,
        string tool = "whoami",
        string? body = null,
        string? sessionId = null
    )
    {
        using var client = new HttpClient(
            new SocketsHttpHandler
            {
                UseProxy = false,
                SslOptions = new SslClientAuthenticationOptions
                {
                    RemoteCertificateValidationCallback = (_, remote, _, _) =>
                        remote!.GetCertHashString() == _serverCertificate.GetCertHashString(),
                    ClientCertificateContext = certificate is null
                        ? null
                        : SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
                },
            }
        );
        using var request = McpCalls.Post(_server.Port, Way.Path, tenant, token, body ?? McpCalls.Call(tool), sessionId: sessionId);
        request.RequestUri = new(
            new Uri(_server.App.Urls.Single(url => url.StartsWith("https:", StringComparison.Ordinal))),
            $"/{tenant}/mcp"
        );
        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Signed-By", header);
        }

        using var response = await client.SendAsync(request, Cancellation);
        return (
            response.StatusCode,
            await response.Content.ReadAsStringAsync(Cancellation),
            response.Headers.TryGetValues("Mcp-Session-Id", out var ids) ? ids.Single() : null
        );
    }

    private sealed class Builder(IServiceCollection services) : ITenancyBuilder
    {
        public IServiceCollection Services { get; } = services;
    }

    /// <summary>Believes a header: the least that a handler can do.</summary>
    private sealed class HeaderHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-Signed-By"] is not [{ } names])
            {
                return Task.FromResult(AuthenticateResult.NoResult());
            }

            var claims = names
                .Split(',')
                .Select(name => new Claim(ClaimTypes.NameIdentifier, name))
                .Append(new(ClaimTypes.Email, "root@acme.example"));
            return Task.FromResult(
                AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme.Name)), Scheme.Name))
            );
        }
    }
}

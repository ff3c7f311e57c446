using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Authentication;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>A client that knows nothing but the URL of a tenant finds out where to get a token for it, and gets one.</summary>
[Tier(Tier.Process)]
public sealed class OAuthDiscoveryTests : IAsyncLifetime
{
    private readonly int _port = RedisServer.FreePort();
    private TestIssuer _one = null!;
    private TestIssuer _two = null!;
    private TenancyServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string AcmeUrl => $"http://acme.localhost:{_port}/mcp";

    private string InitechUrl => $"http://127.0.0.1:{_port}/initech/mcp";

    /// <summary>A tenant with a URL of its own, one below the server's public URL, and some without an identity provider.</summary>
    public async ValueTask InitializeAsync()
    {
        _one = await TestIssuer.StartAsync();
        _two = await TestIssuer.StartAsync();
        _server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "tenants.example",
                ["Tenancy:PublicUrl"] = $"http://127.0.0.1:{_port}",
                ["Tenancy:AllowedOrigins:0"] = "https://console.example",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            },
            services: services => services.Configure<KestrelServerOptions>(options => options.Listen(IPAddress.Loopback, _port))
        );
        await RegisterAsync(
            $$"""{ "id": "acme", "urls": ["http://acme.localhost:{{_port}}"], "authentication": { "kind": "jwks", "issuer":"""
                + $$""" "{{_one.Url}}", "scopes": ["read", "buy"] } }"""
        );
        await RegisterAsync(
            $$"""{ "id": "initech", "urls": ["https://shops.example/x/initech"], "authentication": { "kind": "jwks", "issuer":"""
                + $$""" "{{_two.Url}}" } }"""
        );
        await RegisterAsync("""{ "id": "plain" }""");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _one.DisposeAsync();
        await _two.DisposeAsync();
    }

    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task The_official_client_gets_in_at_two_tenants_with_nothing_but_their_urls(string version)
    {
        foreach (var (url, issuer) in new[] { (AcmeUrl, _one), (InitechUrl, _two) })
        {
            Assert.Contains($"user:{issuer.Url}|alice", await WhoAmIAsync(url, version), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task In_development_a_server_that_knows_its_own_address_leads_there_by_path_and_by_host()
    {
        var port = RedisServer.FreePort();
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:PublicUrl"] = $"http://localhost:{port}",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            },
            services: services => services.Configure<KestrelServerOptions>(options => options.Listen(IPAddress.Loopback, port))
        );
        using var answer = await server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$"""{ "id": "hooli", "authentication": { "kind": "jwks", "issuer": "{{_one.Url}}" } }"""
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));

        foreach (var url in new[] { $"http://localhost:{port}/hooli/mcp", $"http://hooli.localhost:{port}/mcp" })
        {
            Assert.Contains($"user:{_one.Url}|alice", await WhoAmIAsync(url, "2026-07-28"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_challenge_leads_to_metadata_whose_resource_is_the_url_that_was_called()
    {
        foreach (var (url, issuer, scope) in new[] { (AcmeUrl, _one.Url, ", scope=\"read buy\""), (InitechUrl, _two.Url, "") })
        {
            var uri = new Uri(url);
            var metadataUrl = $"{uri.GetLeftPart(UriPartial.Authority)}/.well-known/oauth-protected-resource{uri.AbsolutePath}";
            Assert.Equal($"Bearer resource_metadata=\"{metadataUrl}\"{scope}", (await PostAsync(url)).Challenge);
            Assert.Equal(
                $"Bearer error=\"invalid_token\", resource_metadata=\"{metadataUrl}\"{scope}",
                (await PostAsync(url, token: "garbage")).Challenge
            );
            var (status, metadata) = await GetAsync(metadataUrl);
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Equal(url, metadata["resource"]!.ToString());
            Assert.Equal(issuer, Assert.Single(metadata["authorization_servers"]!.AsArray())!.ToString());
        }
    }

    [Fact]
    public async Task Foreign_forged_and_garbage_tokens_get_the_same_answer_to_the_byte()
    {
        foreach (var url in new[] { AcmeUrl, InitechUrl })
        {
            var answers = new HashSet<(HttpStatusCode, string, string)>();
            foreach (
                var token in new[]
                {
                    "garbage",
                    "a.b.c",
                    "plain.x",
                    _one.Mint(InitechUrl),
                    _two.Mint(AcmeUrl),
                    _one.Mint(AcmeUrl, signing: TestIssuer.NewKey()),
                    _two.Mint(InitechUrl, expires: DateTime.UtcNow.AddHours(-1)),
                }
            )
            {
                answers.Add(await PostAsync(url, token: token));
            }

            Assert.Equal(HttpStatusCode.Unauthorized, Assert.Single(answers).Item1);
        }
    }

    [Theory]
    [InlineData("shops.example", "/x/initech/mcp", "https://shops.example/x/initech/mcp")]
    [InlineData("initech.tenants.example", "/mcp", "https://initech.tenants.example/mcp")]
    [InlineData("SHOPS.example:443", "/x/initech/mcp", "https://shops.example/x/initech/mcp")]
    public async Task The_metadata_names_the_configured_url_whatever_the_host_header_looks_like(string host, string path, string resource)
    {
        var (status, metadata) = await GetAsync($"http://127.0.0.1:{_port}/.well-known/oauth-protected-resource{path}", host);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(resource, metadata["resource"]!.ToString());
    }

    [Theory]
    [InlineData(null, "/plain/mcp", 404)]
    [InlineData(null, "/nobody/mcp", 404)]
    [InlineData(null, "/mcp", 404)]
    [InlineData("acme.localhost:1", "/acme/mcp", 404)]
    [InlineData("initech.tenants.example:8080", "/mcp", 404)]
    [InlineData("evil.example", "/initech/mcp", 400)]
    [InlineData("shops.example", "/initech/mcp", 404)]
    [InlineData("initech.tenants.example", "/plain/mcp", 400)]
    public async Task There_is_no_metadata_where_there_is_no_oauth_or_the_url_is_none_of_ours(string? host, string path, int expected)
    {
        var (status, body) = await GetAsync($"http://127.0.0.1:{_port}/.well-known/oauth-protected-resource{path}", host);
        Assert.Equal(expected, (int)status);
        Assert.Null(body["resource"]);
    }

    [Fact]
    public async Task A_tenant_that_a_header_names_leads_to_its_own_url()
    {
        using var request = McpCalls.Post(_port, Way.Header, "initech", null, McpCalls.Call("whoami"));
        using var client = NewClient();
        using var response = await client.SendAsync(request, Cancellation);
        Assert.Equal(
            "Bearer resource_metadata=\"https://shops.example/.well-known/oauth-protected-resource/x/initech/mcp\"",
            response.Headers.WwwAuthenticate.ToString()
        );
    }

    [Theory]
    [InlineData("https://console.example", true)]
    [InlineData("https://shops.example", false)]
    [InlineData("https://evil.example", false)]
    [InlineData("null", false)]
    public async Task A_page_may_call_and_read_a_tenant_by_the_list_of_origins(string origin, bool isAllowed)
    {
        foreach (var url in new[] { AcmeUrl, $"http://acme.localhost:{_port}/.well-known/oauth-protected-resource/mcp" })
        {
            using var preflight = await SendAsync(HttpMethod.Options, url, origin, preflight: true);
            Assert.Equal(isAllowed ? HttpStatusCode.NoContent : HttpStatusCode.Forbidden, preflight.StatusCode);
            Assert.Equal(isAllowed ? origin : null, Header(preflight, "Access-Control-Allow-Origin"));
            if (isAllowed)
            {
                Assert.Contains("Mcp-Session-Id", Header(preflight, "Access-Control-Allow-Headers"), StringComparison.Ordinal);
                Assert.Contains("DELETE", Header(preflight, "Access-Control-Allow-Methods"), StringComparison.Ordinal);
                Assert.Equal("Origin", Header(preflight, "Vary"));
            }
        }

        using var refused = await SendAsync(HttpMethod.Post, AcmeUrl, origin);
        Assert.Equal(isAllowed ? HttpStatusCode.Unauthorized : HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal(isAllowed ? origin : null, Header(refused, "Access-Control-Allow-Origin"));
        Assert.Equal(
            isAllowed,
            Header(refused, "Access-Control-Expose-Headers")?.Contains("WWW-Authenticate", StringComparison.Ordinal) ?? false
        );
    }

    [Fact]
    public async Task A_tenants_own_url_is_an_origin_for_that_tenant_only_and_a_question_that_names_no_tenant_knows_the_operators_alone()
    {
        using var own = await SendAsync(HttpMethod.Options, AcmeUrl, $"http://acme.localhost:{_port}", preflight: true);
        Assert.Equal(HttpStatusCode.NoContent, own.StatusCode);
        using var others = await SendAsync(HttpMethod.Options, InitechUrl, $"http://acme.localhost:{_port}", preflight: true);
        Assert.Equal(HttpStatusCode.Forbidden, others.StatusCode);
        using var shared = await SendAsync(HttpMethod.Options, $"http://127.0.0.1:{_port}/mcp", "https://console.example", preflight: true);
        Assert.Equal(HttpStatusCode.NoContent, shared.StatusCode);
        using var unknown = await SendAsync(
            HttpMethod.Options,
            $"http://127.0.0.1:{_port}/mcp",
            $"http://acme.localhost:{_port}",
            preflight: true
        );
        Assert.False(unknown.IsSuccessStatusCode);
        Assert.Null(Header(unknown, "Access-Control-Allow-Origin"));
    }

    /// <summary>Asks who is calling, as the official client does that has no token at first.</summary>
    private static async Task<string> WhoAmIAsync(string url, string version)
    {
        using var browser = NewClient();
        await using var client = await McpClient.CreateAsync(
            new HttpClientTransport(
                new HttpClientTransportOptions
                {
                    Endpoint = new Uri(url),
                    TransportMode = HttpTransportMode.StreamableHttp,
                    OAuth = new()
                    {
                        RedirectUri = new Uri("http://localhost:1179/callback"),
                        DynamicClientRegistration = new() { ClientName = "test" },
                        AuthorizationCallbackHandler = async (context, cancellationToken) =>
                        {
                            using var answer = await browser.GetAsync(context.AuthorizationUri, cancellationToken);
                            var query = System.Web.HttpUtility.ParseQueryString(answer.Headers.Location!.Query);
                            return new AuthorizationResult
                            {
                                Code = query["code"],
                                State = query["state"],
                                Iss = query["iss"],
                            };
                        },
                    },
                },
                NewClient(),
                ownsHttpClient: true
            ),
            new() { ProtocolVersion = version },
            cancellationToken: Cancellation
        );
        var result = await client.CallToolAsync("whoami", cancellationToken: Cancellation);
        return result.Content.OfType<TextContentBlock>().Single().Text;
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;

    /// <summary>A client for which every name is this machine, and which follows no redirect.</summary>
    private static HttpClient NewClient() =>
        new(
            new SocketsHttpHandler
            {
                UseProxy = false,
                AllowAutoRedirect = false,
                ConnectCallback = async (context, cancellationToken) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            }
        );

    private async Task RegisterAsync(string tenant)
    {
        using var answer = await _server.AdminAsync(HttpMethod.Post, "?wait=true", tenant);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }

    private async Task<(HttpStatusCode Status, string Challenge, string Body)> PostAsync(string url, string? token = null)
    {
        using var client = NewClient();
        using var request = McpCalls.Post(_port, Way.Path, "any", token, McpCalls.Call("whoami"));
        request.RequestUri = new(url);
        using var response = await client.SendAsync(request, Cancellation);
        return (response.StatusCode, response.Headers.WwwAuthenticate.ToString(), await response.Content.ReadAsStringAsync(Cancellation));
    }

    private async Task<(HttpStatusCode Status, JsonNode Body)> GetAsync(string url, string? host = null)
    {
        using var client = NewClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Host = host;
        using var response = await client.SendAsync(request, Cancellation);
        return (response.StatusCode, await McpCalls.ReadAsync(response));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string url, string origin, bool preflight = false)
    {
        using var client = NewClient();
        using var request = McpCalls.Post(_port, Way.Path, "any", null, McpCalls.Call("whoami"));
        request.Method = method;
        request.RequestUri = new(url);
        request.Headers.Add("Origin", origin);
        if (preflight)
        {
            request.Content = null;
            request.Headers.Add("Access-Control-Request-Method", "POST");
        }

        return await client.SendAsync(request, Cancellation);
    }
}

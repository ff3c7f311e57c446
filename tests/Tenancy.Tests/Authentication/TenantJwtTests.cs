using System.Net;
using System.Security.Claims;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Tokens;
using Tenancy.Authentication;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

[Tier(Tier.Server)]
public sealed class TenantJwtTests : IAsyncLifetime
{
    private const string AcmeAudience = "https://acme.localhost/mcp";
    private const string GlobexAudience = "https://globex.localhost/mcp";
    private const string InitechAudience = "https://initech.localhost/mcp";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private TestIssuer _shared = null!;
    private TestIssuer _own = null!;
    private TenancyServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Two tenants at one identity provider, and a third at another.</summary>
    public async ValueTask InitializeAsync()
    {
        _shared = await TestIssuer.StartAsync();
        _own = await TestIssuer.StartAsync();
        _server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:AnonymousTools:0"] = "get_products",
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            },
            services: services =>
                services
                    .AddSingleton<TimeProvider>(_time)
                    .AddSingleton<Arrivals>()
                    .AddSingleton<IStartupFilter>(provider => provider.GetRequiredService<Arrivals>())
        );
        await RegisterAsync("acme", _shared);
        await RegisterAsync("globex", _shared);
        await RegisterAsync("initech", _own);
        (
            await _server.AdminAsync(
                HttpMethod.Post,
                "?wait=true",
                """{ "id": "plain", "principals": [{ "name": "one", "token": "plain.one" }] }"""
            )
        ).Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _shared.DisposeAsync();
        await _own.DisposeAsync();
    }

    [Theory]
    [InlineData(Way.Path, Generation.Sessions)]
    [InlineData(Way.Path, Generation.Stateless)]
    [InlineData(Way.Host, Generation.Sessions)]
    [InlineData(Way.Host, Generation.Stateless)]
    public async Task A_user_is_known_by_issuer_and_subject(Way way, Generation generation)
    {
        var token = await _shared.GetTokenAsync("alice", AcmeAudience);
        Assert.Equal($"acme|user:{_shared.Url}|alice|user:{_shared.Url}|alice", await WhoAsync("acme", token, way, generation));
    }

    [Theory]
    [InlineData(Way.Path)]
    [InlineData(Way.Host)]
    public async Task A_token_is_good_at_its_tenant_only(Way way)
    {
        var tokens = new Dictionary<string, string>
        {
            ["acme"] = await _shared.GetTokenAsync("alice", AcmeAudience),
            ["globex"] = await _shared.GetTokenAsync("alice", GlobexAudience),
            ["initech"] = await _own.GetTokenAsync("alice", InitechAudience),
        };
        foreach (var (owner, token) in tokens)
        {
            foreach (var tenant in tokens.Keys)
            {
                Assert.Equal(
                    owner == tenant ? HttpStatusCode.OK : HttpStatusCode.Unauthorized,
                    (await PostAsync(tenant, token, way)).Status
                );
            }
        }
    }

    [Fact]
    public async Task All_bad_tokens_get_the_same_answer()
    {
        var publicKey = ((ECDsaSecurityKey)_shared.Signing.Key).ECDsa.ExportSubjectPublicKeyInfo();
        string[] bad =
        [
            "garbage",
            "a.b.c",
            "acme.dev-buyer",
            _shared.Mint(GlobexAudience),
            _own.Mint(AcmeAudience),
            _own.Mint(AcmeAudience, issuer: _shared.Url),
            _shared.Mint(AcmeAudience, signing: TestIssuer.NewKey()),
            _shared.Mint(AcmeAudience, signing: TestIssuer.NewKey(_shared.Signing.Kid)),
            _shared.Mint(
                AcmeAudience,
                signing: new(new SymmetricSecurityKey(publicKey) { KeyId = _shared.Signing.Kid }, SecurityAlgorithms.HmacSha256)
            ),
            Unsigned(_shared.Mint(AcmeAudience)),
            _shared.Mint(AcmeAudience)[..^8] + "AAAAAAAA",
            _shared.Mint(AcmeAudience, expires: DateTime.UtcNow.AddMinutes(-2)),
            _shared.Mint(AcmeAudience, expires: DateTime.MaxValue),
            _shared.Mint(AcmeAudience, notBefore: DateTime.UtcNow.AddMinutes(3)),
            _shared.Mint(""),
            _shared.Mint(AcmeAudience + "/"),
            _shared.Mint("https://acme.localhost"),
            _shared.Mint(AcmeAudience, issuer: _shared.Url.TrimEnd('/')),
            _shared.Mint(AcmeAudience, type: "logout+jwt"),
            _shared.Mint(AcmeAudience, claims => claims.Remove("sub")),
            _shared.Mint(AcmeAudience, claims => claims["sub"] = ""),
            _shared.Mint(AcmeAudience, claims => claims["sub"] = new[] { "alice", "bob" }),
            _shared.Mint(AcmeAudience, claims => claims["much"] = new string('x', 12 * 1024)),
        ];
        var answers = new HashSet<(HttpStatusCode, string, string)>();
        foreach (var token in bad)
        {
            var answer = await PostAsync("acme", token);
            Assert.True(answer.Status == HttpStatusCode.Unauthorized, $"{answer.Status} for {token}");
            answers.Add(answer);
        }

        var (_, challenge, body) = Assert.Single(answers);
        Assert.StartsWith("Bearer error=\"invalid_token\", resource_metadata=", challenge, StringComparison.Ordinal);
        Assert.Contains("-32028", body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", _shared.Mint(AcmeAudience))).Status);
    }

    [Fact]
    public async Task Clocks_may_differ_by_a_minute()
    {
        Assert.Equal(
            HttpStatusCode.OK,
            (await PostAsync("acme", _shared.Mint(AcmeAudience, expires: DateTime.UtcNow.AddSeconds(-30)))).Status
        );
        Assert.Equal(
            HttpStatusCode.OK,
            (await PostAsync("acme", _shared.Mint(AcmeAudience, notBefore: DateTime.UtcNow.AddSeconds(30)))).Status
        );
    }

    [Fact]
    public async Task A_token_ends_while_the_server_runs()
    {
        var token = _shared.Mint(AcmeAudience, expires: DateTime.UtcNow.AddMinutes(5));
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", token)).Status);
        _time.Advance(TimeSpan.FromMinutes(7));
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync("acme", token)).Status);
    }

    [Fact]
    public async Task Without_a_token_only_anonymous_tools_are_there_and_the_challenge_names_no_error()
    {
        var (status, challenge, _) = await PostAsync("acme", token: null);
        Assert.Equal(HttpStatusCode.Unauthorized, status);
        Assert.StartsWith("Bearer resource_metadata=", challenge, StringComparison.Ordinal);
        Assert.DoesNotContain("error", challenge, StringComparison.Ordinal);
        Assert.NotNull(await _server.CallAsync("acme", token: null, "get_products"));
    }

    [Theory]
    [InlineData("azp")]
    [InlineData("client_id")]
    public async Task A_client_that_acts_for_itself_is_known_by_its_id(string claim)
    {
        var token = _shared.Mint(AcmeAudience, claims =>
        {
            claims.Remove("sub");
            claims["gty"] = "client-credentials";
            claims[claim] = "robot";
        });
        Assert.Equal($"acme|client:{_shared.Url}|robot|client:{_shared.Url}|robot", await WhoAsync("acme", token));

        // A session needs an identity too; the MCP SDK alone refuses tokens without a subject.
        Assert.NotEmpty(await _server.InitializeAsync("acme", token));
    }

    [Fact]
    public async Task No_claim_in_a_token_makes_another_identity()
    {
        var token = _shared.Mint(AcmeAudience, claims =>
        {
            claims[ClaimTypes.NameIdentifier] = $"acme|user:{_shared.Url}|root";
            claims["nameid"] = "acme|anonymous";
            claims["email"] = "root@acme.example.com";
            claims["preferred_username"] = "root";
            claims[ClaimTypes.Upn] = "root";
        });
        Assert.Equal($"acme|user:{_shared.Url}|alice|user:{_shared.Url}|alice", await WhoAsync("acme", token));
    }

    [Fact]
    public async Task A_session_belongs_to_its_user_and_its_tenant()
    {
        var session = await _server.InitializeAsync("acme", _shared.Mint(AcmeAudience));
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", _shared.Mint(AcmeAudience), sessionId: session)).Status);
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await PostAsync("acme", _shared.Mint(AcmeAudience, claims => claims["sub"] = "bob"), sessionId: session)).Status
        );
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync("globex", _shared.Mint(GlobexAudience), sessionId: session)).Status);
    }

    [Fact]
    public async Task A_new_key_is_found_and_a_removed_one_stops()
    {
        var old = await _shared.GetTokenAsync("alice", AcmeAudience);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", old)).Status);

        _shared.Rotate();
        _time.Advance(IssuerKeys.UnknownKeyInterval);
        var next = await _shared.GetTokenAsync("alice", AcmeAudience);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", next)).Status);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", old)).Status);

        _shared.RemoveOldKeys();
        _time.Advance(IssuerKeys.MaximumAge);
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync("acme", old)).Status);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", next)).Status);
    }

    [Fact]
    public async Task An_issuer_that_hangs_holds_up_its_own_tenants_only()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var token = await _shared.GetTokenAsync("alice", AcmeAudience);
        _shared.Outage = async context =>
        {
            arrived.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        var waiting = PostAsync("acme", token);
        await arrived.Task;
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("initech", await _own.GetTokenAsync("alice", InitechAudience))).Status);
        Assert.NotNull(await _server.CallAsync("acme", token: null, "get_products"));
        Assert.False(waiting.IsCompleted);

        _time.Advance(TimeSpan.FromSeconds(10));
        var (status, _, body) = await waiting;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("-32027", body, StringComparison.Ordinal);

        // Nobody waits again: the next is told at once.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await PostAsync("acme", token)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync("acme", "garbage")).Status);

        _shared.Outage = null;
        _time.Advance(IssuerKeys.RetryInterval);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", token)).Status);
    }

    [Fact]
    public async Task However_many_calls_wait_for_an_issuer_that_hangs_no_thread_does_and_it_is_asked_once()
    {
        const int Calls = 200;
        var fetches = 0;
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _shared.Outage = async context =>
        {
            Interlocked.Increment(ref fetches);
            arrived.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };

        // Each with a token of its own, so that none joins what is found out for another.
        var waiting = Enumerable
            .Range(0, Calls)
            .Select(i => PostAsync("acme", _shared.Mint(AcmeAudience, claims => claims["sub"] = $"{i}")))
            .ToArray();
        await arrived.Task;
        await Poll.UntilAsync(() => Task.FromResult(_server.Services.GetRequiredService<Arrivals>().Count == Calls));
        Assert.True(ThreadPool.ThreadCount < Calls, $"{ThreadPool.ThreadCount} threads for {Calls} calls that wait.");

        // Calls of every other tenant finish before any of these, and so do those of this one that need no keys.
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(
                HttpStatusCode.OK,
                (await PostAsync("initech", _own.Mint(InitechAudience, claims => claims["sub"] = $"{i}"))).Status
            );
            Assert.Equal(HttpStatusCode.OK, (await PostAsync("plain", "plain.one")).Status);
            Assert.NotNull(await _server.CallAsync("acme", token: null, "get_products"));
        }

        Assert.DoesNotContain(waiting, call => call.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status));
        Assert.Equal(1, fetches);
    }

    [Fact]
    public async Task Known_keys_serve_while_their_issuer_is_away()
    {
        var token = await _shared.GetTokenAsync("alice", AcmeAudience);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", token)).Status);
        _shared.Outage = context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        for (var minute = 0; minute < 40; minute += 8)
        {
            _time.Advance(TimeSpan.FromMinutes(8));
            Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", token)).Status);
        }
    }

    [Fact]
    public async Task A_change_of_the_issuer_takes_effect_at_the_next_request()
    {
        var (before, after) = (_shared.Mint(AcmeAudience), _own.Mint(AcmeAudience));
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", before)).Status);
        await PatchAsync("acme", $$"""{ "authentication": { "kind": "jwks", "issuer": "{{_own.Url}}" } }""");
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync("acme", before)).Status);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", after)).Status);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("globex", _shared.Mint(GlobexAudience))).Status);
    }

    [Fact]
    public async Task A_change_of_audiences_takes_effect_at_the_next_request_and_needs_no_new_keys_where_only_urls_change()
    {
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", _shared.Mint(AcmeAudience))).Status);
        var token = _shared.Mint("https://acme.example.com/mcp");
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync("acme", token)).Status);
        _shared.Outage = context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        await PatchAsync("acme", """{ "urls": ["https://acme.example.com"] }""");
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("acme", token)).Status);
    }

    [Fact]
    public async Task Options_go_with_their_tenant_and_when_they_are_idle()
    {
        var options = _server.Services.GetRequiredService<TenantJwts>();
        await PostAsync("acme", _shared.Mint(AcmeAudience));
        await PostAsync("globex", _shared.Mint(GlobexAudience));
        Assert.True(options.Has("acme") && options.Has("globex"));
        Assert.False(options.Has("initech"));

        (await _server.AdminAsync(HttpMethod.Delete, "/acme")).Dispose();
        Assert.False(options.Has("acme"));
        _time.Advance(TenantJwts.IdleTime);
        Assert.False(options.Has("globex"));
    }

    private static string Unsigned(string token)
    {
        var header = Base64UrlEncoder.Encode("""{"alg":"none","typ":"at+jwt"}""");
        return $"{header}.{token.Split('.')[1]}.";
    }

    private async Task RegisterAsync(string id, TestIssuer issuer)
    {
        using var answer = await _server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$"""{ "id": "{{id}}", "authentication": { "kind": "jwks", "issuer": "{{issuer.Url}}" } }"""
        );
        var body = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.StatusCode == HttpStatusCode.Created && JsonNode.Parse(body)!["health"]!.ToString() == "healthy", body);
    }

    private async Task PatchAsync(string id, string patch)
    {
        using var answer = await _server.AdminAsync(HttpMethod.Patch, "/" + id, patch);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }

    private async Task<string> WhoAsync(string tenant, string token, Way way = Way.Path, Generation generation = Generation.Stateless) =>
        (await _server.CallAsync(tenant, token, "whoami", way: way, generation: generation))["content"]![0]!["text"]!.ToString();

    private async Task<(HttpStatusCode Status, string Challenge, string Body)> PostAsync(
        string tenant,
        string? token,
        Way way = Way.Path,
        string? sessionId = null
    )
    {
        using var request = McpCalls.Post(_server.Port, way, tenant, token, McpCalls.Call("whoami"), sessionId: sessionId);
        using var response = await _server.Client.SendAsync(request, Cancellation);
        return (response.StatusCode, response.Headers.WwwAuthenticate.ToString(), await response.Content.ReadAsStringAsync(Cancellation));
    }

    /// <summary>Counts the requests to acme that show a token and are in the server.</summary>
    private sealed class Arrivals : IStartupFilter
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
            app =>
            {
                app.Use(
                    async (HttpContext context, RequestDelegate next) =>
                    {
                        var counts = context.Request.Path == "/acme/mcp" && context.Request.Headers.Authorization.Count > 0;
                        Interlocked.Add(ref _count, counts ? 1 : 0);
                        await next(context);
                        Interlocked.Add(ref _count, counts ? -1 : 0);
                    }
                );
                next(app);
            };
    }
}

using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>Who was let in by a token stays as long as that would let it in again, and no longer.</summary>
[Tier(Tier.Server)]
public sealed class StandingCallersTests : IAsyncLifetime
{
    private const string Audience = "https://acme.localhost/mcp";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private TestIssuer _issuer = null!;
    private TenancyServer _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            },
            services: services => services.AddSingleton<TimeProvider>(_time)
        );
        await AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$"""{ "id": "acme", "authentication": { "kind": "jwks", "issuer": "{{_issuer.Url}}", "requireClients": true } }"""
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_stream_ends_with_its_token_and_with_its_client()
    {
        var agent = await ListAsync("agent");
        await ListAsync("other");
        await using var expiring = await OpenAsync("agent", TimeSpan.FromMinutes(3));
        await using var removed = await OpenAsync("agent", TimeSpan.FromHours(3));
        await using var staying = await OpenAsync("other", TimeSpan.FromHours(3));

        // The clocks of issuers may differ by a minute.
        for (var second = 0; second < 210; second += 15)
        {
            _time.Advance(Interval);
            foreach (var stream in new[] { expiring, removed, staying })
            {
                Assert.Equal(OpenStream.Comment, await stream.ReadAsync());
            }
        }

        _time.Advance(Interval * 2);
        _time.Advance(Interval);
        Assert.DoesNotContain("event", await expiring.ReadToEndAsync(), StringComparison.Ordinal);
        await staying.ReadUntilAsync(OpenStream.Comment);
        await removed.ReadUntilAsync(OpenStream.Comment);
        await AdminAsync(HttpMethod.Delete, $"/acme/clients/{agent}");
        await removed.ReadToEndAsync();
        _time.Advance(Interval);
        await staying.ReadUntilAsync(OpenStream.Comment);
    }

    [Fact]
    public async Task A_stream_stays_while_the_identity_provider_is_away()
    {
        await ListAsync("agent");
        await using var stream = await OpenAsync("agent", TimeSpan.FromHours(3));
        _issuer.Outage = context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        for (var minute = 0; minute < 20; minute++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            await stream.ReadUntilAsync(OpenStream.Comment);
        }
    }

    [Fact]
    public async Task A_stream_whose_token_was_found_bad_ends_also_where_too_many_bad_ones_came_from_its_address()
    {
        await AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            """{ "id": "shop", "authentication": { "kind": "bearer" }, "principals": [{ "name": "a", "token": "shop.one" }] }"""
        );
        var session = await _server.InitializeAsync("shop", "shop.one");
        await using var stream = await OpenStream.GetAsync(_server, "shop.one", session, tenant: "shop");
        await stream.ReadUntilAsync(OpenStream.Comment);
        await ShowBadTokensAsync("shop");
        var principals = await AdminAsync(HttpMethod.Get, "/shop/principals");
        await AdminAsync(HttpMethod.Delete, $"/shop/principals/{principals!["principals"]![0]!["id"]}");
        await stream.ReadToEndAsync();
    }

    [Fact]
    public async Task Of_a_token_that_nobody_looks_at_only_its_end_can_be_told()
    {
        await ListAsync("agent");
        var callers = _server.Services.GetRequiredService<StandingCallers>();
        var acme = _server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        await ShowBadTokensAsync("acme");

        // The clocks of issuers may differ by a minute.
        Assert.Null(await IsStillGoodAsync(TimeSpan.FromSeconds(-59)));
        Assert.Null(await IsStillGoodAsync(TimeSpan.FromHours(1)));
        Assert.False(await IsStillGoodAsync(TimeSpan.FromSeconds(-61)));

        Task<bool?> IsStillGoodAsync(TimeSpan lifetime)
        {
            var http = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Loopback } };
            http.Request.Headers.Authorization = "Bearer " + Mint("agent", lifetime);
            http.Features.Set<ITenantFeature>(new TenantFeature(acme, null));
            return callers.IsStillGoodAsync(http, acme, CallerIdentity.Anonymous);
        }
    }

    private async Task ShowBadTokensAsync(string tenant)
    {
        HttpStatusCode status;
        var i = 0;
        do
        {
            using var request = McpCalls.Post(_server.Port, Way.Path, tenant, $"{tenant}.guess-{i}", McpCalls.Message("ping"));
            using var response = await _server.Client.SendAsync(request, Token);
            status = response.StatusCode;
        } while (status == HttpStatusCode.Unauthorized && i++ < 200);
        Assert.Equal(HttpStatusCode.TooManyRequests, status);
    }

    private string Mint(string client, TimeSpan lifetime) =>
        _issuer.Mint(Audience, claims => claims["client_id"] = client, expires: (_time.GetUtcNow() + lifetime).UtcDateTime);

    private async Task<OpenStream> OpenAsync(string client, TimeSpan lifetime)
    {
        var token = Mint(client, lifetime);
        var session = await _server.InitializeAsync("acme", token);
        var stream = await OpenStream.GetAsync(_server, token, session);
        Assert.Equal(HttpStatusCode.OK, stream.Response.StatusCode);
        await stream.ReadUntilAsync(OpenStream.Comment);
        return stream;
    }

    private async Task<string> ListAsync(string client) =>
        (await AdminAsync(HttpMethod.Post, "/acme/clients", $$"""{ "clientId": "{{client}}" }"""))!["handle"]!.ToString();

    private async Task<JsonNode?> AdminAsync(HttpMethod method, string path, string? body = null)
    {
        using var answer = await _server.AdminAsync(method, path, body);
        var text = await answer.Content.ReadAsStringAsync(Token);
        Assert.True(answer.IsSuccessStatusCode, text);
        return text.Length > 0 ? JsonNode.Parse(text) : null;
    }
}

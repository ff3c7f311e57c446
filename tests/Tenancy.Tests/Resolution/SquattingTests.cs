using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy.Administration;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Resolution;

/// <summary>
/// What an id implies, <c>{id}.BaseDomain</c> and <c>/{id}</c>, belongs to that id alone, whether or not there is such a tenant yet.
/// </summary>
[Tier(Tier.Process)]
public sealed class SquattingTests(SquattingTests.Server shared) : IClassFixture<SquattingTests.Server>
{
    private static readonly Dictionary<string, string?> Settings = new(TenancyServer.DefaultSettings)
    {
        ["Tenancy:BaseDomain"] = "agents.example.com",
        ["Tenancy:PublicUrl"] = "https://mcp.example.com",
    };

    [Theory]
    [InlineData("https://acme.agents.example.com", "acme")]
    [InlineData("https://ACME.Agents.Example.com.", "acme")]
    [InlineData("http://acme.agents.example.com:8443", "acme")]
    [InlineData("https://acme.agents.example.com/x/y", "acme")]
    [InlineData("https://acme.agents.example.com/globex", "acme")]
    [InlineData("https://acme.agents.example.com/X", "acme")]
    [InlineData("https://unborn.agents.example.com", "unborn")]
    [InlineData("https://globex.agents.example.com/acme", "acme")]
    [InlineData("https://shared.example.com/acme", "acme")]
    [InlineData("https://shared.example.com/acme/", "acme")]
    [InlineData("https://mcp.example.com/unborn", "unborn")]
    [InlineData("https://acme.example.com", "acme")]
    [InlineData("http://acme.example.com:443", "acme")]
    [InlineData("https://mcp.example.com", "this server's own")]
    [InlineData("https://agents.example.com", "this server's own")]
    [InlineData("https://shared.example.com/b\u00fccher", "need an escape")]
    [InlineData("https://shared.example.com/x/%61cme", "escapes")]
    [InlineData("https://shared.example.com/x/../acme", "dot segments")]
    [InlineData("https://shared.example.com/x/.. ", "dot segments")]
    [InlineData("https://shared.example.com\\@evil.example", "")]
    public async Task A_url_that_is_not_ones_own_is_refused_in_a_registration_and_in_a_change(string url, string names)
    {
        var server = shared.Host;
        using var registration = await server.AdminAsync(HttpMethod.Post, "", new { id = "squatter", urls = new[] { url } });
        await AssertRefusedAsync(registration, names);
        using var change = await server.AdminAsync(HttpMethod.Patch, "/globex", new { urls = new[] { "https://globex.example.com", url } });
        await AssertRefusedAsync(change, names);
        using var forced = await server.AdminAsync(HttpMethod.Patch, "/globex?force=true", new { urls = new[] { url } });
        await AssertRefusedAsync(forced, names);

        using var globex = await server.AdminAsync(HttpMethod.Get, "/globex");
        Assert.Equal(
            "https://shared.example.com/shops/globex",
            Assert.Single((await McpCalls.ReadAsync(globex))["urls"]!.AsArray())!.ToString()
        );
        using var squatter = await server.AdminAsync(HttpMethod.Get, "/squatter");
        Assert.Equal(HttpStatusCode.NotFound, squatter.StatusCode);
    }

    [Theory]
    [InlineData("https://globex.agents.example.com")]
    [InlineData("https://globex.agents.example.com/x/y")]
    [InlineData("https://shared.example.com/globex")]
    [InlineData("https://globex.agents.example.com/globex")]
    [InlineData("https://shared.example.com/a/b/c")]
    [InlineData("https://mcp.example.com/a/b")]
    public async Task A_url_that_is_implied_by_ones_own_id_or_by_none_is_accepted(string url)
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        using var change = await server.AdminAsync(HttpMethod.Patch, "/globex", new { urls = new[] { url } });
        Assert.Equal(HttpStatusCode.OK, change.StatusCode);
    }

    [Fact]
    public async Task An_id_is_refused_while_another_tenant_owns_what_it_implies()
    {
        // The base domain came later than the tenant that is below it.
        await using var redis = await RedisServer.StartAsync();
        var before = new Dictionary<string, string?>(Settings)
        {
            ["Tenancy:BaseDomain"] = "old.example.com",
            ["Tenancy:Tenants:1:urls:0"] = "https://unborn.agents.example.com",
        };
        await using (await TenancyServer.StartAsync(settings: before, redis: redis)) { }

        await using var server = await TenancyServer.StartAsync(settings: Settings, redis: redis);
        using var refused = await server.AdminAsync(HttpMethod.Post, "", new { id = "unborn" });
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("globex", await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);

        using var change = await server.AdminAsync(HttpMethod.Patch, "/globex", new { urls = Array.Empty<string>() });
        Assert.Equal(HttpStatusCode.OK, change.StatusCode);
        using var accepted = await server.AdminAsync(HttpMethod.Post, "", new { id = "unborn" });
        Assert.Equal(HttpStatusCode.Created, accepted.StatusCode);
    }

    [Theory]
    [InlineData("https://mcp.example.com/api", "api", "is the first part of the path of Tenancy:PublicUrl")]
    [InlineData("https://mcp.example.com/api/v1", "api", "is the first part of the path of Tenancy:PublicUrl")]
    [InlineData("https://calls.agents.example.com", "calls", "is the host of Tenancy:PublicUrl")]
    public async Task An_id_that_the_public_url_has_is_refused_by_the_api_by_sources_and_at_the_start(string url, string id, string reason)
    {
        var settings = new Dictionary<string, string?>(Settings) { ["Tenancy:PublicUrl"] = url };
        await using (var server = await TenancyServer.StartAsync(settings: settings))
        {
            using var response = await server.AdminAsync(HttpMethod.Post, "", new { id });
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            var errors = (await McpCalls.ReadAsync(response))["errors"]!;
            Assert.Contains(reason, errors["id"]![0]!.ToString(), StringComparison.Ordinal);
            Assert.Contains("choose another id", errors["id"]![0]!.ToString(), StringComparison.Ordinal);

            var administration = server.Services.GetRequiredService<ITenantAdministration>();
            var refused = await Assert.ThrowsAsync<TenantConfigException>(() =>
                administration.RegisterAsync(new TenantConfig { Id = id }, cancellationToken: TestContext.Current.CancellationToken)
            );
            Assert.Equal("id", Assert.Single(refused.Errors).Field);
        }

        settings["Tenancy:Tenants:1:id"] = id;
        settings["Tenancy:Tenants:1:principals:0:token"] = id + ".dev-buyer";
        var failed = await Assert.ThrowsAsync<OptionsValidationException>(() => TenancyServer.StartAsync(settings: settings));
        Assert.Contains(failed.Failures, failure => failure.StartsWith("Tenancy:Tenants:1:id", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stored_tenant_whose_id_the_public_url_has_got_since_is_out_of_service_alone()
    {
        await using var redis = await RedisServer.StartAsync();
        await using (var before = await TenancyServer.StartAsync(settings: Settings, redis: redis))
        {
            using var registration = await before.AdminAsync(HttpMethod.Post, "", new { id = "api" });
            Assert.Equal(HttpStatusCode.Created, registration.StatusCode);
        }

        var settings = new Dictionary<string, string?>(Settings)
        {
            ["Tenancy:PublicUrl"] = "https://mcp.example.com/api",
            ["Tenancy:DefaultTenant"] = "acme",
        };
        await using var server = await TenancyServer.StartAsync(settings: settings, redis: redis);
        await Poll.UntilAsync(async () =>
        {
            using var answer = await server.AdminAsync(HttpMethod.Get, "/api");
            var tenant = await McpCalls.ReadAsync(answer);
            return tenant["health"]!.ToString() == "disabled"
                && tenant["reason"]!.ToString().Contains("choose another id", StringComparison.Ordinal);
        });
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, "/globex/mcp"));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, "/api/globex/mcp"));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, "/api/mcp"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await CallAsync(server, "/api/api/mcp"));

        using var deletion = await server.AdminAsync(HttpMethod.Delete, "/api");
        Assert.Equal(HttpStatusCode.NoContent, deletion.StatusCode);
    }

    [Fact]
    public async Task The_host_of_the_public_url_names_no_tenant_where_it_is_below_the_base_domain()
    {
        var settings = new Dictionary<string, string?>(Settings) { ["Tenancy:PublicUrl"] = "https://calls.agents.example.com" };
        await using var server = await TenancyServer.StartAsync(settings: settings);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, "/globex/mcp", "calls.agents.example.com"));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, "/mcp", "globex.agents.example.com"));
    }

    private static async Task<HttpStatusCode> CallAsync(TenancyServer server, string path, string host = "mcp.example.com")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(McpCalls.Call("get_products"), System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Host = host;
        request.Headers.Add("Accept", "application/json");
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    private static async Task AssertRefusedAsync(HttpResponseMessage response, string names)
    {
        Assert.True(response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Conflict, $"{response.StatusCode}");
        var problem = await response.Content.ReadFromJsonAsync<System.Text.Json.Nodes.JsonNode>(TestContext.Current.CancellationToken);
        Assert.Contains(names, problem!.ToString().Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.StartsWith("urls", problem["errors"]!.AsObject().First().Key, StringComparison.Ordinal);
    }

    /// <summary>One server for all URLs that are refused: none of them changes it.</summary>
    public sealed class Server : IAsyncLifetime
    {
        internal TenancyServer Host { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Host = await TenancyServer.StartAsync(settings: Settings);

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }
}

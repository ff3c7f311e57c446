using System.Net;
using System.Net.Http.Json;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Resolution;

/// <summary>
/// What an id implies, <c>{id}.BaseDomain</c> and <c>/{id}</c>, belongs to that id alone, whether or not there is such a tenant yet.
/// </summary>
[Tier(Tier.Process)]
public sealed class SquattingTests
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
        await using var server = await TenancyServer.StartAsync(settings: Settings);
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

    private static async Task AssertRefusedAsync(HttpResponseMessage response, string names)
    {
        Assert.True(response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Conflict, $"{response.StatusCode}");
        var problem = await response.Content.ReadFromJsonAsync<System.Text.Json.Nodes.JsonNode>(TestContext.Current.CancellationToken);
        Assert.Contains(names, problem!.ToString().Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.StartsWith("urls", problem["errors"]!.AsObject().First().Key, StringComparison.Ordinal);
    }
}

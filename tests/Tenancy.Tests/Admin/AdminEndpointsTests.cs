using System.Net;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>Tenants come and go while the server runs.</summary>
[Tier(Tier.Process)]
public sealed class AdminEndpointsTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private static readonly object Initech = new
    {
        id = "initech",
        urls = new[] { "https://ads.initech.example", "https://shared.example.com/pubs/initech" },
        settings = new { product = "initech-poster" },
        principals = new[] { new { name = "Buyer" } },
    };

    private static readonly object InitechAlone = new
    {
        id = "initech",
        urls = new[] { "https://ads.initech.example", "https://shared.example.com/pubs/initech" },
        settings = new { product = "initech-poster" },
    };

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_new_tenant_answers_with_the_very_next_request_and_a_deleted_one_is_404(StoreKind store)
    {
        await using var server = await TenancyServer.StartAsync(store);
        using var created = await server.AdminAsync(HttpMethod.Post, "", Initech);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var token = (await McpCalls.ReadAsync(created))["principals"]![0]!["token"]!.ToString();
        Assert.StartsWith("initech.", token, StringComparison.Ordinal);

        foreach (
            var url in new[]
            {
                "http://ads.initech.example/mcp",
                "http://initech.localhost/mcp",
                $"http://127.0.0.1:{server.Port}/initech/mcp",
                "http://shared.example.com/pubs/initech/mcp",
            }
        )
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, url, token));
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, url, McpCalls.Acme));
        }

        using var deleted = await server.AdminAsync(HttpMethod.Delete, "/initech");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, $"http://127.0.0.1:{server.Port}/initech/mcp", token));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, "http://initech.localhost/mcp", token));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(server, "http://ads.initech.example/mcp", token));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, "http://shared.example.com/pubs/initech/mcp", token));
        using var again = await server.AdminAsync(HttpMethod.Delete, "/initech");
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_tenant_created_again_has_nothing_of_the_deleted_one(StoreKind store)
    {
        await using var server = await TenancyServer.StartAsync(store);
        var old = await CreateAsync();
        await server.CallAsync("initech", old, "create_media_buy", McpCalls.CreateBuy());
        var session = await server.InitializeAsync("initech", old);
        using var deleted = await server.AdminAsync(HttpMethod.Delete, "/initech");
        var fresh = await CreateAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, $"http://127.0.0.1:{server.Port}/initech/mcp", old));
        Assert.Empty((await server.CallAsync("initech", fresh, "get_media_buys"))["structuredContent"]!["media_buys"]!.AsArray());
        using var request = McpCalls.Post(server.Port, Way.Path, "initech", fresh, McpCalls.Call("whoami"), Generation.Sessions, session);
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);

        async Task<string> CreateAsync()
        {
            using var created = await server.AdminAsync(HttpMethod.Post, "", Initech);
            Assert.Equal(HttpStatusCode.Created, created.StatusCode);
            return (await McpCalls.ReadAsync(created))["principals"]![0]!["token"]!.ToString();
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("wrong")]
    [InlineData("dev-admin-key2")]
    public async Task Without_the_key_nothing_is_shown_or_changed(string? key)
    {
        await using var server = await TenancyServer.StartAsync();
        foreach (
            var (method, path) in new[]
            {
                (HttpMethod.Get, ""),
                (HttpMethod.Get, "/acme"),
                (HttpMethod.Delete, "/acme"),
                (HttpMethod.Post, ""),
            }
        )
        {
            using var response = await server.AdminAsync(method, path, method == HttpMethod.Post ? Initech : null, key);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.DoesNotContain(
                "acme",
                await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
                StringComparison.Ordinal
            );
        }

        Assert.NotNull(await server.CallAsync("acme", McpCalls.Acme, "get_products"));
    }

    [Fact]
    public async Task Without_a_configured_key_there_is_no_admin_api()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings);
        settings.Remove("Tenancy:Admin:Keys:0");
        await using var server = await TenancyServer.StartAsync(settings: settings);
        using var response = await server.AdminAsync(HttpMethod.Get, "");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Theory]
    [InlineData("""{"id":"Acme!"}""", "id")]
    [InlineData("""{"id":"admin"}""", "id")]
    [InlineData("""{"id":""}""", "id")]
    [InlineData("""{"id":"../x"}""", "id")]
    [InlineData("""{}""", "")]
    [InlineData("""{"id":"x","platfrom":"publisher"}""", "platfrom")]
    [InlineData("""{"id":"x","platform":"nothing"}""", "platform")]
    [InlineData("""{"id":"x","status":"asleep"}""", "status")]
    [InlineData("""{"id":"x","urls":["ftp://x.example"]}""", "urls[0]")]
    [InlineData("""{"id":"x","urls":["https://user@x.example"]}""", "urls[0]")]
    [InlineData("""{"id":"x","urls":["https://x.example/a/b/c/d"]}""", "urls[0]")]
    [InlineData("""{"id":"x","urls":["https://x.example/a/../b"]}""", "urls[0]")]
    [InlineData("""{"id":"x","urls":["https://x.example?q=1"]}""", "urls[0]")]
    [InlineData("""{"id":"x","urls":["https://x.example","http://X.example:443/"]}""", "urls[1]")]
    [InlineData("""{"id":"x","urls":["https://acme.localhost"]}""", "urls[0]")]
    [InlineData("""{"id":"x","urls":["https://x.example/acme"]}""", "urls[0]")]
    [InlineData("""{"id":"x","limits":{"maxSessions":0}}""", "limits.maxSessions")]
    [InlineData("""{"id":"x","limits":{"maxClients":10001}}""", "limits.maxClients")]
    [InlineData("""{"id":"x","limits":{"maxSessions":100001}}""", "limits.maxSessions")]
    [InlineData("""{"id":"x","limits":{"rateLimit":60000001}}""", "limits.rateLimit")]
    [InlineData("""{"id":"x","limits":{"rateLimitPerCaller":60000001}}""", "limits.rateLimitPerCaller")]
    [InlineData("""{"id":"x","limits":{"maxConcurrentCalls":10001}}""", "limits.maxConcurrentCalls")]
    [InlineData("""{"id":"x","limits":{"maxDocumentBytes":1099511627777}}""", "limits.maxDocumentBytes")]
    [InlineData("""{"id":"x","limits":{"maxIdempotencyRecords":100000001}}""", "limits.maxIdempotencyRecords")]
    [InlineData("""{"id":"x","limits":{"maxIdempotencyBytes":1099511627777}}""", "limits.maxIdempotencyBytes")]
    [InlineData("""{"id":"x","limits":{"idempotencyInserts":10001}}""", "limits.idempotencyInserts")]
    [InlineData("""{"id":"x","limits":{"idempotencyInsertBurst":0}}""", "limits.idempotencyInsertBurst")]
    [InlineData("""{"id":"x","limits":{"maxSessions":"many"}}""", "limits.maxSessions")]
    [InlineData("""{"id":"x","authentication":{"kind":"magic"}}""", "authentication.kind")]
    [InlineData("""{"id":"x","settings":[]}""", "settings")]
    [InlineData("""{"id":"x","principals":[{"name":"n","token":"acme.secret"}]}""", "principals[0].token")]
    [InlineData("""{"id":"x","principals":[{"name":""}]}""", "principals[0].name")]
    [InlineData("""{"id":"x","id":"y"}""", "id")]
    [InlineData("""not json""", "")]
    public async Task A_mistake_is_answered_with_the_field_and_changes_nothing(string body, string field)
    {
        var server = shared.Host;
        using var response = await server.AdminAsync(HttpMethod.Post, "", body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = await McpCalls.ReadAsync(response);
        Assert.Equal([field], problem["errors"]!.AsObject().Select(error => error.Key));
        using var list = await server.AdminAsync(HttpMethod.Get, "");
        Assert.Equal(
            ["acme", "globex"],
            (await McpCalls.ReadAsync(list))["tenants"]!.AsArray().Select(tenant => tenant!["id"]!.ToString())
        );
    }

    [Fact]
    public async Task A_tenant_may_have_as_much_as_the_bounds_of_its_limits_say()
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await server.AdminAsync(
            HttpMethod.Post,
            "",
            """
            {"id":"x","limits":{"maxClients":10000,"maxSessions":100000,"rateLimit":60000000,"rateLimitPerCaller":60000000,
            "maxConcurrentCalls":10000,"maxDocumentBytes":1099511627776,"maxIdempotencyRecords":100000000,
            "maxIdempotencyBytes":1099511627776,"idempotencyInserts":10000,"idempotencyInsertBurst":10000}}
            """
        );
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    [Theory]
    [InlineData("https://acme.example.com")]
    [InlineData("http://ACME.example.com:80/")]
    [InlineData("https://acme.example.com.")]
    public async Task A_url_of_another_tenant_is_a_conflict_that_names_the_owner(string url)
    {
        var server = shared.Host;
        using var response = await server.AdminAsync(HttpMethod.Post, "", new { id = "thief", urls = new[] { url } });
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains("'acme'", (await McpCalls.ReadAsync(response))["errors"]!["urls"]![0]!.ToString(), StringComparison.Ordinal);
        Assert.NotNull(await server.CallAsync("acme", McpCalls.Acme, "get_products"));
    }

    [Fact]
    public async Task An_equal_tenant_again_changes_nothing_and_a_different_one_is_a_conflict()
    {
        await using var server = await TenancyServer.StartAsync();
        using var first = await server.AdminAsync(HttpMethod.Post, "", Initech);
        using var unclear = await server.AdminAsync(HttpMethod.Post, "", Initech);
        Assert.Equal(HttpStatusCode.Conflict, unclear.StatusCode);
        using var second = await server.AdminAsync(HttpMethod.Post, "", InitechAlone);
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        var (before, after) = (await McpCalls.ReadAsync(first), await McpCalls.ReadAsync(second));
        Assert.Equal(before["version"]!.ToString(), after["version"]!.ToString());
        Assert.Empty(after["principals"]!.AsArray());
        using var third = await server.AdminAsync(
            HttpMethod.Post,
            "",
            new
            {
                id = "initech",
                name = "Other",
                principals = new[] { new { name = "Intruder", token = "initech.intruder" } },
            }
        );
        Assert.Equal(HttpStatusCode.Conflict, third.StatusCode);
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await StatusAsync(server, $"http://127.0.0.1:{server.Port}/initech/mcp", "initech.intruder")
        );
    }

    private static async Task<HttpStatusCode> StatusAsync(TenancyServer server, string url, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new StringContent(McpCalls.Call("whoami"), System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Authorization", "Bearer " + token);
        request.Headers.Add("Accept", "application/json");
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }
}

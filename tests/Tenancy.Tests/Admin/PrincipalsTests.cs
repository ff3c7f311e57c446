using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>An admin issues, lists, rotates and revokes the principals of a tenant.</summary>
[Tier(Tier.Process)]
public sealed class PrincipalsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_token_is_shown_once_works_at_its_tenant_and_is_kept_as_a_hash(StoreKind store)
    {
        await using var server = await TenancyServer.StartAsync(store);
        var (id, token) = await IssueAsync(server, """{ "name": "second", "scopes": ["buy"] }""");
        Assert.Matches("^acme\\.[A-Za-z0-9_-]{43}$", token);
        Assert.Equal(
            $"acme|principal:{id}|principal:{id}",
            (await server.CallAsync("acme", token, "whoami"))["content"]![0]!["text"]!.ToString()
        );
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "globex", token));

        var list = await ReadAsync(await server.AdminAsync(HttpMethod.Get, "/acme/principals"));
        Assert.Equal(["buyer", "second"], list["principals"]!.AsArray().Select(principal => principal!["name"]!.ToString()));
        Assert.Equal("buy", list["principals"]![1]!["scopes"]![0]!.ToString());
        Assert.DoesNotContain(token, list.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain(TenantKeyspace.Hash(token), list.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain(
            id,
            (await ReadAsync(await server.AdminAsync(HttpMethod.Get, "/globex/principals"))).ToJsonString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_token_that_is_issued_before_the_tenant_asks_for_tokens_opens_nothing_until_then()
    {
        await using var server = await TenancyServer.StartAsync();
        var jwks = """{"authentication":{"kind":"jwks","issuer":"https://login.example","audiences":["api"]}}""";
        using (var before = await server.AdminAsync(HttpMethod.Patch, "/acme?force=true", jwks))
        {
            Assert.True(before.IsSuccessStatusCode, await before.Content.ReadAsStringAsync(Cancellation));
        }

        var (_, token) = await IssueAsync(server, """{ "name": "second" }""");
        Assert.NotEqual(HttpStatusCode.OK, await StatusAsync(server, "acme", token));
        using (var after = await server.AdminAsync(HttpMethod.Patch, "/acme?force=true", """{"authentication":null}"""))
        {
            Assert.True(after.IsSuccessStatusCode, await after.Content.ReadAsStringAsync(Cancellation));
        }

        await Poll.UntilAsync(async () => await StatusAsync(server, "acme", token) == HttpStatusCode.OK);
    }

    [Fact]
    public async Task Neither_the_store_nor_the_log_nor_another_answer_has_a_token()
    {
        await using var redis = await RedisServer.StartAsync();
        var log = new LogRecorder(LogLevel.Trace);
        await using var server = await TenancyServer.StartAsync(redis: redis, services: services =>
            services.AddSingleton<ILoggerProvider>(log).AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace))
        );
        var (id, first) = await IssueAsync(server, """{ "name": "second" }""");
        var second = await RotateAsync(server, id, "?overlap=60");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", second));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "globex", second));

        var stored = await redis.ReadAllAsync();
        Assert.Contains(TenantKeyspace.Hash(second), stored, StringComparison.Ordinal);
        var answers = string.Concat(
            await Task.WhenAll(
                new[] { "", "/acme", "/acme/principals" }.Select(async path =>
                    (await ReadAsync(await server.AdminAsync(HttpMethod.Get, path))).ToJsonString()
                )
            )
        );
        Assert.Contains(log.Entries, entry => entry.Text.Contains("/acme/mcp", StringComparison.Ordinal));
        foreach (var secret in new[] { first, second }.Select(token => token["acme.".Length..]))
        {
            Assert.DoesNotContain(secret, stored, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, answers, StringComparison.Ordinal);
            Assert.DoesNotContain(log.Entries, entry => entry.Text.Contains(secret, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_tenant_that_is_deleted_and_made_again_has_none_of_its_old_principals()
    {
        await using var server = await TenancyServer.StartAsync();
        var (id, token) = await IssueAsync(server, """{ "name": "second" }""");
        using var deleted = await server.AdminAsync(HttpMethod.Delete, "/acme");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        using var made = await server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            """{ "id": "acme", "principals": [{ "name": "second" }] }"""
        );
        var principal = (await McpCalls.ReadAsync(made))["principals"]![0]!;
        Assert.NotEqual(id, principal["id"]!.ToString());
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "acme", token));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "acme", McpCalls.Acme));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", principal["token"]!.ToString()));
    }

    [Fact]
    public async Task A_revoked_token_is_useless_at_once_and_a_new_principal_of_the_name_is_another()
    {
        await using var server = await TenancyServer.StartAsync();
        var (oldId, oldToken) = await IssueAsync(server, """{ "name": "second" }""");
        var session = await server.InitializeAsync("acme", oldToken);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", oldToken));
        }

        Assert.Equal(HttpStatusCode.NoContent, await RevokeAsync(server, "acme", oldId));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "acme", oldToken));
        Assert.Equal(HttpStatusCode.NotFound, await RevokeAsync(server, "acme", oldId));

        var (newId, newToken) = await IssueAsync(server, """{ "name": "second" }""");
        Assert.NotEqual(oldId, newId);
        using var post = McpCalls.Post(server.Port, Way.Path, "acme", newToken, McpCalls.Call("whoami"), Generation.Sessions, session);
        using var answer = await server.Client.SendAsync(post, Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task On_another_node_a_revoked_token_is_useless_within_a_second()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var one = await TenancyServer.StartAsync(redis: redis);
        await using var two = await TenancyServer.StartAsync(redis: redis);
        var (id, token) = await IssueAsync(one, """{ "name": "second" }""");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(two, "acme", token));
        Assert.Equal(HttpStatusCode.NoContent, await RevokeAsync(one, "acme", id));
        await Poll.UntilAsync(async () => await StatusAsync(two, "acme", token) == HttpStatusCode.Unauthorized, seconds: 3);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_rotated_token_ends_at_once_or_when_the_overlap_does(StoreKind store)
    {
        var clock = new MovableClock();
        await using var server = await TenancyServer.StartAsync(store, services: services => services.AddSingleton<TimeProvider>(clock));
        var (id, first) = await IssueAsync(server, """{ "name": "second" }""");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", first));
        var second = await RotateAsync(server, id, "");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "acme", first));
        Assert.Equal(
            $"acme|principal:{id}|principal:{id}",
            (await server.CallAsync("acme", second, "whoami"))["content"]![0]!["text"]!.ToString()
        );

        var third = await RotateAsync(server, id, "?overlap=60");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", second));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", third));
        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "acme", second));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", third));

        var fourth = await RotateAsync(server, id, "?overlap=60");
        Assert.Equal(HttpStatusCode.NoContent, await RevokeAsync(server, "acme", id));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "acme", third));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "acme", fourth));
    }

    [Fact]
    public async Task Of_rotations_at_once_one_token_remains()
    {
        await using var server = await TenancyServer.StartAsync();
        var (id, _) = await IssueAsync(server, """{ "name": "second" }""");
        var tokens = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RotateAsync(server, id, "")));
        var statuses = await Task.WhenAll(tokens.Select(token => StatusAsync(server, "acme", token)));
        Assert.Single(statuses, HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_principal_of_one_tenant_is_none_of_another()
    {
        await using var server = await TenancyServer.StartAsync();
        var (id, token) = await IssueAsync(server, """{ "name": "second" }""");
        Assert.Equal(HttpStatusCode.NotFound, await RevokeAsync(server, "globex", id));
        using var rotated = await server.AdminAsync(HttpMethod.Post, $"/globex/principals/{id}/rotate");
        Assert.Equal(HttpStatusCode.NotFound, rotated.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", token));
    }

    [Theory]
    [InlineData("""{ "name": "" }""", "name")]
    [InlineData("""{ "name": "n", "token": "globex.x" }""", "token")]
    [InlineData("""{ "name": "n", "scopes": ["a b"] }""", "scopes[0]")]
    [InlineData("""{ "name": "n", "scope": [] }""", "scope")]
    [InlineData("""{ "name": "n", "name": "m" }""", "name")]
    [InlineData("""{ }""", "")]
    [InlineData("""[]""", "")]
    public async Task A_mistake_names_its_field(string body, string field)
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await server.AdminAsync(HttpMethod.Post, "/acme/principals", body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal([field], (await McpCalls.ReadAsync(response))["errors"]!.AsObject().Select(error => error.Key));
        using var overlap = await server.AdminAsync(HttpMethod.Post, "/acme/principals/any/rotate?overlap=-1");
        Assert.Equal(HttpStatusCode.BadRequest, overlap.StatusCode);
    }

    [Fact]
    public async Task A_tenant_has_a_thousand_principals_at_most()
    {
        await using var server = await TenancyServer.StartAsync();
        var acme = server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        var store = new PrincipalStore(server.Services.GetRequiredService<RedisConnection>(), acme.Id, acme.Generation);
        var created = await Task.WhenAll(
            Enumerable
                .Range(0, PrincipalStore.MaxPrincipals + 5)
                .Select(_ => store.CreateAsync(new() { Name = "n" }, DateTimeOffset.UtcNow))
        );
        Assert.Equal(PrincipalStore.MaxPrincipals - 1, created.Count(one => one.Issued is not null));
        using var response = await server.AdminAsync(HttpMethod.Post, "/acme/principals", """{ "name": "n" }""");
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", McpCalls.Acme));
    }

    [Fact]
    public async Task A_validator_of_ones_own_replaces_the_stores_principals_and_its_identities_are_the_tenants()
    {
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton<ITokenValidator, VisitorTokens>()
        );
        Assert.Equal(
            "acme|principal:7|principal:7",
            (await server.CallAsync("acme", "visitor-7@acme", "whoami"))["content"]![0]!["text"]!.ToString()
        );
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "globex", "visitor-7@acme"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "acme", McpCalls.Acme));

        // The same id at two tenants is two callers.
        var session = await server.InitializeAsync("acme", "visitor-7@acme");
        using var post = McpCalls.Post(
            server.Port,
            Way.Path,
            "globex",
            "visitor-7@globex",
            McpCalls.Call("whoami"),
            Generation.Sessions,
            session
        );
        using var answer = await server.Client.SendAsync(post, Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    private static async Task<(string Id, string Token)> IssueAsync(TenancyServer server, string body)
    {
        var response = await server.AdminAsync(HttpMethod.Post, "/acme/principals", body);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.True(response.Headers.CacheControl!.NoStore);
        var issued = await ReadAsync(response);
        return (issued["id"]!.ToString(), issued["token"]!.ToString());
    }

    private static async Task<string> RotateAsync(TenancyServer server, string id, string query) =>
        (await ReadAsync(await server.AdminAsync(HttpMethod.Post, $"/acme/principals/{id}/rotate{query}")))["token"]!.ToString();

    private static async Task<HttpStatusCode> RevokeAsync(TenancyServer server, string tenant, string id)
    {
        using var response = await server.AdminAsync(HttpMethod.Delete, $"/{tenant}/principals/{id}");
        return response.StatusCode;
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response)
    {
        using (response)
        {
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancellation));
            return await McpCalls.ReadAsync(response);
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(TenancyServer server, string tenant, string token)
    {
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, McpCalls.Call("whoami"));
        using var response = await server.Client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }

    /// <summary>Tokens of the form <c>visitor-7@acme</c>.</summary>
    private sealed class VisitorTokens : ITokenValidator
    {
        public ValueTask<TokenPrincipal?> ValidateAsync(TenantModel tenant, string token, CancellationToken cancellationToken) =>
            new(token.Split('-', '@') is ["visitor", var id, var at] && at == tenant.Id.Value ? new TokenPrincipal(id) : null);
    }
}

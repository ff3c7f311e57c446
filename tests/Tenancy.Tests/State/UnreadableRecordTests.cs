using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>A stored tenant that this release cannot read is that tenant's trouble alone.</summary>
[Tier(Tier.Process)]
public sealed class UnreadableRecordTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("record", """{"config":{"id":"acme","authentication":{"kind":"telepathy"}},"createdAt":"2026-01-01T00:00:00Z"}""")]
    [InlineData("record", "{ this is no JSON")]
    [InlineData("record", "{}")]
    [InlineData("record", "null")]
    [InlineData("format", "3")]
    [InlineData("record", """{"config":{"id":"globex"},"createdAt":"2026-01-01T00:00:00Z","sessionEpoch":"1","origin":"admin"}""")]
    [InlineData("version", "none")]
    [InlineData("generation", "none")]
    [InlineData("due", "{}")]
    [InlineData("due", "null")]
    public async Task It_is_there_reserved_and_disabled_with_the_reason_and_all_others_are_served(string field, string value)
    {
        await using var redis = await RedisServer.StartAsync();
        await using (await TenancyServer.StartAsync(redis: redis))
        {
            await redis.ExecuteAsync("HSET", "{tenants}:metadata:acme", field, value);
        }

        await using var server = await TenancyServer.StartAsync(redis: redis);
        await Poll.UntilAsync(() =>
            Task.FromResult(server.Services.GetRequiredService<TenantRegistry>().Get("globex") is { IsServing: true })
        );
        await server.CallAsync("globex", McpCalls.Globex, "whoami");
        var shown = await ReadAsync(await server.AdminAsync(HttpMethod.Get, "/acme"), HttpStatusCode.OK);
        Assert.Equal("disabled", shown["health"]!.ToString());
        Assert.Contains("cannot be read", shown["reason"]!.ToString(), StringComparison.Ordinal);

        // Its traffic falls through to nobody, and neither its id nor its URL can be had.
        using var call = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("whoami"));
        using var answer = await server.Client.SendAsync(call, Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        using var byUrl = new HttpRequestMessage(HttpMethod.Get, "/health") { Headers = { Host = "acme.example.com" } };
        using var health = await server.Client.SendAsync(byUrl, Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        await ReadAsync(await server.AdminAsync(HttpMethod.Post, "", """{"id":"acme"}"""), HttpStatusCode.Conflict);
        await ReadAsync(
            await server.AdminAsync(HttpMethod.Post, "", """{"id":"other","urls":["https://acme.example.com"]}"""),
            HttpStatusCode.Conflict
        );

        // What it has is not written over, and no check brings it back.
        await ReadAsync(await server.AdminAsync(HttpMethod.Patch, "/acme", """{"name":"A"}"""), HttpStatusCode.Conflict);
        var rechecked = await ReadAsync(await server.AdminAsync(HttpMethod.Post, "/acme/recheck"), HttpStatusCode.OK);
        Assert.Equal("disabled", rechecked["health"]!.ToString());
        using var deleted = await server.AdminAsync(HttpMethod.Delete, "/acme");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await ReadAsync(await server.AdminAsync(HttpMethod.Post, "", """{"id":"acme"}"""), HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_key_of_another_kind_is_that_tenants_trouble_alone()
    {
        await using var redis = await RedisServer.StartAsync();
        await using (await TenancyServer.StartAsync(redis: redis))
        {
            await redis.ExecuteAsync("DEL", "{tenants}:metadata:acme");
            await redis.ExecuteAsync("RPUSH", "{tenants}:metadata:acme", "a");
        }

        await using var server = await TenancyServer.StartAsync(redis: redis);
        await server.CallAsync("globex", McpCalls.Globex, "whoami");
        using var call = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("whoami"));
        using var answer = await server.Client.SendAsync(call, Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
    }

    [Fact]
    public async Task A_tenant_whose_own_part_of_the_store_does_not_answer_keeps_no_other_from_being_served()
    {
        await using var redis = await RedisServer.StartAsync();
        var generation = new TenantKeyspace(TenantId.Parse("acme")).Generation.Value.ToString();
        await using (await TenancyServer.StartAsync(redis: redis))
        {
            await redis.ExecuteAsync("HSET", "{tenants}:metadata:acme", "due", "[]");
            await redis.ExecuteAsync("ZADD", "{tenants}:unfinished", "1", "acme");
            await redis.ExecuteAsync("RENAME", generation, "{tenants}:aside");
            await redis.ExecuteAsync("RPUSH", generation, "what no script can read");
        }

        await using var server = await TenancyServer.StartAsync(redis: redis);
        await server.CallAsync("globex", McpCalls.Globex, "whoami");
        Assert.Null(server.Services.GetRequiredService<TenantRegistry>().Get("acme"));

        // It is completed when that answers again.
        await redis.ExecuteAsync("RENAME", "{tenants}:aside", generation);
        await server.Services.GetRequiredService<Tenancy.Fleet.UnfinishedTenants>().CompleteAsync(Token);
        await server.CallAsync("acme", McpCalls.Acme, "whoami");
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync(Token);
            Assert.True(answer.StatusCode == status, $"{(int)answer.StatusCode} {text}");
            return JsonNode.Parse(text)!;
        }
    }
}

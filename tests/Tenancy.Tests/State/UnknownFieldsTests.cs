using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using StackExchange.Redis;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.State;

/// <summary>What a later release has written into a tenant's record outlives what this one changes of it.</summary>
[Tier(Tier.Process)]
public sealed class UnknownFieldsTests
{
    private const string Shop = """
        {"id":"shop","principals":[{"name":"a","token":"shop.one"}],"limits":{"rateLimit":500,"tools":{"whoami":{"rateLimit":7}}},
         "settings":{"product":"kept"}}
        """;

    [Fact]
    public async Task They_are_there_after_a_patch_and_the_rest_is_changed()
    {
        await using var redis = await RedisServer.StartAsync();
        await using (var later = await TenancyServer.StartAsync(redis: redis))
        {
            using var made = await later.AdminAsync(HttpMethod.Post, "", Shop);
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        }

        await using var store = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        var record = JsonNode.Parse((await RecordAsync(store)).ToString())!;
        record["region"] = "eu";
        record["config"]!["colors"] = new JsonObject { ["primary"] = new JsonArray(1, null, "x") };
        record["config"]!["limits"]!["burst"] = 12.50m;
        record["config"]!["limits"]!["tools"]!["whoami"]!["window"] = JsonValue.Create((string?)null);
        record["config"]!["authentication"]!["proof"] = false;
        await store.GetDatabase().HashSetAsync("{tenants}:metadata:shop", "record", record.ToJsonString());

        await using var server = await TenancyServer.StartAsync(redis: redis);
        for (var i = 0; i < 2; i++)
        {
            using var patched = await server.AdminAsync(
                HttpMethod.Patch,
                "/shop",
                $$$"""{"name":"N{{{i}}}","limits":{"rateLimit":60{{{i}}}}}"""
            );
            Assert.Equal(HttpStatusCode.OK, patched.StatusCode);
            record["config"]!["name"] = $"N{i}";
            record["config"]!["limits"]!["rateLimit"] = 600 + i;
            var kept = JsonNode.Parse((await RecordAsync(store)).ToString());
            Assert.True(JsonNode.DeepEquals(record, kept), $"{record}\n{kept}");
        }

        // What was in an object goes with it.
        using var without = await server.AdminAsync(HttpMethod.Patch, "/shop", """{"limits":{"tools":null}}""");
        Assert.Equal(HttpStatusCode.OK, without.StatusCode);
        record["config"]!["limits"]!.AsObject().Remove("tools");
        Assert.True(JsonNode.DeepEquals(record, JsonNode.Parse((await RecordAsync(store)).ToString())));
    }

    [Fact]
    public void Where_there_are_none_nothing_is_kept()
    {
        const string Known =
            """{"config":{"id":"a","urls":["https://a.example"],"settings":{"any":{"x":1}}},"createdAt":"2026-01-01T00:00:00Z"}""";
        Assert.Null(UnknownFields.Of(Encoding.UTF8.GetBytes(Known), TenantStoreJson.Default.StoredTenant));
        Assert.Same(Known, UnknownFields.Add(Known, null));

        // In whatever order and case.
        const string Other =
            """{"createdAt":"2026-01-01T00:00:00Z","CONFIG":{"settings":{"any":{"x":1}},"URLs":["https://a.example"],"id":"a"}}""";
        Assert.Null(UnknownFields.Of(Encoding.UTF8.GetBytes(Other), TenantStoreJson.Default.StoredTenant));
    }

    private static Task<RedisValue> RecordAsync(ConnectionMultiplexer store) =>
        store.GetDatabase().HashGetAsync("{tenants}:metadata:shop", "record");
}

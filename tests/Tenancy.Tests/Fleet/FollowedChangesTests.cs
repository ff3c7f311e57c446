using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Fleet;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;
using Tenancy.Validation;

namespace Tenancy.Tests.Fleet;

/// <summary>A change that is made on one node is the truth on all of them.</summary>
[Tier(Tier.Process)]
public sealed class FollowedChangesTests
{
    private const string Shop = """{"id":"shop","principals":[{"name":"a","token":"shop.one"}]}""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, "00:01:00")]
    [InlineData(false, "00:00:00.2")]
    public async Task What_one_node_changes_the_other_serves(bool areHeard, string pollInterval)
    {
        await using var nodes = await NodesOnOneStore.StartAsync(pollInterval: pollInterval, areHeard: areHeard);
        Assert.Equal(HttpStatusCode.NotFound, await nodes.StatusAsync(1, "shop", "shop.one"));
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);

        await AdminAsync(nodes[1], HttpMethod.Patch, "/shop", """{"status":"suspended"}""");
        await nodes.UntilAsync(0, "shop", "shop.one", HttpStatusCode.NotFound);
        await AdminAsync(nodes[0], HttpMethod.Patch, "/shop", """{"status":"active"}""");
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);

        await AdminAsync(nodes[1], HttpMethod.Patch, "/shop", """{"platform":"retailer","settings":{"product":"shelf"}}""");
        await Poll.UntilAsync(async () =>
            (await nodes[0].CallAsync("shop", "shop.one", "get_products")).ToJsonString().Contains("shelf", StringComparison.Ordinal)
        );

        await AdminAsync(nodes[1], HttpMethod.Post, "/shop/unregister");
        await nodes.UntilAsync(0, "shop", "shop.one", HttpStatusCode.NotFound);
        await AdminAsync(nodes[0], HttpMethod.Post, "?adopt=true", """{"id":"shop"}""");
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);
        await AdminAsync(nodes[1], HttpMethod.Delete, "/shop");
        await nodes.UntilAsync(0, "shop", "shop.one", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_change_is_seen_by_another_node_in_a_moment()
    {
        await using var nodes = await NodesOnOneStore.StartAsync();
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        var times = new List<TimeSpan>();
        for (var i = 0; i < 20; i++)
        {
            var isSuspended = i % 2 == 0;
            await AdminAsync(nodes[0], HttpMethod.Patch, "/shop", $$"""{"status":"{{(isSuspended ? "suspended" : "active")}}"}""");
            times.Add(await nodes.UntilAsync(1, "shop", "shop.one", isSuspended ? HttpStatusCode.NotFound : HttpStatusCode.OK));
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", times.Select(time => $"{time.TotalMilliseconds:0} ms")));
        Assert.InRange(times.Order().ElementAt(times.Count / 2), TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_limit_that_one_node_changes_counts_on_another_in_a_moment_whatever_that_has_in_hand()
    {
        await using var nodes = await NodesOnOneStore.StartAsync();
        await AdminAsync(nodes[0], HttpMethod.Patch, "/acme", """{"limits":{"rateLimit":60000}}""");
        for (var i = 0; i < 30; i++)
        {
            // Its slice grows.
            Assert.Equal(HttpStatusCode.OK, await nodes.StatusAsync(1, "acme", McpCalls.Acme));
        }

        await AdminAsync(nodes[0], HttpMethod.Patch, "/acme", """{"limits":{"rateLimit":1}}""");
        var less = await nodes.UntilAsync(1, "acme", McpCalls.Acme, HttpStatusCode.TooManyRequests);
        await AdminAsync(nodes[0], HttpMethod.Patch, "/acme", """{"limits":{"rateLimit":60000}}""");
        var more = await nodes.UntilAsync(1, "acme", McpCalls.Acme, HttpStatusCode.OK);
        TestContext.Current.TestOutputHelper?.WriteLine($"{less.TotalMilliseconds:0} ms and {more.TotalMilliseconds:0} ms");

        // A machine that is busy with other tests takes longer than a second for less.
        Assert.InRange(less + more, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task An_answer_says_what_the_store_has_on_a_node_that_was_told_nothing()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(areHeard: false);
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);

        // The other node has not heard of the tenant, and does not say that it is not there.
        Assert.Equal("shop", (await AdminAsync(nodes[1], HttpMethod.Get, "/shop"))["id"]!.ToString());
        var version = (long)(await AdminAsync(nodes[0], HttpMethod.Patch, "/shop", """{"name":"Shop"}"""))["version"]!;
        await AdminAsync(nodes[0], HttpMethod.Patch, "/shop", """{"status":"suspended"}""");

        // Nothing to change, as its own copy would have it.
        var resumed = await AdminAsync(nodes[1], HttpMethod.Patch, "/shop", """{"status":"active"}""");
        Assert.True((long)resumed["version"]! > version);
        Assert.Equal("Shop", resumed["name"]!.ToString());
        Assert.Equal("active", (await AdminAsync(nodes[0], HttpMethod.Get, "/shop"))["status"]!.ToString());

        await AdminAsync(nodes[0], HttpMethod.Patch, "/shop", """{"name":"Later"}""");
        using var outdated = new HttpRequestMessage(HttpMethod.Patch, "/admin/tenants/shop")
        {
            Content = new StringContent("""{"name":"Lost"}""", System.Text.Encoding.UTF8, "application/json"),
            Headers = { { "X-Admin-API-Key", TenancyServer.AdminKey }, { "If-Match", $"\"{resumed["version"]}\"" } },
        };
        using var refused = await nodes[1].Client.SendAsync(outdated, Token);
        Assert.Equal(HttpStatusCode.PreconditionFailed, refused.StatusCode);

        await AdminAsync(nodes[0], HttpMethod.Delete, "/shop");
        foreach (var (method, path) in Claims)
        {
            using var gone = await nodes[1].AdminAsync(method, path, method == HttpMethod.Get ? null : "{}");
            Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        }

        Assert.Null(nodes.Registry(1).Get("shop"));
    }

    [Fact]
    public async Task A_tenant_that_a_node_was_not_told_of_has_its_principals_and_clients_there()
    {
        const string Provider =
            """{"id":"sso","authentication":{"kind":"jwks","issuer":"https://id.example","audiences":["https://sso.example"]}}""";
        await using var nodes = await NodesOnOneStore.StartAsync(areHeard: false);

        // A tenant of its own for each request: the first one follows the store, and the node knows the tenant from then on.
        (HttpMethod Method, string Path, string? Body)[] requests =
        [
            (HttpMethod.Get, "/principals", null),
            (HttpMethod.Post, "/principals", """{"name":"b"}"""),
            (HttpMethod.Post, "/principals/ID/rotate", null),
            (HttpMethod.Delete, "/principals/ID", null),
        ];
        foreach (var (i, (method, path, body)) in requests.Index())
        {
            await AdminAsync(nodes[0], HttpMethod.Post, "", $$"""{"id":"t{{i}}","principals":[{"name":"a"}]}""");
            var principals = await AdminAsync(nodes[0], HttpMethod.Get, $"/t{i}/principals");
            var id = principals["principals"]![0]!["id"]!.ToString();
            await AdminAsync(nodes[1], method, $"/t{i}{path.Replace("ID", id, StringComparison.Ordinal)}", body);
        }

        (HttpMethod Method, string Path, string? Body)[] ofClients =
        [
            (HttpMethod.Get, "/clients", null),
            (HttpMethod.Post, "/clients", """{"clientId":"second"}"""),
            (HttpMethod.Get, "/clients/HANDLE", null),
            (HttpMethod.Post, "/clients/HANDLE/refresh", null),
            (HttpMethod.Delete, "/clients/HANDLE", null),
        ];
        foreach (var (i, (method, path, body)) in ofClients.Index())
        {
            await AdminAsync(nodes[0], HttpMethod.Post, "", Provider.Replace("sso", $"sso{i}", StringComparison.Ordinal));
            var client = await AdminAsync(nodes[0], HttpMethod.Post, $"/sso{i}/clients", """{"clientId":"first"}""");
            var handle = client["handle"]!.ToString();
            await AdminAsync(nodes[1], method, $"/sso{i}{path.Replace("HANDLE", handle, StringComparison.Ordinal)}", body);
        }
    }

    [Fact]
    public async Task A_principal_that_is_revoked_on_one_node_is_refused_by_the_other_at_once()
    {
        // A second passes only when the test says so: what a node knows of a token does not go out of date by itself.
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var nodes = await NodesOnOneStore.StartAsync(services: (_, services) => services.AddSingleton<TimeProvider>(clock));
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);
        var principals = await AdminAsync(nodes[0], HttpMethod.Get, "/shop/principals");
        await AdminAsync(nodes[0], HttpMethod.Delete, $"/shop/principals/{principals["principals"]![0]!["id"]}");
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task The_health_that_one_node_finds_all_have()
    {
        var validators = new[] { new GatedValidator(), new GatedValidator() };
        await using var nodes = await NodesOnOneStore.StartAsync(
            services: (node, services) => services.AddSingleton<ITenantValidator>(validators[node])
        );
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);
        validators[0].Answer("shop", GatedValidator.Permanent);
        await AdminAsync(nodes[0], HttpMethod.Post, "/shop/recheck");
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.ServiceUnavailable);
        Assert.Equal(0, validators[1].Count("shop"));

        // What this node finds now is later.
        await AdminAsync(nodes[1], HttpMethod.Post, "/shop/recheck");
        await nodes.UntilAsync(0, "shop", "shop.one", HttpStatusCode.OK);
        Assert.Equal(1, validators[1].Count("shop"));
    }

    [Fact]
    public async Task A_change_whose_platform_hangs_takes_away_what_it_takes_away_all_the_same()
    {
        var hanging = new HangingPlatforms();
        await using var nodes = await NodesOnOneStore.StartAsync(
            services: (node, services) =>
            {
                if (node == 1)
                {
                    services.AddSingleton(hanging);
                }
            }
        );
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);
        hanging.Hangs = true;
        await AdminAsync(nodes[0], HttpMethod.Patch, "/shop", """{"settings":{"product":"another"}}""");
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.ServiceUnavailable);
        hanging.End();
        await Poll.UntilAsync(async () =>
            await nodes.StatusAsync(1, "shop", "shop.one") == HttpStatusCode.OK
            && (await nodes[1].CallAsync("shop", "shop.one", "get_products")).ToJsonString().Contains("another", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task After_everything_is_lost_tenants_are_refused_on_all_nodes_and_registered_anew()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(pollInterval: "00:00:00.2");
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);
        await nodes.Redis.ExecuteAsync("FLUSHALL");
        for (var node = 0; node < 2; node++)
        {
            await nodes.UntilAsync(node, "shop", "shop.one", HttpStatusCode.NotFound);
            await nodes.UntilAsync(node, "acme", McpCalls.Acme, HttpStatusCode.NotFound);
        }

        await AdminAsync(nodes[1], HttpMethod.Post, "", """{"id":"shop","principals":[{"name":"b","token":"shop.two"}]}""");
        for (var node = 0; node < 2; node++)
        {
            await nodes.UntilAsync(node, "shop", "shop.two", HttpStatusCode.OK);
            Assert.Equal(HttpStatusCode.Unauthorized, await nodes.StatusAsync(node, "shop", "shop.one"));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    public async Task A_store_that_lost_its_last_changes_and_goes_on_is_followed(int changesAfterTheLoss)
    {
        await using var nodes = await NodesOnOneStore.StartAsync(pollInterval: "00:00:01");
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);
        await using var store = await ConnectionMultiplexer.ConnectAsync($"{nodes.Redis.ConnectionString},allowAdmin=true");
        var kept = await DumpAsync(store);

        await AdminAsync(nodes[0], HttpMethod.Patch, "/shop", """{"name":"Lost"}""");
        await AdminAsync(nodes[0], HttpMethod.Post, "", """{"id":"late"}""");
        await Poll.UntilAsync(() =>
            Task.FromResult(nodes.Registry(1).Get("late") is not null && nodes.Registry(1).Get("shop")!.Config.Name == "Lost")
        );

        await RestoreAsync(store, kept);
        for (var i = 0; i < changesAfterTheLoss; i++)
        {
            await AdminAsync(nodes[0], HttpMethod.Post, "", $$"""{"id":"other-{{i}}"}""");
        }

        for (var node = 0; node < 2; node++)
        {
            var registry = nodes.Registry(node);
            await Poll.UntilAsync(() =>
                Task.FromResult(
                    registry.Get("late") is null
                        && registry.Get("shop") is { Config.Name: not "Lost" }
                        && Enumerable.Range(0, changesAfterTheLoss).All(i => registry.Get($"other-{i}") is not null)
                )
            );
            await nodes.UntilAsync(node, "shop", "shop.one", HttpStatusCode.OK);
        }

        // And it is a fleet as before.
        await AdminAsync(nodes[1], HttpMethod.Patch, "/shop", """{"name":"After"}""");
        await Poll.UntilAsync(() => Task.FromResult(nodes.Registry(0).Get("shop")!.Config.Name == "After"));
    }

    [Fact]
    public async Task A_tenant_that_was_deleted_after_a_loss_goes_on_a_node_that_has_a_later_change_of_it()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(areHeard: false);
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        await using var store = await ConnectionMultiplexer.ConnectAsync($"{nodes.Redis.ConnectionString},allowAdmin=true");
        var kept = await DumpAsync(store);
        for (var i = 0; i < 3; i++)
        {
            await AdminAsync(nodes[1], HttpMethod.Patch, "/shop", $$"""{"name":"Lost {{i}}"}""");
        }

        // The tombstone's version is lower than that of the change which is lost.
        await RestoreAsync(store, kept);
        await AdminAsync(nodes[0], HttpMethod.Delete, "/shop");
        using var answer = await nodes[1].AdminAsync(HttpMethod.Get, "/shop");
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, await nodes.StatusAsync(1, "shop", "shop.one"));
    }

    [Fact]
    public async Task A_tenant_that_went_and_came_back_as_anothers_is_another_on_a_node_that_saw_neither()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(areHeard: false);
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        await AdminAsync(nodes[1], HttpMethod.Get, "/shop");
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);
        var heard = nodes[1].Services.GetRequiredService<HeardChanges>();
        await AdminAsync(nodes[0], HttpMethod.Delete, "/shop");
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop.Replace("shop.one", "shop.two", StringComparison.Ordinal));
        await AdminAsync(nodes[1], HttpMethod.Get, "/shop");
        await Poll.UntilAsync(() =>
            Task.FromResult(heard.Kinds("shop") is [TenantChangeKind.Registered, TenantChangeKind.Removed, TenantChangeKind.Registered, ..])
        );
        Assert.Equal(HttpStatusCode.Unauthorized, await nodes.StatusAsync(1, "shop", "shop.one"));
        await nodes.UntilAsync(1, "shop", "shop.two", HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_tenant_of_a_store_that_began_anew_is_another_although_its_version_is_the_same()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(areHeard: false);
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        var shown = await AdminAsync(nodes[1], HttpMethod.Get, "/shop");
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);
        var version = (long)shown["version"]!;
        await nodes.Redis.ExecuteAsync("FLUSHALL");
        await nodes.Redis.ExecuteAsync("SET", "{tenants}:version", version - 1);
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop.Replace("shop.one", "shop.two", StringComparison.Ordinal));
        Assert.Equal(version, (long)(await AdminAsync(nodes[1], HttpMethod.Get, "/shop"))["version"]!);
        for (var node = 0; node < 2; node++)
        {
            await nodes.UntilAsync(node, "shop", "shop.two", HttpStatusCode.OK);
            await nodes.UntilAsync(node, "shop", "shop.one", HttpStatusCode.Unauthorized);
            var heard = nodes[node].Services.GetRequiredService<HeardChanges>();
            await Poll.UntilAsync(() =>
                Task.FromResult(
                    heard.Kinds("shop") is [TenantChangeKind.Registered, TenantChangeKind.Removed, TenantChangeKind.Registered, ..]
                )
            );
        }
    }

    [Fact]
    public async Task To_look_at_a_tenant_changes_nothing_of_it()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(areHeard: false);
        const string Settings = """{"product":"\\u00e9 <b>","anything":{"n":1.50,"e":1e3,"l":[null,{}]}}""";
        const string Odd = $$"""{"id":"odd","urls":["https://ODD.example:443/a/b/"],"settings":{{Settings}}}""";
        await AdminAsync(nodes[0], HttpMethod.Post, "", Odd);
        for (var i = 0; i < 3; i++)
        {
            await AdminAsync(nodes[0], HttpMethod.Get, "/odd");
            await AdminAsync(nodes[1], HttpMethod.Get, "/odd");
        }

        var platform = nodes.Registry(1).Get("odd")!.Platform;
        await AdminAsync(nodes[1], HttpMethod.Get, "/odd");
        Assert.Same(platform, nodes.Registry(1).Get("odd")!.Platform);
        for (var node = 0; node < 2; node++)
        {
            Assert.Equal([TenantChangeKind.Registered], nodes[node].Services.GetRequiredService<HeardChanges>().Kinds("odd"));
        }
    }

    [Fact]
    public async Task A_client_that_leaves_while_a_platform_is_built_leaves_the_tenant_served()
    {
        var hanging = new HangingPlatforms();
        await using var nodes = await NodesOnOneStore.StartAsync(areHeard: false, services: (node, services) =>
        {
            if (node == 1)
            {
                services.AddSingleton(hanging);
            }
        });
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        await AdminAsync(nodes[1], HttpMethod.Get, "/shop");
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);
        hanging.Hangs = true;
        await AdminAsync(nodes[0], HttpMethod.Patch, "/shop", """{"settings":{"product":"another"}}""");
        using var leaves = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/admin/tenants/shop")
        {
            Headers = { { "X-Admin-API-Key", TenancyServer.AdminKey } },
        };
        var asking = nodes[1].Client.SendAsync(request, leaves.Token);
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.ServiceUnavailable);
        await leaves.CancelAsync();
        await asking.ContinueWith(_ => { }, TaskScheduler.Default);
        hanging.End();
        await Poll.UntilAsync(async () => await nodes.StatusAsync(1, "shop", "shop.one") == HttpStatusCode.OK);
    }

    [Fact]
    public async Task What_one_tenant_cannot_be_followed_of_keeps_no_other_from_being_followed()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(pollInterval: "00:00:00.2", areHeard: false);
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);
        var generation = new TenantKeyspace(TenantId.Parse("acme")).Generation.Value.ToString();
        await nodes.Redis.ExecuteAsync("RENAME", generation, "{tenants}:aside");
        await nodes.Redis.ExecuteAsync("RPUSH", generation, "what no script can read");
        await nodes.Redis.ExecuteAsync("HSET", "{tenants}:metadata:acme", "due", "[]");
        await nodes.Redis.ExecuteAsync("ZADD", "{tenants}:changes", "1000000", "acme");
        await AdminAsync(nodes[0], HttpMethod.Delete, "/shop");
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.NotFound);
        Assert.Equal(HttpStatusCode.OK, await nodes.StatusAsync(1, "globex", McpCalls.Globex));

        // It is tried again, although nothing else changes.
        var check = new TenantCheck(TenantHealth.Disabled, "by hand", DateTimeOffset.UtcNow.AddHours(1));
        await nodes.Redis.ExecuteAsync("HSET", "{tenants}:metadata:acme", "check", TenantRecordFormat.Write(check));
        await nodes.Redis.ExecuteAsync("RENAME", "{tenants}:aside", generation);
        await nodes.UntilAsync(1, "acme", McpCalls.Acme, HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task Tenants_whose_platforms_take_long_keep_no_change_of_another_waiting()
    {
        const int Slow = 60;
        var hanging = new HangingPlatforms();
        await using var nodes = await NodesOnOneStore.StartAsync(
            services: (node, services) =>
            {
                if (node == 1)
                {
                    services.AddSingleton(hanging);
                }
            }
        );
        await AdminAsync(nodes[0], HttpMethod.Post, "", Shop);
        await Task.WhenAll(Enumerable.Range(0, Slow).Select(i => AdminAsync(nodes[0], HttpMethod.Post, "", $$"""{"id":"slow-{{i}}"}""")));
        await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.OK);
        await Poll.UntilAsync(() =>
            Task.FromResult(Enumerable.Range(0, Slow).All(i => nodes.Registry(1).Get($"slow-{i}") is { IsServing: true }))
        );

        hanging.Hangs = true;
        await Task.WhenAll(
            Enumerable
                .Range(0, Slow)
                .Select(i => AdminAsync(nodes[0], HttpMethod.Patch, $"/slow-{i}", """{"settings":{"product":"another"}}"""))
        );
        await AdminAsync(nodes[0], HttpMethod.Patch, "/shop", """{"status":"suspended"}""");
        var seen = await nodes.UntilAsync(1, "shop", "shop.one", HttpStatusCode.NotFound);
        hanging.End();

        // One second for each sixteen, and one more, if they were waited for.
        Assert.InRange(seen, TimeSpan.Zero, TimeSpan.FromSeconds(2.5));
    }

    [Fact]
    public async Task Of_nodes_that_claim_one_url_one_has_it_and_the_others_are_told_who()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(count: 3);
        for (var round = 0; round < 20; round++)
        {
            var url = $"https://round-{round}.example";
            var claims = await Task.WhenAll(
                Enumerable
                    .Range(0, 3)
                    .Select(async node =>
                    {
                        using var answer = await nodes[node]
                            .AdminAsync(HttpMethod.Post, "", $$"""{"id":"r{{round}}-n{{node}}","urls":["{{url}}"]}""");
                        return (answer.StatusCode, Text: await answer.Content.ReadAsStringAsync(Token));
                    })
            );
            var owner = Assert.Single(claims.Index(), claim => claim.Item.StatusCode == HttpStatusCode.Created).Index;
            Assert.All(claims.Where(claim => claim.StatusCode != HttpStatusCode.Created), claim =>
            {
                Assert.Equal(HttpStatusCode.Conflict, claim.StatusCode);
                Assert.Contains($"r{round}-n{owner}", claim.Text, StringComparison.Ordinal);
            });
        }
    }

    private static readonly (HttpMethod Method, string Path)[] Claims =
    [
        (HttpMethod.Get, "/shop"),
        (HttpMethod.Get, "/shop/principals"),
        (HttpMethod.Get, "/shop/clients"),
        (HttpMethod.Patch, "/shop"),
        (HttpMethod.Post, "/shop/recheck"),
        (HttpMethod.Post, "/shop/unregister"),
        (HttpMethod.Post, "/shop/principals"),
    ];

    private static async Task<JsonNode> AdminAsync(TenancyServer server, HttpMethod method, string path, string? body = null)
    {
        using var answer = await server.AdminAsync(method, path, body);
        var text = await answer.Content.ReadAsStringAsync(Token);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {(int)answer.StatusCode} {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    private static async Task<Dictionary<RedisKey, byte[]>> DumpAsync(ConnectionMultiplexer store)
    {
        var kept = new Dictionary<RedisKey, byte[]>();
        await foreach (var key in store.GetServers()[0].KeysAsync())
        {
            if (await store.GetDatabase().KeyDumpAsync(key) is { } value)
            {
                kept[key] = value;
            }
        }

        return kept;
    }

    private static async Task RestoreAsync(ConnectionMultiplexer store, Dictionary<RedisKey, byte[]> kept)
    {
        var restoring = store.GetDatabase().CreateTransaction();
        foreach (var server in store.GetServers())
        {
            await foreach (var key in server.KeysAsync())
            {
                _ = restoring.KeyDeleteAsync(key);
            }
        }

        foreach (var (key, value) in kept)
        {
            _ = restoring.KeyRestoreAsync(key, value);
        }

        Assert.True(await restoring.ExecuteAsync());
    }
}

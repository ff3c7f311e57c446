using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Server;
using Tenancy.Fleet;
using Tenancy.Mcp.Gate;
using Tenancy.State;
using Tenancy.Tests.Fleet;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;
using Tenancy.Tests.State;
using Tenancy.Validation;

namespace Tenancy.Tests.Admin;

/// <summary>How a tenant was called lately, as the admin API shows it.</summary>
[Tier(Tier.Process)]
public sealed class AdminTrafficTests
{
    private const string OfGlobex = "a-key-of-globex";

    private static readonly Dictionary<string, string?> Settings = new(TenancyServer.DefaultSettings)
    {
        ["Tenancy:Admin:TenantKeys:0"] = $"globex={OfGlobex}",
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Calls_of_all_nodes_are_shown_by_how_they_ended_and_what_is_written_again_counts_once()
    {
        await using var nodes = await NodesOnOneStore.StartAsync();
        foreach (var node in nodes.Nodes)
        {
            await CallAsync(node, "acme", McpCalls.Acme, "whoami");
            await CallAsync(node, "acme", McpCalls.Acme, "whoami");
            await CallAsync(node, "acme", McpCalls.Acme, "fail");
            var writer = node.Services.GetRequiredService<TrafficWriter>();
            await writer.WriteAsync();
            await CallAsync(node, "acme", McpCalls.Acme, "whoami");
            await writer.WriteAsync();
            await writer.WriteAsync();
        }

        foreach (var node in nodes.Nodes)
        {
            var traffic = await TrafficAsync(node, "acme");
            Assert.Equal((8, 0, 2, 0), Sum(traffic));
            Assert.All(traffic["steps"]!.AsArray(), step => Assert.InRange((int)step!["p99Millis"]!, (int)step["p50Millis"]!, 60_000));
            Assert.Empty((await TrafficAsync(node, "globex"))["steps"]!.AsArray());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"_meta\":{\"progressToken\":1}")]
    public async Task A_call_whose_arguments_cannot_be_read_is_an_error_of_its_caller(string meta)
    {
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<CountedTools>()))
        );
        foreach (var arguments in new[] { """{"number":"x"}""", """{}""", """{"number":5}""" })
        {
            var parameters = $$"""{"name":"counted","arguments":{{arguments}}{{meta}}}""";
            var body = $$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{parameters}}}""";
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body);
            using var response = await server.Client.SendAsync(request, Token);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            await response.Content.ReadAsStringAsync(Token);
        }

        await Poll.UntilAsync(async () => Sum(await TrafficAsync(server, "acme")) == (3, 2, 0, 0));
    }

    private sealed class CountedTools
    {
        [McpServerTool(Name = "counted")]
        public static string Count(int number) => $"{number}";
    }

    [Fact]
    public async Task What_the_node_that_answers_counted_is_there_at_once_and_a_day_later_it_is_gone_from_the_store_too()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await TenancyServer.StartAsync(settings: Settings, services: services =>
            services.AddSingleton<TimeProvider>(time)
        );
        await CallAsync(server, "acme", McpCalls.Acme, "whoami");
        Assert.Equal((1, 0, 0, 0), Sum(await TrafficAsync(server, "acme")));
        var writer = server.Services.GetRequiredService<TrafficWriter>();
        await writer.WriteAsync();
        time.Advance(TimeSpan.FromHours(2));
        await writer.WriteAsync();
        await writer.WriteAsync();
        Assert.Equal(0, server.Services.GetRequiredService<TrafficCounts>().Count);
        Assert.Equal((1, 0, 0, 0), Sum(await TrafficAsync(server, "acme")));
        Assert.Equal((0, 0, 0, 0), Sum(await TrafficAsync(server, "acme", "?hours=1")));

        time.Advance(TimeSpan.FromHours(23));
        await CallAsync(server, "acme", McpCalls.Acme, "whoami");
        await writer.WriteAsync();
        Assert.Equal((1, 0, 0, 0), Sum(await TrafficAsync(server, "acme")));
        var kept = await server
            .Services.GetRequiredService<RedisConnection>()
            .GetHashAsync(new TenantKeyspace(Tenancy.Configuration.TenantId.Parse("acme")).Traffic);
        Assert.Single(kept);
    }

    [Fact]
    public async Task The_next_tenant_with_an_id_is_not_shown_what_the_one_before_it_had()
    {
        var validator = new GatedValidator();
        await using var server = await TenancyServer.StartAsync(settings: Settings, services: services =>
            services.AddSingleton<ITenantValidator>(validator)
        );
        await CallAsync(server, "globex", McpCalls.Globex, "whoami");
        await server.Services.GetRequiredService<TrafficWriter>().WriteAsync();
        Assert.Equal((1, 0, 0, 0), Sum(await TrafficAsync(server, "globex", key: OfGlobex)));
        using (await server.AdminAsync(HttpMethod.Delete, "/globex")) { }

        using (await server.AdminAsync(HttpMethod.Post, "?wait=true", new { id = "globex" })) { }

        await Poll.UntilAsync(async () => (await TrafficAsync(server, "globex"))["health"]!.AsArray().Count > 0);
        var traffic = await TrafficAsync(server, "globex", key: OfGlobex);
        Assert.Equal((0, 0, 0, 0), Sum(traffic));
        Assert.Equal(["healthy"], traffic["health"]!.AsArray().Select(one => (string)one!["health"]!));
    }

    [Fact]
    public async Task Health_over_time_and_limits_that_are_used_are_shown()
    {
        var validator = new GatedValidator();
        await using var server = await TenancyServer.StartAsync(settings: Settings, services: services =>
            services.AddSingleton<ITenantValidator>(validator)
        );
        foreach (var result in new[] { GatedValidator.Valid, GatedValidator.Transient, GatedValidator.Valid })
        {
            validator.Answer("acme", result);
            using (await server.AdminAsync(HttpMethod.Post, "/acme/recheck")) { }

            await server.Services.GetRequiredService<Tenancy.Registry.TenantRegistry>().Checks.FlushAsync();
        }

        for (var i = 0; i < 3; i++)
        {
            await CallAsync(server, "acme", McpCalls.Acme, "whoami");
        }

        var traffic = await TrafficAsync(server, "acme");
        Assert.Equal(["healthy", "unverified", "healthy"], traffic["health"]!.AsArray().Select(one => (string)one!["health"]!));
        Assert.Contains("does not answer", (string)traffic["health"]![1]!["reason"]!, StringComparison.Ordinal);
        var limits = traffic["limits"]!;
        Assert.Equal((1000, 64), ((int)limits["rateLimit"]!, (int)limits["maxConcurrentCalls"]!));

        // What the node holds for the next second is used up for the others.
        Assert.InRange((int)limits["rateUsed"]!, 1, 200);
        Assert.Equal(0, (int)limits["concurrentCalls"]!);
    }

    [Fact]
    public async Task What_was_spent_of_limits_over_the_day_is_shown_with_what_was_refused_for_it()
    {
        await using var nodes = await NodesOnOneStore.StartAsync();
        using (
            var limited = await nodes[0]
                .AdminAsync(HttpMethod.Patch, "/acme", new { limits = new { rateLimit = 4, maxConcurrentCalls = 2 } })
        )
        {
            Assert.Equal(HttpStatusCode.OK, limited.StatusCode);
        }

        // The other node has heard of it, too.
        using (await nodes[1].AdminAsync(HttpMethod.Get, "/acme")) { }

        await CallAsync(nodes[0], "acme", McpCalls.Acme, "whoami");
        var first = (await TrafficAsync(nodes[0], "acme"))["steps"]!.AsArray().Single()!;
        Assert.Equal((25, 50, 0), Limits(first));
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 5; i++)
        {
            statuses.Add(await nodes.StatusAsync(1, "acme", McpCalls.Acme));
        }

        // What it is refused for is no matter of how much its tenant spends.
        Assert.Equal(HttpStatusCode.Unauthorized, await nodes.StatusAsync(1, "acme", "acme.nobody"));
        var refused = statuses.Count(status => status == HttpStatusCode.TooManyRequests);
        Assert.InRange(refused, 2, 3);
        foreach (var node in nodes.Nodes)
        {
            await node.Services.GetRequiredService<TrafficWriter>().WriteAsync();
        }

        foreach (var node in nodes.Nodes)
        {
            var step = (await TrafficAsync(node, "acme"))["steps"]!.AsArray().Single()!;
            Assert.Equal((100, 50, refused), Limits(step));
        }

        static (int Rate, int Calls, int Refused) Limits(JsonNode step) =>
            ((int)step["ratePeakPercent"]!, (int)step["callsPeakPercent"]!, (int)step["refusedByLimits"]!);
    }

    [Fact]
    public async Task What_callers_without_credentials_spend_and_are_refused_is_shown_and_is_nothing_of_the_tenants_own_limit()
    {
        await using var server = await TenancyServer.StartAsync();
        Assert.Equal(HttpStatusCode.OK, await StrangerAsync(server));
        var first = Step(await TrafficAsync(server, "acme"));
        Assert.Equal(100 / RequestLimits.AnonymousPerMinute, (int)first["anonymousPeakPercent"]!);

        var refused = 0;
        for (var i = 0; i < RequestLimits.AnonymousPerMinute + 10; i++)
        {
            refused += await StrangerAsync(server) == HttpStatusCode.TooManyRequests ? 1 : 0;
        }

        Assert.InRange(refused, 1, 11);
        var step = Step(await TrafficAsync(server, "acme"));
        Assert.Equal((100, 0, refused), ((int)step["anonymousPeakPercent"]!, (int)step["ratePeakPercent"]!, (int)step["refusedByLimits"]!));
    }

    [Fact]
    public async Task What_sessions_and_documents_take_up_is_shown_and_the_most_of_it_over_the_day()
    {
        await using var server = await TenancyServer.StartAsync();
        using (await server.AdminAsync(HttpMethod.Patch, "/acme", new { limits = new { maxSessions = 4, maxDocumentBytes = 5000 } })) { }

        var model = server
            .Services.GetRequiredService<Tenancy.Registry.TenantRegistry>()
            .Get(Tenancy.Configuration.TenantId.Parse("acme"))!;
        var redis = server.Services.GetRequiredService<RedisConnection>();
        var sessions = new SessionStore(redis, model.Id, model.Generation);
        await sessions.BeginAsync("session-1", new(model.Record.SessionEpoch, "buyer"));
        await sessions.BeginAsync("session-2", new(model.Record.SessionEpoch, "buyer"));
        var orders = new CommittedDocuments<TestOrder>(redis, model.Id, "account", "operation", generation: model.Generation);
        await orders.CreateWithIdAsync("id", new());
        await CallAsync(server, "acme", McpCalls.Acme, "whoami");
        var writer = server.Services.GetRequiredService<TrafficWriter>();
        await writer.WriteAsync();

        var limits = (await TrafficAsync(server, "acme"))["limits"]!;
        Assert.Equal((2, 4, 5000), ((int)limits["sessions"]!, (int)limits["maxSessions"]!, (int)limits["maxDocumentBytes"]!));
        var documents = (int)limits["documentBytes"]! / 50;
        Assert.InRange(documents, 1, 99);

        // They go, and what was the most of them stays.
        await sessions.EndAsync(TenantKeyspace.Hash("session-1"));
        await orders.DeleteAsync("id");
        await CallAsync(server, "acme", McpCalls.Acme, "whoami");
        await writer.WriteAsync();
        var traffic = await TrafficAsync(server, "acme");
        Assert.Equal((1, 0), ((int)traffic["limits"]!["sessions"]!, (int)traffic["limits"]!["documentBytes"]!));
        Assert.Equal((50, documents), ((int)Step(traffic)["sessionsPeakPercent"]!, (int)Step(traffic)["documentsPeakPercent"]!));
    }

    [Fact]
    public async Task Calls_that_go_on_are_among_those_at_a_time_while_they_do()
    {
        using var gate = new SlowTools.Gate();
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton(gate).AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>()))
        );
        using (await server.AdminAsync(HttpMethod.Patch, "/acme", new { limits = new { maxConcurrentCalls = 4 } })) { }

        var call = server.CallAsync("acme", McpCalls.Acme, "slow");
        await gate.WaitForAsync(1);
        Assert.Equal(25, (int)(await TrafficAsync(server, "acme"))["steps"]!.AsArray().Single()!["callsPeakPercent"]!);
        gate.Open();
        await call;
    }

    [Fact]
    public async Task A_key_of_another_tenant_sees_nothing_and_mistakes_are_named()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, "/acme/traffic", OfGlobex));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "/acme/traffic", key: null));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, "/nobody/traffic", TenancyServer.AdminKey));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(server, "/acme/traffic?hours=25", TenancyServer.AdminKey));
    }

    private static async Task CallAsync(TenancyServer server, string tenant, string token, string tool)
    {
        var arguments = tool == "fail" ? new JsonObject { ["secret"] = "s" } : [];
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, McpCalls.Call(tool, arguments));
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await response.Content.ReadAsStringAsync(Token);

        // A call ends, and is counted, a moment after its answer.
        await Poll.UntilAsync(() =>
            Task.FromResult(
                server.Services.GetRequiredService<Tenancy.Mcp.ConcurrentCalls>().CountOf(Tenancy.Configuration.TenantId.Parse(tenant)) == 0
            )
        );
    }

    private static async Task<HttpStatusCode> StrangerAsync(TenancyServer server)
    {
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", token: null, McpCalls.Call("get_products"));
        using var response = await server.Client.SendAsync(request, Token);
        return response.StatusCode;
    }

    private static JsonNode Step(JsonNode traffic) => traffic["steps"]!.AsArray().Single()!;

    private static (int Calls, int Errors, int Failed, int Cancelled) Sum(JsonNode traffic)
    {
        var steps = traffic["steps"]!.AsArray();
        return (Of("calls"), Of("errors"), Of("failed"), Of("cancelled"));

        int Of(string name) => steps.Sum(step => (int)step![name]!);
    }

    private static async Task<HttpStatusCode> StatusAsync(TenancyServer server, string path, string? key)
    {
        using var response = await server.AdminAsync(HttpMethod.Get, path, key: key);
        return response.StatusCode;
    }

    private static async Task<JsonNode> TrafficAsync(
        TenancyServer server,
        string tenant,
        string query = "",
        string key = TenancyServer.AdminKey
    )
    {
        using var response = await server.AdminAsync(HttpMethod.Get, $"/{tenant}/traffic{query}", key: key);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}

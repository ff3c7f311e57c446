using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Adcp;

/// <summary>A request with an idempotency key runs once, whoever sends it again, and through the whole server.</summary>
[Tier(Tier.Process)]
public sealed class IdempotentCallsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task The_same_request_again_gets_the_first_answer_with_its_own_context(StoreKind store)
    {
        await using var server = await TenancyServer.StartAsync(store);
        var request = McpCalls.CreateBuy();
        var first = await BuyAsync(server, request, "one");
        var second = await BuyAsync(server, request, "two");
        Assert.Equal(first["media_buy_id"]!.ToString(), second["media_buy_id"]!.ToString());
        Assert.Null(first["replayed"]);
        Assert.True((bool)second["replayed"]!);
        Assert.Equal("one", first["context"]!["tag"]!.ToString());
        Assert.Equal("two", second["context"]!["tag"]!.ToString());
        Assert.Single((await server.CallAsync("acme", McpCalls.Acme, "get_media_buys"))["structuredContent"]!["media_buys"]!.AsArray());
    }

    [Fact]
    public async Task Another_request_with_the_same_key_is_a_conflict_that_tells_nothing()
    {
        await using var server = await TenancyServer.StartAsync();
        var request = McpCalls.CreateBuy(100);
        await BuyAsync(server, request);
        var other = request.DeepClone().AsObject();
        other["packages"]![0]!["budget"] = 200;
        var error = await ErrorAsync(server, other);
        Assert.Equal("IDEMPOTENCY_CONFLICT", error["code"]!.ToString());
        Assert.Equal(["code", "message"], error.AsObject().Select(field => field.Key));
        Assert.DoesNotContain(request["idempotency_key"]!.ToString(), error.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_of_one_tenant_or_caller_means_nothing_to_another()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:0:principals:1:name"] = "second",
            ["Tenancy:Tenants:0:principals:1:token"] = "acme.second",
        };
        await using var server = await TenancyServer.StartAsync(settings: settings);
        var request = McpCalls.CreateBuy(100);
        var ids = new[]
        {
            (await BuyAsync(server, request))["media_buy_id"]!.ToString(),
            (await BuyAsync(server, request, token: "acme.second"))["media_buy_id"]!.ToString(),
            (await BuyAsync(server, request, tenant: "globex", token: McpCalls.Globex))["media_buy_id"]!.ToString(),
        };
        Assert.Equal(3, ids.Distinct().Count());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("short")]
    [InlineData("has spaces in it, which no key may")]
    public async Task A_missing_or_malformed_key_is_refused_before_the_store_is_touched(string? key)
    {
        await using var server = await TenancyServer.StartAsync();
        var request = McpCalls.CreateBuy();
        request.Remove("idempotency_key");
        if (key is not null)
        {
            request["idempotency_key"] = key;
        }

        var error = await ErrorAsync(server, request);
        Assert.Equal("INVALID_REQUEST", error["code"]!.ToString());
        Assert.Equal("idempotency_key", error["field"]!.ToString());
    }

    [Fact]
    public async Task A_malformed_request_leaves_its_key_unused()
    {
        await using var server = await TenancyServer.StartAsync();
        var request = McpCalls.CreateBuy();
        var broken = request.DeepClone().AsObject();
        broken.Remove("brand");
        Assert.Equal("brand", (await ErrorAsync(server, broken))["field"]!.ToString());
        Assert.Null((await BuyAsync(server, request))["replayed"]);
    }

    [Fact]
    public async Task While_a_request_runs_its_retry_is_told_to_wait_and_another_is_a_conflict()
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(gate);
        var request = McpCalls.CreateBuy(100);
        var running = server.CallAsync("acme", McpCalls.Acme, "slow_buy", request.DeepClone().AsObject());
        await gate.WaitForAsync(1);
        var waiting = await ErrorAsync(server, request, "slow_buy");
        Assert.Equal("IDEMPOTENCY_IN_FLIGHT", waiting["code"]!.ToString());
        Assert.InRange((int)waiting["retry_after"]!, 1, 30);
        var other = request.DeepClone().AsObject();
        other["packages"]![0]!["budget"] = 200;
        Assert.Equal("IDEMPOTENCY_CONFLICT", (await ErrorAsync(server, other, "slow_buy"))["code"]!.ToString());

        gate.Open();
        var first = (await running)["structuredContent"]!;
        var replay = (await server.CallAsync("acme", McpCalls.Acme, "slow_buy", request.DeepClone().AsObject()))["structuredContent"]!;
        Assert.Equal(first["media_buy_id"]!.ToString(), replay["media_buy_id"]!.ToString());
        Assert.Single(gate.Runs);
    }

    [Fact]
    public async Task A_request_that_failed_runs_again_and_a_corrected_one_is_new_work()
    {
        using var gate = new SlowTools.Gate { Failure = new Tenancy.Adcp.AdcpException(Tenancy.Adcp.AdcpError.BudgetTooLow) };
        gate.Open();
        await using var server = await StartAsync(gate);
        var request = McpCalls.CreateBuy(1);
        Assert.Equal("BUDGET_TOO_LOW", (await ErrorAsync(server, request, "slow_buy"))["code"]!.ToString());
        gate.Failure = null;
        var corrected = request.DeepClone().AsObject();
        corrected["packages"]![0]!["budget"] = 200;
        Assert.Null((await server.CallAsync("acme", McpCalls.Acme, "slow_buy", corrected))["structuredContent"]!["replayed"]);
        Assert.Equal(2, gate.Runs.Distinct().Count());
    }

    [Fact]
    public async Task A_client_that_goes_does_not_stop_what_it_began()
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(gate);
        var request = McpCalls.CreateBuy(100);
        using (var leaving = new CancellationTokenSource())
        {
            using var post = McpCalls.Post(
                server.Port,
                Way.Path,
                "acme",
                McpCalls.Acme,
                McpCalls.Call("slow_buy", request.DeepClone().AsObject())
            );
            var sending = server.Client.SendAsync(post, HttpCompletionOption.ResponseContentRead, leaving.Token);
            await gate.WaitForAsync(1);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        }

        gate.Open();
        JsonNode? answer = null;
        await Poll.UntilAsync(async () =>
        {
            answer = (await server.CallAsync("acme", McpCalls.Acme, "slow_buy", request.DeepClone().AsObject()))["structuredContent"];
            return answer!["media_buy_id"] is not null;
        });
        Assert.True((bool)answer!["replayed"]!);
        Assert.Single(gate.Runs);
    }

    [Fact]
    public async Task A_handler_that_fails_when_its_client_has_left_is_logged_with_tenant_tool_and_trace()
    {
        using var gate = new SlowTools.Gate { Failure = new InvalidOperationException("the ad server burns") };
        using var log = new LogRecorder();
        var left = new TaskCompletionSource();
        await using var server = await TenancyServer.StartAsync(
            services: services =>
            {
                services.AddSingleton(gate);
                services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>()));
                services.AddSingleton<ILoggerProvider>(log);
            },
            endpoints: app =>
                app.Use(
                    (HttpContext context, RequestDelegate next) =>
                    {
                        // What is registered first is told last: by then the call knows.
                        context.RequestAborted.Register(left.SetResult);
                        return next(context);
                    }
                )
        );
        using (var leaving = new CancellationTokenSource())
        {
            using var post = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("slow_buy", McpCalls.CreateBuy()));
            var sending = server.Client.SendAsync(post, leaving.Token);
            await gate.WaitForAsync(1);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        }

        await left.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        gate.Open();
        await Poll.UntilAsync(() => Task.FromResult(log.Errors.Any()));
        Assert.Matches(
            "^Tool slow_buy of tenant acme failed when nobody .* Trace: [0-9a-f]{32} the ad server burns$",
            Assert.Single(log.Errors).Text
        );
    }

    [Fact]
    public async Task A_retry_after_the_claim_ended_runs_under_the_same_operation_and_makes_no_second_buy()
    {
        using var gate = new SlowTools.Gate();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await StartAsync(gate, time);
        var request = McpCalls.CreateBuy(100);
        var stalled = server.CallAsync("acme", McpCalls.Acme, "slow_buy", request.DeepClone().AsObject());
        await gate.WaitForAsync(1);

        // The store's clock passes the end of the claim; the first handler does not know.
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal("IDEMPOTENCY_IN_FLIGHT", (await ErrorAsync(server, request, "slow_buy"))["code"]!.ToString());
        time.Advance(TimeSpan.FromSeconds(7));
        gate.Open();
        var results = new[] { await stalled, await server.CallAsync("acme", McpCalls.Acme, "slow_buy", request.DeepClone().AsObject()) };
        Assert.Single(gate.Runs.Distinct());
        Assert.NotNull(results[1]["structuredContent"]!["media_buy_id"]);
        Assert.Single((await server.CallAsync("acme", McpCalls.Acme, "get_media_buys"))["structuredContent"]!["media_buys"]!.AsArray());
    }

    [Fact]
    public async Task Who_calls_a_handler_that_never_ends_is_answered_when_its_time_is_over_and_it_writes_nothing_then()
    {
        using var gate = new SlowTools.Gate { IgnoresTime = true };
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await StartAsync(gate, time);
        var request = McpCalls.CreateBuy(100);
        var stalled = server.CallAsync("acme", McpCalls.Acme, "slow_buy", request.DeepClone().AsObject());
        await gate.WaitForAsync(1);
        Assert.Equal(1, (int)(await ErrorAsync(server, request, "slow_buy"))["retry_after"]!);
        time.Advance(TimeSpan.FromSeconds(36));
        Assert.Equal("IDEMPOTENCY_IN_FLIGHT", (await stalled)["structuredContent"]!["adcp_error"]!["code"]!.ToString());

        // The next try has the claim. Both end now, and one of them commits.
        var retry = server.CallAsync("acme", McpCalls.Acme, "slow_buy", request.DeepClone().AsObject());
        await gate.WaitForAsync(1);
        gate.Open();
        Assert.NotNull((await retry)["structuredContent"]!["media_buy_id"]);
        Assert.Equal(2, gate.Runs.Count);
        Assert.Single((await server.CallAsync("acme", McpCalls.Acme, "get_media_buys"))["structuredContent"]!["media_buys"]!.AsArray());
    }

    [Fact]
    public async Task After_its_time_a_key_is_expired_and_never_runs_again_silently()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<TimeProvider>(time));
        var request = McpCalls.CreateBuy(100);
        await BuyAsync(server, request);
        time.Advance(TimeSpan.FromHours(24));
        Assert.True((bool)(await BuyAsync(server, request))["replayed"]!);
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("IDEMPOTENCY_EXPIRED", (await ErrorAsync(server, request))["code"]!.ToString());
    }

    private static Task<TenancyServer> StartAsync(SlowTools.Gate gate, TimeProvider? time = null) =>
        TenancyServer.StartAsync(services: services =>
        {
            services.AddSingleton(gate);
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>()));
            if (time is not null)
            {
                services.AddSingleton(time);
            }
        });

    private static async Task<JsonNode> BuyAsync(
        TenancyServer server,
        JsonObject request,
        string? tag = null,
        string tenant = "acme",
        string token = McpCalls.Acme
    )
    {
        request = request.DeepClone().AsObject();
        if (tag is not null)
        {
            request["context"] = new JsonObject { ["tag"] = tag };
        }

        var result = await server.CallAsync(tenant, token, "create_media_buy", request);
        Assert.False((bool)result["isError"]!, result.ToJsonString());
        return result["structuredContent"]!;
    }

    private static async Task<JsonNode> ErrorAsync(TenancyServer server, JsonObject request, string tool = "create_media_buy")
    {
        var result = await server.CallAsync("acme", McpCalls.Acme, tool, request.DeepClone().AsObject());
        Assert.True((bool)result["isError"]!, result.ToJsonString());
        return result["structuredContent"]!["adcp_error"]!;
    }
}

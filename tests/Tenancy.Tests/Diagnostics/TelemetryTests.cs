using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Diagnostics;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Mcp;

namespace Tenancy.Tests.Diagnostics;

/// <summary>What a server says of itself: with whom it has to do, whose fault a failure is, and nothing that could be misused.</summary>
[Collection(nameof(AloneCollection))]
[Tier(Tier.Process)]
public sealed partial class TelemetryTests
{
    private const string Tenant = "tenancy.tenant";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Calls_refusals_keys_commits_limits_and_the_store_are_counted_by_tenant_tool_and_outcome()
    {
        using var signals = new Signals();
        await using var server = await StartAsync(signals, StoreKind.Redis);
        var buy = McpCalls.CreateBuy();
        await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", buy);
        await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", buy.DeepClone().AsObject());
        await server.CallAsync("acme", McpCalls.Acme, "fail", new() { ["secret"] = "s" });
        await server.CallAsync("globex", McpCalls.Globex, "get_products");
        await RefuseAsync(server, "acme", McpCalls.Globex, HttpStatusCode.Unauthorized);
        await RefuseAsync(server, "nobody", McpCalls.Acme, HttpStatusCode.NotFound);
        using (await server.AdminAsync(HttpMethod.Post, "/acme/recheck"))
        {
            await Poll.UntilAsync(() =>
                Task.FromResult(
                    signals.Of("tenancy.call.duration", (Tenant, "acme"), ("gen_ai.tool.name", "create_media_buy")).Count() == 2
                        && signals.Of("tenancy.call.duration", (Tenant, "acme"), ("tenancy.outcome", "failed")).Any()
                )
            );
        }

        Assert.Single(
            signals.Of("tenancy.call.duration", (Tenant, "globex"), ("tenancy.outcome", "ok"), ("gen_ai.tool.name", "get_products"))
        );
        Assert.Single(signals.Of("tenancy.idempotency.requests", (Tenant, "acme"), ("tenancy.result", "claimed")));
        Assert.Single(signals.Of("tenancy.idempotency.requests", (Tenant, "acme"), ("tenancy.result", "replay")));
        Assert.Single(signals.Of("tenancy.commits", (Tenant, "acme"), ("tenancy.result", "committed")));
        Assert.Single(
            signals.Of("tenancy.refusals", ("tenancy.refusal", "BadCredentials"), ("http.response.status_code", 401), (Tenant, "acme"))
        );
        Assert.DoesNotContain(Tenant, Assert.Single(signals.Of("tenancy.refusals", ("tenancy.refusal", "UnknownTenant"))).Tags.Keys);
        Assert.NotEmpty(signals.Of("tenancy.rechecks", (Tenant, "acme"), ("tenancy.result", "valid")));
        Assert.NotEmpty(
            signals.Of("tenancy.limit.requests", (Tenant, "acme"), ("tenancy.limit.policy", "tenant"), ("tenancy.result", "allowed"))
        );
        Assert.NotEmpty(signals.Of("tenancy.limit.trips", ("tenancy.result", "store")));
        Assert.NotEmpty(
            signals.Of(
                "db.client.operation.duration",
                ("db.system.name", "redis"),
                ("db.operation.name", "EVALSHA"),
                ("db.stored_procedure.name", "commit")
            )
        );
        Assert.NotEmpty(signals.Of("http.server.request.duration", (Tenant, "globex")));

        signals.Observe();
        Assert.Equal(2, Assert.Single(signals.Of("tenancy.tenants", ("tenancy.health", "healthy"))).Value);
        Assert.Equal(0, Assert.Single(signals.Of("tenancy.tenants", ("tenancy.health", "suspended"))).Value);
        Assert.InRange(Assert.Single(signals.Of("tenancy.node.lag")).Value, 0, 60);
        Assert.InRange(Assert.Single(signals.Of("tenancy.limit.slices")).Value, 1, 100);
    }

    [Fact]
    public async Task A_store_that_stands_still_fails_for_as_long_as_it_does_and_not_only_at_first()
    {
        using var signals = new Signals();
        await using var redis = await RedisServer.StartAsync();
        await using var server = await StartAsync(
            signals,
            settings: new(TenancyServer.DefaultSettings) { ["ConnectionStrings:Redis"] = redis.ConnectionString }
        );
        await server.CallAsync("acme", McpCalls.Acme, "whoami");
        await redis.PauseAsync();
        var failures = signals
            .Of("db.client.operation.duration")
            .Where(one => one.Tags.GetValueOrDefault("error.type") is "Tenancy.Registry.StoreUnavailableException");

        // The node asks by itself each second; each second it is told that the store is away.
        await Poll.UntilAsync(() => Task.FromResult(failures.Any()));
        signals.Metrics.Clear();
        await Poll.UntilAsync(() => Task.FromResult(failures.Any()));
        await redis.ResumeAsync();
    }

    [Fact]
    public async Task A_tenant_over_its_limit_is_seen_by_tenant_and_policy()
    {
        using var signals = new Signals();
        await using var server = await StartAsync(
            signals,
            settings: new(TenancyServer.DefaultSettings) { ["Tenancy:Tenants:0:limits:rateLimit"] = "1" }
        );
        await server.CallAsync("acme", McpCalls.Acme, "whoami");
        await RefuseAsync(server, "acme", McpCalls.Acme, HttpStatusCode.TooManyRequests);
        Assert.Single(
            signals.Of("tenancy.limit.requests", (Tenant, "acme"), ("tenancy.limit.policy", "tenant"), ("tenancy.result", "refused"))
        );
        Assert.Single(signals.Of("tenancy.refusals", (Tenant, "acme"), ("tenancy.refusal", "TooManyRequests")));
    }

    [Fact]
    public async Task The_first_tenants_have_series_of_their_own_and_keep_them_and_all_others_share_one()
    {
        using var signals = new Signals();
        await using var server = await StartAsync(
            signals,
            settings: new(TenancyServer.DefaultSettings) { ["Tenancy:MetricTenants"] = "1" }
        );
        signals.Metrics.Clear();
        var first = signals.Of("tenancy.call.duration");
        await server.CallAsync("acme", McpCalls.Acme, "whoami");
        await server.CallAsync("globex", McpCalls.Globex, "whoami");
        await server.CallAsync("acme", McpCalls.Acme, "whoami");
        await Poll.UntilAsync(() => Task.FromResult(first.Count() == 3));
        var seen = first.Select(one => (string)one.Tags[Tenant]!).ToArray();
        Assert.Equal(2, seen.Distinct().Count());
        Assert.Contains(TenantSeries.Other, seen);

        var series = new TenantSeries(2);
        Assert.Equal(["a", "b", "_OTHER", "a", "b"], new[] { "a", "b", "c", "a", "b" }.Select(series.Of));
        Assert.Equal("_OTHER", new TenantSeries(0).Of("a"));
    }

    [Fact]
    public async Task The_trace_of_a_call_shows_the_gate_the_handler_and_the_store()
    {
        using var signals = new Signals();
        await using var server = await StartAsync(signals, StoreKind.Redis);
        await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", McpCalls.CreateBuy());
        Activity? Find(string name) => signals.Activities.SingleOrDefault(activity => activity.DisplayName == name);
        await Poll.UntilAsync(() =>
            Task.FromResult(
                Find("execute_tool create_media_buy") is not null
                    && signals.Activities.Any(activity => activity.Source.Name == "Microsoft.AspNetCore")
            )
        );
        var commit = Find("EVALSHA commit")!;
        Assert.Equal(
            ["execute_tool create_media_buy", "tools/call create_media_buy", "gate"],
            Ancestors(commit, signals.Activities).Select(activity => activity.DisplayName).Take(3)
        );
        Assert.Equal("Microsoft.AspNetCore", Ancestors(commit, signals.Activities).Last().Source.Name);
        var handler = Find("execute_tool create_media_buy")!;
        Assert.Equal("acme", handler.GetTagItem(Tenant));
        Assert.Equal("ok", handler.GetTagItem("tenancy.outcome"));
        Assert.Equal(43, ((string)handler.GetTagItem("tenancy.caller")!).Length);
        Assert.Contains(signals.Activities, activity => activity.DisplayName == "EVALSHA idempotency-claim");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_logged_during_a_call_has_the_tenant_the_callers_hash_the_tool_and_the_trace(bool isDirect)
    {
        using var signals = new Signals(traces: false);
        await using var server = await StartAsync(signals, services: isDirect ? null : DifferenceTests.GoTheSdksWay);
        await server.CallAsync("acme", McpCalls.Acme, "talkative");
        await server.CallAsync("acme", McpCalls.Acme, "broken_buy", McpCalls.CreateBuy());
        var said = Assert.Single(signals.Log, entry => entry.Text == "a handler's own words");
        var failed = Assert.Single(signals.Log, entry => entry.Event == "ToolFailed");
        foreach (var (entry, tool) in new[] { (said, "talkative"), (failed, "broken_buy") })
        {
            Assert.Equal(("acme", tool), ((string)entry.Scope["TenantId"]!, (string)entry.Scope["Tool"]!));
            Assert.Equal(43, ((string)entry.Scope["Caller"]!).Length);
            Assert.Equal(32, ((string)entry.Scope["TraceId"]!).Length);
            Assert.DoesNotContain("principal:", string.Join(' ', entry.Scope), StringComparison.Ordinal);
        }

        Assert.Equal(said.Scope["Caller"], failed.Scope["Caller"]);

        // It runs on without its request, and knows whose it is all the same.
        var detached = Assert.Single(signals.Log, entry => entry.Text == "a buyer's own words");
        Assert.Equal(("acme", "broken_buy"), ((string)detached.Scope["TenantId"]!, (string)detached.Scope["Tool"]!));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_failed_call_is_one_line_at_the_level_of_whose_fault_it_is_and_its_reference_is_in_the_answer(bool isDirect)
    {
        using var signals = new Signals();
        await using var server = await StartAsync(signals, services: isDirect ? null : DifferenceTests.GoTheSdksWay);
        signals.Log.Clear();
        var answer = (await server.CallAsync("acme", McpCalls.Acme, "fail", new() { ["secret"] = "s" }))["content"]![0]![
            "text"
        ]!.ToString();
        var line = Assert.Single(Ours(signals));
        Assert.Equal((LogLevel.Error, "ToolFailed"), (line.Level, line.Event));
        var reference = answer.Split("Reference: ")[^1];
        Assert.Equal($"An error occurred invoking 'fail'. Reference: {reference}", answer);
        Assert.Contains(reference, line.Text, StringComparison.Ordinal);

        signals.Log.Clear();
        Assert.Contains(
            "no such size",
            (await server.CallAsync("acme", McpCalls.Acme, "refuse"))["content"]![0]!["text"]!.ToString(),
            StringComparison.Ordinal
        );
        line = Assert.Single(Ours(signals));
        Assert.Equal((LogLevel.Information, "ToolRefusedCall"), (line.Level, line.Event));

        signals.Log.Clear();
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("no_such_tool"));
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Contains("Unknown tool", await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        line = Assert.Single(Ours(signals));
        Assert.Equal((LogLevel.Information, "NoSuchTool"), (line.Level, line.Event));
    }

    [Fact]
    public async Task Nothing_that_anybody_could_misuse_is_in_logs_traces_or_metrics()
    {
        using var signals = new Signals();
        await using var server = await StartAsync(signals, StoreKind.Redis);
        var buy = McpCalls.CreateBuy();
        var key = (string)buy["idempotency_key"]!;
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", buy, sessionId: session);
        await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", buy.DeepClone().AsObject());
        await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", new() { ["idempotency_key"] = key });
        await server.CallAsync("acme", McpCalls.Acme, "broken_buy", Again(buy, key + "-broken"));
        await RefuseAsync(server, "acme", "acme.no-token-of-anybodys", HttpStatusCode.Unauthorized);
        await RefuseAsync(server, "globex", McpCalls.Acme, HttpStatusCode.Unauthorized);
        string issued;
        using (var made = await server.AdminAsync(HttpMethod.Post, "/acme/principals", new { name = "another" }))
        {
            issued = (string)JsonNode.Parse(await made.Content.ReadAsStringAsync(Token))!["token"]!;
        }

        await server.CallAsync("acme", issued, "whoami");
        using (await server.AdminAsync(HttpMethod.Get, "/acme", key: "not-the-admin-key"))
        using (await server.AdminAsync(HttpMethod.Patch, "/acme", new { name = 5 }))
        using (
            await server.AdminAsync(
                HttpMethod.Post,
                "",
                new { id = "new", principals = new[] { new { name = "n", token = "new.given-token" } } }
            )
        )
        {
            signals.Observe();
        }

        Assert.True(signals.Activities.Count > 20 && signals.Metrics.Count > 20 && signals.Log.Count > 20);
        string[] secrets =
        [
            McpCalls.Acme,
            McpCalls.Globex,
            "acme.no-token-of-anybodys",
            issued,
            "new.given-token",
            TenancyServer.AdminKey,
            "not-the-admin-key",
            key,
            session,
        ];
        foreach (var text in signals.Texts)
        {
            Assert.DoesNotContain(secrets, secret => text.Contains(secret, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Where_nobody_listens_nothing_is_allocated_for_it()
    {
        await using var server = await TenancyServer.StartAsync();
        var tenant = server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        var metrics = server.Services.GetRequiredService<TenancyMetrics>();
        Assert.False(metrics.MeasuresCalls || metrics.MeasuresStore, "Somebody listens.");
        var caller = CallerIdentity.FromPrincipal("buyer")!;
        Assert.Equal(
            0,
            BytesOf(() =>
                CallObservation.End(
                    metrics,
                    CallObservation.Begin(tenant, caller, tool: null),
                    begun: 0,
                    tenant,
                    tool: null,
                    CallOutcome.Ok
                )
            )
        );
        Assert.Equal(0, BytesOf(() => StoreObservation.Begin(metrics, new("EVALSHA", "commit")).End()));
        Assert.Equal(
            0,
            BytesOf(() =>
            {
                metrics.Refusal("UnknownTenant", 404, "acme");
                metrics.Limit("acme", "tenant", isAllowed: true);
                metrics.Commit("acme", "committed");
                metrics.Keyed("acme", "tool", "replay");
                metrics.Recheck("acme", "valid");
                metrics.Trip(isLocal: false);
            })
        );
        Assert.False(NullLogger.Instance.IsEnabled(LogLevel.Critical));
    }

    [Fact]
    public async Task A_call_costs_no_more_than_three_percent_more_bytes_with_metrics_on()
    {
        // 5.6 KiB is what a call of the scaffold's get_products allocates: benchmarks/load.
        const double Most = 0.03 * 5.6 * 1024;
        await using var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:Tenants:0:limits:rateLimit"] = "1000000" }
        );
        var (off, on) = (double.MaxValue, double.MaxValue);
        for (var round = 0; round < 4; round++)
        {
            off = Math.Min(off, await BytesOfCallsAsync(server));
            using var listener = new MeterListener
            {
                InstrumentPublished = static (instrument, listener) =>
                {
                    if (instrument.Meter.Name is TenancyTelemetry.MeterName or TenancyTelemetry.McpName)
                    {
                        listener.EnableMeasurementEvents(instrument);
                    }
                },
            };
            listener.Start();
            on = Math.Min(on, await BytesOfCallsAsync(server));
        }

        Assert.True(on - off < Most, $"{off:F0} bytes without metrics, {on:F0} with them");
    }

    private static IEnumerable<Activity> Ancestors(Activity activity, IEnumerable<Activity> all)
    {
        for (var next = activity; next is not null; next = all.SingleOrDefault(one => one.SpanId == next.ParentSpanId))
        {
            if (next != activity)
            {
                yield return next;
            }
        }
    }

    private static IEnumerable<Signals.Entry> Ours(Signals signals) =>
        signals.Log.Where(entry =>
            (entry.Level >= LogLevel.Warning || entry.Category.StartsWith("Tenancy", StringComparison.Ordinal))
            && !entry.Category.StartsWith("Microsoft", StringComparison.Ordinal)
        );

    private static JsonObject Again(JsonObject buy, string key)
    {
        var again = buy.DeepClone().AsObject();
        again["idempotency_key"] = key;
        return again;
    }

    private static async Task RefuseAsync(TenancyServer server, string tenant, string token, HttpStatusCode status)
    {
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, McpCalls.Call("whoami"));
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(status, response.StatusCode);
    }

    private static async Task<double> BytesOfCallsAsync(TenancyServer server)
    {
        const int Calls = 300;
        for (var i = 0; i < 50; i++)
        {
            await server.CallAsync("acme", McpCalls.Acme, "get_products");
        }

        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < Calls; i++)
        {
            await server.CallAsync("acme", McpCalls.Acme, "get_products");
        }

        return (double)(GC.GetTotalAllocatedBytes(precise: true) - before) / Calls;
    }

    private static long BytesOf(Action call)
    {
        for (var i = 0; i < 100; i++)
        {
            call();
        }

        return Enumerable
            .Range(0, 3)
            .Min(_ =>
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                for (var i = 0; i < 1000; i++)
                {
                    call();
                }

                return GC.GetAllocatedBytesForCurrentThread() - before;
            });
    }

    private static async Task<TenancyServer> StartAsync(
        Signals signals,
        StoreKind store = StoreKind.Embedded,
        Dictionary<string, string?>? settings = null,
        Action<IServiceCollection>? services = null
    )
    {
        var server = await TenancyServer.StartAsync(store, settings, services: collection =>
        {
            collection.AddSingleton<ILoggerProvider>(signals);
            collection.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<LoggingTools>()));
            services?.Invoke(collection);
        });
        signals.Listen(server);
        return server;
    }

    private sealed partial class LoggingTools(ILogger<LoggingTools> logger)
    {
        [McpServerTool(Name = "talkative")]
        public string Talk()
        {
            Say(logger, "a handler's own words");
            return "said";
        }

        [LoggerMessage(1, LogLevel.Information, "{Words}")]
        private static partial void Say(ILogger logger, string words);

        [McpServerTool(Name = "refuse")]
        public static string Refuse() => throw new ModelContextProtocol.McpException("no such size");

        [Tenancy.Adcp.AdcpTool("broken_buy")]
        public Task<Tenancy.Adcp.CreateMediaBuyResponse> BreakAsync(
            Tenancy.Adcp.CreateMediaBuyRequest request,
            ToolContext context,
            CancellationToken cancellationToken
        )
        {
            Say(logger, "a buyer's own words");
            throw new InvalidOperationException("the ad server is away");
        }
    }
}

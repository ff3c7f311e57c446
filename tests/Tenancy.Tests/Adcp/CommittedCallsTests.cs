using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using StackExchange.Redis.Profiling;
using Tenancy.Adcp;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Adcp;

/// <summary>What a handler writes is there when it has returned, together with its answer, or not at all.</summary>
[Tier(Tier.Process)]
public sealed class CommittedCallsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("write_thrice_once")]
    [InlineData("write_thrice")]
    public async Task A_handler_that_throws_leaves_nothing_and_one_that_returns_leaves_all(string tool)
    {
        var log = new Work();
        await using var server = await StartAsync(log);
        log.Failure = new AdcpException(AdcpError.BudgetTooLow);
        Assert.Equal("BUDGET_TOO_LOW", Error(await CallAsync(server, tool)));
        Assert.Empty(await TextsAsync(server));
        log.Failure = null;
        Assert.Equal(3, (int)(await CallAsync(server, tool))["structuredContent"]!["notes"]!);
        Assert.Equal(["1", "2", "3"], await TextsAsync(server));
    }

    [Theory]
    [InlineData(Generation.Sessions, false)]
    [InlineData(Generation.Stateless, false)]
    [InlineData(Generation.Sessions, true)]
    [InlineData(Generation.Stateless, true)]
    public async Task Plain_tools_prompts_and_resources_commit_when_they_have_returned(Generation generation, bool bySdk)
    {
        await using var server = await StartAsync(new(), bySdk);
        var args = (string text, string end) => new JsonObject { ["text"] = text, ["end"] = end };
        await server.CallAsync("acme", McpCalls.Acme, "plain", args("kept", "returns"), generation: generation);
        await server.CallAsync("acme", McpCalls.Acme, "plain", args("thrown", "throws"), generation: generation);
        await server.CallAsync("acme", McpCalls.Acme, "plain", args("failed", "says so"), generation: generation);
        await SendAsync(
            "prompts/get",
            new()
            {
                ["name"] = "written",
                ["arguments"] = new JsonObject { ["text"] = "of a prompt" },
            }
        );
        await SendAsync("resources/read", new() { ["uri"] = "notes://new" });
        var listed = await server.CallAsync("acme", McpCalls.Acme, "plain_list", generation: generation);
        Assert.Equal("kept, of a prompt, of a resource", listed["content"]![0]!["text"]!.ToString());

        async Task SendAsync(string method, JsonObject parameters)
        {
            using var request = McpCalls.Post(
                server.Port,
                Way.Path,
                "acme",
                McpCalls.Acme,
                McpCalls.Message(method, parameters, generation),
                generation
            );
            using var response = await server.Client.SendAsync(request, Token);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_has_its_share_of_the_storage_is_told_that_it_lasts_and_others_still_write(bool bySdk)
    {
        await using var server = await StartAsync(new(), bySdk);
        using (
            var added = await server.AdminAsync(HttpMethod.Post, "/acme/principals", """{"name":"second","token":"acme.second-buyer"}""")
        )
        {
            Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        }

        // Three notes are within a caller's half, and a fourth is not.
        using (var changed = await server.AdminAsync(HttpMethod.Patch, "/acme", """{"limits":{"maxDocumentBytes":4000}}"""))
        {
            Assert.True(changed.IsSuccessStatusCode);
        }

        Assert.Null(Error(await CallAsync(server, "write_thrice_once")));
        foreach (var tool in new[] { "write_thrice_once", "write_thrice" })
        {
            var refused = (await CallAsync(server, tool))["structuredContent"]!["adcp_error"]!;
            Assert.Equal(("POLICY_VIOLATION", "correctable"), (refused["code"]!.ToString(), refused["recovery"]!.ToString()));
            Assert.Null(refused["retry_after"]);
            Assert.Contains("delete some of it", refused["message"]!.ToString(), StringComparison.Ordinal);
        }

        var arguments = new JsonObject { ["text"] = "more", ["end"] = "returns" };
        var plain = await server.CallAsync("acme", McpCalls.Acme, "plain", arguments);
        Assert.True((bool)plain["isError"]!);
        Assert.Contains("to wait does not change that", plain["content"]![0]!["text"]!.ToString(), StringComparison.Ordinal);

        var others = await server.CallAsync("acme", "acme.second-buyer", "plain", arguments.DeepClone().AsObject());
        Assert.False(others["isError"]?.GetValue<bool>() is true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_too_large_to_be_kept_or_answered_is_refused_by_name_and_leaves_nothing(bool bySdk)
    {
        var log = new Work { Padding = 5_000_000 };
        await using var server = await StartAsync(log, bySdk);
        foreach (var tool in new[] { "write_thrice_once", "write_thrice" })
        {
            AssertTold("larger than one may be", await CallAsync(server, tool));
        }

        log.Padding = 0;
        AssertTold("in parts", await CallAsync(server, "write_many_once"));
        var large = new JsonObject { ["text"] = new string('x', 300_000), ["end"] = "returns" };
        AssertSaid("262144 are the most", await server.CallAsync("acme", McpCalls.Acme, "plain", large));
        var much = new JsonObject { ["text"] = "kept", ["end"] = "answers much" };
        AssertSaid("larger than one may be", await server.CallAsync("acme", McpCalls.Acme, "plain", much));

        Assert.Empty(await TextsAsync(server));
        Assert.Equal("", (await server.CallAsync("acme", McpCalls.Acme, "plain_list"))["content"]![0]!["text"]!.ToString());

        static void AssertTold(string text, JsonNode result)
        {
            var error = result["structuredContent"]!["adcp_error"]!;
            Assert.Equal(("VALIDATION_ERROR", "correctable"), (error["code"]!.ToString(), error["recovery"]!.ToString()));
            Assert.Contains(text, error["message"]!.ToString(), StringComparison.Ordinal);
        }

        static void AssertSaid(string text, JsonNode result)
        {
            Assert.True((bool)result["isError"]!);
            Assert.Contains(text, result["content"]![0]!["text"]!.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_comes_back_of_the_request_has_room_in_the_answer_or_nothing_is_written(bool bySdk)
    {
        var log = new Work();
        await using var server = await StartAsync(log, bySdk);
        foreach (var tool in new[] { "write_thrice_once", "write_thrice" })
        {
            var large = await CallAsync(tool, 4_000_000);
            Assert.Equal(("VALIDATION_ERROR", "context"), (Error(large), Field(large)));
            Assert.Null(large["structuredContent"]!["context"]);
        }

        // The answer alone would fit, and both do not.
        log.Padding = 4 * 1024 * 1024 - 30_000;
        Assert.Equal("VALIDATION_ERROR", Error(await CallAsync("write_thrice_once", 60_000)));
        Assert.Empty(await TextsAsync(server));

        log.Padding = 3_500_000;
        var kept = await CallAsync("write_thrice_once", 60_000);
        Assert.Null(Error(kept));
        Assert.Equal(60_000, kept["structuredContent"]!["context"]!.ToString().Length);

        Task<JsonNode> CallAsync(string tool, int context)
        {
            var arguments = Arguments($"{Guid.NewGuid():N}", tool);
            arguments["context"] = new string('x', context);
            return server.CallAsync("acme", McpCalls.Acme, tool, arguments);
        }

        static string? Field(JsonNode result) => result["structuredContent"]!["adcp_error"]!["field"]?.ToString();
    }

    [Fact]
    public async Task An_account_with_the_name_of_a_caller_reaches_nothing_of_that_caller()
    {
        await using var server = await StartAsync(new());
        var principals = await McpCalls.ReadAsync(await server.AdminAsync(HttpMethod.Get, "/acme/principals"));
        var victim = "principal:" + principals["principals"]![0]!["id"];
        await server.CallAsync("acme", McpCalls.Acme, "plain", new() { ["text"] = "the victim's", ["end"] = "returns" });
        Assert.Equal("the victim's", await PlainListAsync());

        // A resolver that believes what the buyer says.
        var arguments = Arguments($"{Guid.NewGuid():N}", "write_thrice_once");
        arguments["account"]!["account_id"] = victim;
        using (
            var added = await server.AdminAsync(HttpMethod.Post, "/acme/principals", """{"name":"second","token":"acme.second-buyer"}""")
        )
        {
            Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        }

        await server.CallAsync("acme", "acme.second-buyer", "write_thrice_once", arguments);
        arguments = Arguments("", "write_thrice");
        arguments["account"]!["account_id"] = victim;
        var read = await server.CallAsync("acme", "acme.second-buyer", "list_notes", arguments);
        Assert.Equal("1 2 3", read["structuredContent"]!["operation"]!.ToString());
        Assert.Equal("the victim's", await PlainListAsync());

        async Task<string> PlainListAsync() =>
            (await server.CallAsync("acme", McpCalls.Acme, "plain_list"))["content"]![0]!["text"]!.ToString();
    }

    [Fact]
    public async Task Who_has_its_share_of_idempotency_keys_is_told_that_it_lasts_and_who_uses_them_too_fast_that_it_does_not()
    {
        await using var server = await StartAsync(new());
        using (var changed = await server.AdminAsync(HttpMethod.Patch, "/acme", """{"limits":{"maxIdempotencyRecords":4}}"""))
        {
            Assert.True(changed.IsSuccessStatusCode);
        }

        Assert.Null(Error(await CallAsync(server, "write_thrice_once")));
        Assert.Null(Error(await CallAsync(server, "write_thrice_once")));
        var full = (await CallAsync(server, "write_thrice_once"))["structuredContent"]!["adcp_error"]!;
        Assert.Equal(("POLICY_VIOLATION", "correctable"), (full["code"]!.ToString(), full["recovery"]!.ToString()));
        Assert.Null(full["retry_after"]);

        // The ceiling of new keys is a setting, and counts at once.
        using (
            var changed = await server.AdminAsync(
                HttpMethod.Patch,
                "/acme",
                """{"limits":{"maxIdempotencyRecords":1000,"idempotencyInserts":1,"idempotencyInsertBurst":1}}"""
            )
        )
        {
            Assert.True(changed.IsSuccessStatusCode);
        }

        JsonNode last;
        var count = 2;
        while (Error(last = await CallAsync(server, "write_thrice_once")) is null)
        {
            count++;
        }

        Assert.Equal(10, count);
        var fast = last["structuredContent"]!["adcp_error"]!;
        Assert.Equal(("RATE_LIMITED", "transient"), (fast["code"]!.ToString(), fast["recovery"]!.ToString()));
        Assert.InRange((int)fast["retry_after"]!, 1, 10);
    }

    [Fact]
    public async Task A_conflict_lets_a_handler_with_a_key_decide_again_with_services_of_its_own()
    {
        var log = new Work();
        await using var server = await StartAsync(log);
        await using (var scope = Open(server))
        {
            await scope.Context.Documents<Note>().CreateWithIdAsync("counter", new() { Text = "0" }, Token);
            await scope.CommitAsync(Token);
        }

        log.Meanwhile = run => run < 3 ? CountAsync() : Task.CompletedTask;
        var result = await CallAsync(server, "count_up");
        Assert.Equal(3, (int)result["structuredContent"]!["notes"]!);
        Assert.Equal(["3"], await TextsAsync(server));
        Assert.Equal(3, log.Runs.Count);
        Assert.Single(log.Runs.Select(run => run.Operation).Distinct());
        Assert.Equal(3, log.Runs.Select(run => run.Mark).Distinct().Count());

        // Who always loses is told so, and nothing of it is there.
        log.Runs.Clear();
        log.Meanwhile = _ => CountAsync();
        Assert.Equal("CONFLICT", Error(await CallAsync(server, "count_up")));
        Assert.Equal(6, log.Runs.Count);
        Assert.Equal(["9"], await TextsAsync(server));

        // Without a key a handler runs once.
        log.Runs.Clear();
        Assert.Equal("CONFLICT", Error(await CallAsync(server, "count_up_unkeyed")));
        Assert.Single(log.Runs);
        Assert.Equal(["10"], await TextsAsync(server));

        async Task CountAsync()
        {
            await using var scope = Open(server);
            var counter = (await scope.Context.Documents<Note>().GetAsync("counter", Token))!;
            await scope
                .Context.Documents<Note>()
                .ReplaceAsync(
                    counter with
                    {
                        Text = $"{int.Parse(counter.Text, System.Globalization.CultureInfo.InvariantCulture) + 1}",
                    },
                    Token
                );
            await scope.CommitAsync(Token);
        }
    }

    [Fact]
    public async Task What_was_flushed_before_a_failure_is_found_by_the_retry_and_not_made_twice()
    {
        var log = new Work();
        await using var server = await StartAsync(log);
        var key = Guid.NewGuid().ToString("N");
        log.Failure = new InvalidOperationException("the ad server is away");
        Assert.Equal("SERVICE_UNAVAILABLE", Error(await CallAsync(server, "flush", key)));
        Assert.Equal(["first"], await TextsAsync(server));
        log.Failure = null;
        Assert.Null((await CallAsync(server, "flush", key))["structuredContent"]!["adcp_error"]);
        Assert.Equal(["first", "second"], await TextsAsync(server));
        Assert.True((bool)(await CallAsync(server, "flush", key))["structuredContent"]!["replayed"]!);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handler_that_outlives_the_deletion_of_its_tenant_writes_nothing(bool isRegisteredAnew)
    {
        var (log, hasBegun, mayEnd) = (new Work(), new TaskCompletionSource(), new TaskCompletionSource());
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(redis: redis, services: services => Add(services, log));
        await using (var scope = Open(server))
        {
            await scope.Context.Documents<Note>().CreateWithIdAsync("counter", new() { Text = "0" }, Token);
            await scope.CommitAsync(Token);
        }

        log.Meanwhile = _ =>
        {
            hasBegun.TrySetResult();
            return mayEnd.Task;
        };
        using var gone = new CancellationTokenSource();
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            McpCalls.Call("count_up", Arguments($"{Guid.NewGuid():N}"))
        );
        var call = server.Client.SendAsync(request, gone.Token);
        await hasBegun.Task;
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        using (var deleted = await server.AdminAsync(HttpMethod.Delete, "/acme"))
        {
            Assert.True(deleted.IsSuccessStatusCode);
        }

        if (isRegisteredAnew)
        {
            using var added = await server.AdminAsync(HttpMethod.Post, "", """{"id":"acme","platform":"publisher"}""");
            Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        }

        var running = server.Services.GetRequiredService<ClaimedCalls>();
        Assert.Equal(1, running.Count);
        mayEnd.SetResult();
        await Poll.UntilAsync(() => Task.FromResult(running.Count == 0));
        await using var connection = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        var keys = connection.GetServers()[0].Keys(pattern: "tenant:{acme}:*").Select(key => key.ToString().Split(':')[2]);
        Assert.Empty(
            keys.Except(
                isRegisteredAnew ? ["generation", "life", "principals", "principal", "audit", "rate-limit"] : ["generation", "rate-limit"]
            )
        );
        Assert.Single(log.Runs);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_write_makes_two_trips_and_those_that_its_handler_reads_and_a_read_has_nothing_to_commit(StoreKind store)
    {
        ProfilingSession? session = null;
        await using var server = await TenancyServer.StartAsync(store, services: services =>
        {
            Add(services, new Work());
            services.AddSingleton<TimeProvider>(new FakeTimeProvider(DateTimeOffset.UtcNow));
            services.AddSingleton(provider => new RedisConnection(
                provider.GetRequiredService<IConfiguration>(),
                provider.GetRequiredService<IHostEnvironment>(),
                provider.GetRequiredService<IOptions<TenancyOptions>>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<RedisConnection>>(),
                provider.GetService<IEmbeddedStore>()
            )
            {
                Profiler = () => session,
            });
        });
        for (var i = 0; i < 12; i++)
        {
            await CallAsync(server, "write_thrice_once");
        }

        await using (var scope = Open(server))
        {
            await scope.Context.Documents<Note>().CreateWithIdAsync("counter", new() { Text = "0" }, Token);
            await scope.CommitAsync(Token);
        }

        // The first of each teaches the server the scripts.
        await CallAsync(server, "count_up");
        foreach (var (tool, trips) in new[] { ("write_thrice_once", 2), ("write_thrice", 1), ("count_up", 3), ("count_up_unkeyed", 2) })
        {
            session = new();
            await CallAsync(server, tool);
            var commands = session.FinishProfiling().Select(command => command.Command).Where(command => command is not "PING").ToArray();
            session = null;
            Assert.True(commands.Length == trips, $"{tool}: {string.Join(", ", commands)}");
        }

        var call = server
            .Services.GetRequiredService<CallStarter>()
            .TryBegin(server.Services.GetRequiredService<TenantRegistry>().Get("acme")!, CallerIdentity.FromPrincipal("buyer")!)
            .Call!;
        await call.Context.Documents<Note>().ListAsync(cancellationToken: Token);
        Assert.False(await call.Context.Documents<Note>().DeleteAsync("none", Token));
        Assert.Null(call.Work);
        await call.ReleaseAsync();
    }

    [Fact]
    public async Task Of_64_of_one_request_at_two_servers_one_commits_and_all_are_answered_alike()
    {
        var log = new Work();
        await using var redis = await RedisServer.StartAsync();
        await using var one = await TenancyServer.StartAsync(redis: redis, services: services => Add(services, log));
        await using var other = await TenancyServer.StartAsync(redis: redis, services: services => Add(services, log));
        var key = Guid.NewGuid().ToString("N");
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 64)
                .Select(async i =>
                {
                    for (var clock = Stopwatch.StartNew(); ; )
                    {
                        var answer = await CallAsync(i % 2 == 0 ? one : other, "write_thrice_once", key);
                        if (Error(answer) is not { } error)
                        {
                            return answer["structuredContent"]!;
                        }

                        Assert.Equal("IDEMPOTENCY_IN_FLIGHT", error);
                        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), "Nobody commits.");
                        Assert.InRange((int)answer["structuredContent"]!["adcp_error"]!["retry_after"]!, 1, 5);
                    }
                })
        );
        Assert.Single(log.Runs);
        Assert.Single(answers, answer => answer["replayed"] is null);
        Assert.Single(answers.Select(answer => answer["operation"]!.ToString()).Distinct());
        Assert.Equal(["1", "2", "3"], await TextsAsync(other));
    }

    [Fact]
    public async Task Cut_before_or_after_any_command_a_write_is_whole_or_not_there_and_its_retry_finishes_it()
    {
        var log = new Work();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = new StoreProxy(new IPEndPoint(IPAddress.Loopback, redis.Port));
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["ConnectionStrings:Redis"] = $"127.0.0.1:{((IPEndPoint)proxy.EndPoint).Port}",
            ["Tenancy:Tenants:0:limits:rateLimit"] = "60000",
        };
        await using var direct = await TenancyServer.StartAsync(redis: redis, services: services => Add(services, log));
        await using var server = await TenancyServer.StartAsync(settings: settings, services: services =>
        {
            Add(services, log);
            services.AddSingleton<TimeProvider>(time);
        });
        for (var i = 0; i < 5; i++)
        {
            await CallAsync(server, "write_ids", $"{Guid.NewGuid():N}");
        }

        var (total, lost) = ((await TextsAsync(direct)).Length, 0);
        for (var number = 1; ; number++)
        {
            foreach (var afterIt in new[] { false, true })
            {
                var key = $"{Guid.NewGuid():N}";
                proxy.Arm(number, afterIt);
                var first = await TryAsync(key);
                var there = (await TextsAsync(direct)).Length - total;
                Assert.True(there is 0 or 3, $"{there} of 3 are there after a cut at command {number}.");
                proxy.Arm(0, afterIt: false);
                lost += first ? 0 : 1;

                // A claim that nobody gave back ends by itself.
                await Poll.UntilAsync(async () =>
                {
                    time.Advance(TimeSpan.FromSeconds(70));
                    return await TryAsync(key);
                });
                total += 3;
                Assert.Equal(total, (await TextsAsync(direct)).Length);
            }

            // Three ids are looked at; before and after them are the claim and the commit.
            if (number == 5)
            {
                break;
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{lost} of 10 were not answered at first.");

        async Task<bool> TryAsync(string key)
        {
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("write_ids", Arguments(key)));
            using var response = await server.Client.SendAsync(request, Token);
            return response.StatusCode == HttpStatusCode.OK && Error((await McpCalls.ReadAsync(response))["result"]!) is null;
        }
    }

    private static Task<TenancyServer> StartAsync(Work log, bool bySdk = false) =>
        TenancyServer.StartAsync(services: services =>
        {
            Add(services, log);
            if (bySdk)
            {
                // With a filter of the application's own all calls go the SDK's way.
                services.Configure<McpServerOptions>(options =>
                    options.Filters.Request.CallToolFilters.Add(next => (request, cancellationToken) => next(request, cancellationToken))
                );
            }
        });

    private static void Add(IServiceCollection services, Work log)
    {
        services.AddSingleton(log);
        services.AddScoped<Mark>();
        services.AddSingleton<IAccountResolver, AnyAccount>();
        services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Handlers>().AddHandlers<PlainHandlers>()));
    }

    private static Task<JsonNode> CallAsync(TenancyServer server, string tool, string? key = null) =>
        server.CallAsync("acme", McpCalls.Acme, tool, Arguments(key ?? Guid.NewGuid().ToString("N"), tool));

    private static JsonObject Arguments(string key, string tool = "write_ids")
    {
        var arguments = new JsonObject { ["account"] = new JsonObject { ["account_id"] = "any" } };
        if (tool is not ("write_thrice" or "count_up_unkeyed"))
        {
            arguments["idempotency_key"] = key;
        }

        return arguments;
    }

    private static string? Error(JsonNode result) => result["structuredContent"]?["adcp_error"]?["code"]?.ToString();

    private static TenantScope Open(TenancyServer server) =>
        server.Services.GetRequiredService<TenantScopes>().Open(TenantId.Parse("acme"), "test", "any");

    private static async Task<string[]> TextsAsync(TenancyServer server)
    {
        await using var scope = Open(server);
        return [.. (await scope.Context.Documents<Note>().ListAsync(limit: 200, cancellationToken: Token)).Items.Select(note => note.Text)];
    }

    private sealed class AnyAccount : IAccountResolver
    {
        public Task<IReadOnlyList<Account>> ResolveAsync(
            AccountReference? reference,
            ToolContext context,
            CancellationToken cancellationToken
        ) =>
            Task.FromResult<IReadOnlyList<Account>>([
                new()
                {
                    AccountId = reference?.AccountId ?? "any",
                    Name = "any",
                    Status = AccountStatus.Active,
                },
            ]);
    }

    [Document("committed_notes")]
    public sealed record Note : TenantDocument
    {
        public string Text { get; init; } = "";
    }

    public record WorkRequest : AdcpRequest, IAccountRequest
    {
        public AccountReference? Account { get; init; }
    }

    public sealed record KeyedRequest : WorkRequest, IIdempotentRequest
    {
        public required string IdempotencyKey { get; init; }
    }

    public sealed record WorkResponse : AdcpResponse
    {
        public int Notes { get; init; }

        public string Operation { get; init; } = "";
    }

    /// <summary>What happens to the handlers, and what was seen of them.</summary>
    public sealed class Work
    {
        public Exception? Failure { get; set; }

        public int Padding { get; set; }

        public Func<int, Task> Meanwhile { get; set; } = _ => Task.CompletedTask;

        public ConcurrentQueue<(string Operation, Mark Mark)> Runs { get; } = new();
    }

    public sealed class Mark;

    public sealed class Handlers(Work log, Mark mark)
    {
        [AdcpTool("write_thrice_once")]
        public Task<WorkResponse> WriteOnceAsync(KeyedRequest request, ToolContext context, CancellationToken cancellationToken) =>
            WriteAsync(request, context, cancellationToken);

        [AdcpTool("write_thrice")]
        public async Task<WorkResponse> WriteAsync(WorkRequest request, ToolContext context, CancellationToken cancellationToken)
        {
            log.Runs.Enqueue((context.OperationId, mark));
            foreach (var text in new[] { "1", "2", "3" })
            {
                await context.Documents<Note>().CreateAsync(new() { Text = text }, text, cancellationToken);
            }

            return log.Failure is null
                ? new() { Notes = 3, Operation = context.OperationId + new string('x', log.Padding) }
                : throw log.Failure;
        }

        [AdcpTool("write_many_once")]
        public async Task<WorkResponse> WriteManyAsync(KeyedRequest request, ToolContext context, CancellationToken cancellationToken)
        {
            for (var i = 0; i < 129; i++)
            {
                await context.Documents<Note>().CreateAsync(new() { Text = "many" }, $"{i}", cancellationToken);
            }

            return new() { Notes = 129 };
        }

        [AdcpTool("list_notes")]
        public async Task<WorkResponse> ListAsync(WorkRequest request, ToolContext context, CancellationToken cancellationToken) =>
            new()
            {
                Operation = string.Join(
                    ' ',
                    (await context.Documents<Note>().ListAsync(cancellationToken: cancellationToken)).Items.Select(note => note.Text)
                ),
            };

        [AdcpTool("write_ids")]
        public async Task<WorkResponse> WriteIdsAsync(KeyedRequest request, ToolContext context, CancellationToken cancellationToken)
        {
            foreach (var text in new[] { "1", "2", "3" })
            {
                await context.Documents<Note>().CreateWithIdAsync(request.IdempotencyKey + text, new() { Text = text }, cancellationToken);
            }

            return new() { Notes = 3 };
        }

        [AdcpTool("count_up")]
        public Task<WorkResponse> CountOnceAsync(KeyedRequest request, ToolContext context, CancellationToken cancellationToken) =>
            CountAsync(request, context, cancellationToken);

        [AdcpTool("count_up_unkeyed")]
        public async Task<WorkResponse> CountAsync(WorkRequest request, ToolContext context, CancellationToken cancellationToken)
        {
            log.Runs.Enqueue((context.OperationId, mark));
            var counter = (await context.Documents<Note>().GetAsync("counter", cancellationToken))!;
            await log.Meanwhile(log.Runs.Count);
            var number = int.Parse(counter.Text, System.Globalization.CultureInfo.InvariantCulture) + 1;
            await context.Documents<Note>().ReplaceAsync(counter with { Text = $"{number}" }, cancellationToken);
            return new() { Notes = number };
        }

        [AdcpTool("flush")]
        public async Task<WorkResponse> FlushAsync(KeyedRequest request, ToolContext context, CancellationToken cancellationToken)
        {
            await context.Documents<Note>().CreateAsync(new() { Text = "first" }, "first", cancellationToken);
            await context.FlushAsync(cancellationToken);
            if (log.Failure is { } failure)
            {
                throw failure;
            }

            await context.Documents<Note>().CreateAsync(new() { Text = "second" }, "second", cancellationToken);
            return new();
        }
    }

    internal sealed class PlainHandlers
    {
        [McpServerTool(Name = "plain")]
        public static async Task<CallToolResult> WriteAsync(string text, string end, ToolContext context)
        {
            await context.Documents<Note>().CreateAsync(new() { Text = text });
            return end == "throws" ? throw new InvalidOperationException(end)
                : end == "answers much" ? new() { Content = [new TextContentBlock { Text = new('x', 9_000_000) }] }
                : new() { IsError = end == "says so" };
        }

        [McpServerTool(Name = "plain_list")]
        public static async Task<string> ListAsync(ToolContext context) =>
            string.Join(", ", (await context.Documents<Note>().ListAsync()).Items.Select(note => note.Text));

        [McpServerPrompt(Name = "written")]
        public static async Task<string> PromptAsync(string text, ToolContext context) =>
            (await context.Documents<Note>().CreateAsync(new() { Text = text })).Text;

        [McpServerResource(UriTemplate = "notes://new", Name = "new")]
        public static async Task<string> ResourceAsync(ToolContext context) =>
            (await context.Documents<Note>().CreateAsync(new() { Text = "of a resource" })).Text;
    }
}

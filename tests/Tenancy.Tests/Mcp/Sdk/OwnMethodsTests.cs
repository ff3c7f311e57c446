#pragma warning disable MCPEXP002 // Methods of one's own are experimental in the MCP SDK.
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Sdk;

/// <summary>
/// An application's own JSON-RPC methods are handlers like all others: each call of one is a tenant's and a caller's, and no longer than it
/// lasts.
/// </summary>
[Tier(Tier.Server)]
public sealed class OwnMethodsTests
{
    private const string Second = "acme.second";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>How a client speaks: by which generation, and whether in a session.</summary>
    public static TheoryData<Generation, bool> Clients { get; } =
        new()
        {
            { Generation.Sessions, false },
            { Generation.Sessions, true },
            { Generation.Stateless, false },
        };

    [Theory, MemberData(nameof(Clients))]
    public async Task A_method_gets_the_context_of_the_tenant_and_the_caller_that_call_it(Generation generation, bool hasSession)
    {
        await using var server = await StartAsync();
        var callers = new HashSet<string>();
        foreach (
            var (tenant, token, product) in new[]
            {
                ("acme", McpCalls.Acme, "acme-banner"),
                ("globex", McpCalls.Globex, "globex-shelf"),
                ("acme", Second, "acme-banner"),
                ("acme", McpCalls.Acme, "acme-banner"),
            }
        )
        {
            var session = hasSession ? await server.InitializeAsync(tenant, token) : null;
            using var response = await SendAsync(server, tenant, token, "shop/status", generation, session);
            var result = (await McpCalls.ReadAsync(response))["result"]!;
            var caller = (await server.CallAsync(tenant, token, "whoami"))["content"]![0]!["text"]!.ToString().Split('|')[1];
            Assert.Equal($"{tenant}|{caller}|{caller}|{product}|{tenant}|asked", result["seen"]!.ToString());
            callers.Add($"{tenant}|{caller}");
        }

        Assert.Equal(3, callers.Count);
    }

    [Theory, MemberData(nameof(Clients))]
    public async Task A_stranger_reaches_no_method_whatever_it_shows(Generation generation, bool hasSession)
    {
        var reached = new Reached();
        await using var server = await StartAsync(services => services.AddSingleton(reached));
        var session = hasSession ? await server.InitializeAsync("acme", McpCalls.Acme) : null;
        foreach (
            var (token, status) in new[]
            {
                (null, HttpStatusCode.Unauthorized),
                (McpCalls.Globex, HttpStatusCode.Unauthorized),
                ("nonsense", HttpStatusCode.Unauthorized),
                ("acme.", HttpStatusCode.Unauthorized),
            }
        )
        {
            // A tool that is open to everybody opens nothing else.
            using var response = await SendAsync(
                server,
                "acme",
                token,
                "shop/status",
                generation,
                session,
                new() { ["name"] = "get_products" }
            );
            Assert.Equal(status, response.StatusCode);
            Assert.Equal(-32028, (int)(await McpCalls.ReadAsync(response))["error"]!["code"]!);
        }

        Assert.Equal(0, reached.Count);
        using var own = await SendAsync(
            server,
            "acme",
            McpCalls.Acme,
            "shop/status",
            generation,
            session,
            new() { ["name"] = "get_products" }
        );
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        Assert.Equal(1, reached.Count);
    }

    [Fact]
    public async Task A_session_of_another_caller_or_tenant_opens_no_method()
    {
        var reached = new Reached();
        await using var server = await StartAsync(services => services.AddSingleton(reached));
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        foreach (
            var (tenant, token, status) in new[]
            {
                ("acme", Second, HttpStatusCode.NotFound),
                ("globex", McpCalls.Globex, HttpStatusCode.NotFound),
                ("globex", McpCalls.Acme, HttpStatusCode.Unauthorized),
                ("acme", null, HttpStatusCode.Unauthorized),
            }
        )
        {
            using var response = await SendAsync(server, tenant, token, "shop/status", Generation.Sessions, session);
            Assert.Equal(status, response.StatusCode);
        }

        Assert.Equal(0, reached.Count);
    }

    [Theory, MemberData(nameof(Clients))]
    public async Task What_a_method_keeps_reaches_nothing_when_its_call_is_over(Generation generation, bool hasSession)
    {
        var kept = new Kept();
        await using var server = await StartAsync(services => services.AddSingleton(kept));
        var session = hasSession ? await server.InitializeAsync("acme", McpCalls.Acme) : null;
        using (var response = await SendAsync(server, "acme", McpCalls.Acme, "shop/keep", generation, session))
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        // Somebody else's call is under way meanwhile, on the same connection.
        await server.CallAsync("globex", McpCalls.Globex, "whoami");
        Assert.True(kept.Mark!.IsDisposed);
        Assert.Throws<InvalidOperationException>(() => kept.Context!.Platform<ITestSeller>());
        Assert.Throws<InvalidOperationException>(() => kept.Context!.CallerDocuments<TestBuy>());
        Assert.Throws<InvalidOperationException>(() => kept.Context!.Cache);
        Assert.Throws<ObjectDisposedException>(() => kept.Services!.GetRequiredService<ScopeMark>());
        Assert.Throws<InvalidOperationException>(() => kept.Services!.GetRequiredService<ToolContext>().Platform<ITestSeller>());
    }

    [Theory, MemberData(nameof(Clients))]
    public async Task A_method_takes_a_place_among_the_tenants_calls_and_gives_it_back(Generation generation, bool hasSession)
    {
        using var gate = new SlowTools.Gate();
        await using var server = await StartAsync(
            services => services.AddSingleton(gate),
            new() { ["Tenancy:Tenants:0:limits:maxConcurrentCalls"] = "1" }
        );
        var session = hasSession ? await server.InitializeAsync("acme", McpCalls.Acme) : null;
        var slow = SendAsync(server, "acme", McpCalls.Acme, "shop/wait", generation, session);
        await gate.WaitForAsync(1);
        using (
            var call = await server.Client.SendAsync(McpCalls.Post(server.Port, Way.Path, "acme", Second, McpCalls.Call("whoami")), Token)
        )
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, call.StatusCode);
        }

        using (var other = await SendAsync(server, "acme", McpCalls.Acme, "shop/status", generation, session, id: 2))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, other.StatusCode);
            Assert.Equal(-32029, (int)(await McpCalls.ReadAsync(other))["error"]!["code"]!);
        }

        using (var neighbour = await SendAsync(server, "globex", McpCalls.Globex, "shop/status", generation, session: null))
        {
            Assert.Equal(HttpStatusCode.OK, neighbour.StatusCode);
        }

        gate.Open();
        using (var answer = await slow)
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        foreach (var method in new[] { "shop/status", "shop/fail", "shop/status" })
        {
            await Poll.UntilAsync(async () =>
            {
                using var response = await SendAsync(server, "acme", McpCalls.Acme, method, generation, session);
                return response.StatusCode != HttpStatusCode.TooManyRequests;
            });
        }
    }

    [Fact]
    public async Task Methods_of_many_callers_at_once_see_each_their_own()
    {
        await using var server = await StartAsync(
            settings: new()
            {
                ["Tenancy:Tenants:0:limits:maxConcurrentCalls"] = "1000",
                ["Tenancy:Tenants:1:limits:maxConcurrentCalls"] = "1000",
            }
        );
        var tenants = new[] { ("acme", McpCalls.Acme), ("globex", McpCalls.Globex), ("acme", Second) };
        var sessions = await Task.WhenAll(tenants.Select(tenant => server.InitializeAsync(tenant.Item1, tenant.Item2)));
        await Task.WhenAll(
            Enumerable
                .Range(0, 600)
                .Select(async i =>
                {
                    var (tenant, token) = tenants[i % 3];
                    var generation = i / 3 % 3 == 2 ? Generation.Stateless : Generation.Sessions;
                    using var response = await SendAsync(
                        server,
                        tenant,
                        token,
                        "shop/status",
                        generation,
                        i / 3 % 3 == 1 ? sessions[i % 3] : null,
                        new() { ["turns"] = i % 4 },
                        id: i
                    );
                    var answer = await McpCalls.ReadAsync(response);
                    Assert.StartsWith($"{tenant}|", answer["result"]!["seen"]!.ToString(), StringComparison.Ordinal);
                    Assert.EndsWith($"|{tenant}|asked", answer["result"]!["seen"]!.ToString(), StringComparison.Ordinal);
                })
        );
    }

    private static Task<TenancyServer> StartAsync(Action<IServiceCollection>? more = null, Dictionary<string, string?>? settings = null) =>
        TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>([
                .. TenancyServer.DefaultSettings,
                new("Tenancy:Tenants:0:principals:1:name", "second"),
                new("Tenancy:Tenants:0:principals:1:token", Second),
                .. settings ?? [],
            ]),
            services: services =>
            {
                services.AddScoped<ScopeMark>().AddSingleton<Reached>().AddSingleton<Kept>();
                services.Configure<McpServerOptions>(options =>
                    options.RequestHandlers = [
                        new() { Method = "shop/status", Handler = StatusAsync },
                        new() { Method = "shop/keep", Handler = Keep },
                        new() { Method = "shop/wait", Handler = WaitAsync },
                        new() { Method = "shop/fail", Handler = (_, _) => throw new InvalidOperationException("It fails.") },
                    ]
                );
                more?.Invoke(services);
            }
        );

    private static async ValueTask<JsonNode?> StatusAsync(RequestContext<JsonNode?> request, CancellationToken cancellationToken)
    {
        var services = request.Services!;
        Interlocked.Increment(ref services.GetRequiredService<Reached>().Count);
        var context = services.GetRequiredService<ToolContext>();
        var first = See(context);
        for (var turn = 0; turn < (int?)request.Params?["turns"]; turn++)
        {
            await Task.Delay(turn % 2, cancellationToken);
            Assert.Equal(first, See(services.GetRequiredService<ToolContext>()));
        }

        return new JsonObject
        {
            ["seen"] = $"{first}|{services.GetRequiredService<TenantRegistry>().Get(context.TenantId.Value)!.Id}|asked",
        };

        static string See(ToolContext context) =>
            $"{context.TenantId}|{context.Caller}|{context.AccountId}|{context.Platform<ITestSeller>().Product}";
    }

    private static ValueTask<JsonNode?> Keep(RequestContext<JsonNode?> request, CancellationToken cancellationToken)
    {
        var kept = request.Services!.GetRequiredService<Kept>();
        (kept.Context, kept.Services, kept.Mark) = (
            request.Services!.GetRequiredService<ToolContext>(),
            request.Services,
            request.Services!.GetRequiredService<ScopeMark>()
        );
        Assert.NotNull(kept.Context.Platform<ITestSeller>());
        return new((JsonNode?)new JsonObject());
    }

    private static async ValueTask<JsonNode?> WaitAsync(RequestContext<JsonNode?> request, CancellationToken cancellationToken)
    {
        await request.Services!.GetRequiredService<SlowTools.Gate>().EnterAsync(cancellationToken);
        return new JsonObject();
    }

    private static async Task<HttpResponseMessage> SendAsync(
        TenancyServer server,
        string tenant,
        string? token,
        string method,
        Generation generation,
        string? session,
        JsonObject? parameters = null,
        int id = 1
    )
    {
        var body = JsonNode.Parse(McpCalls.Message(method, parameters, generation))!;
        body["id"] = id;
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, body.ToJsonString(), generation, session);
        return await server.Client.SendAsync(request, Token);
    }

    private sealed class Reached
    {
        public int Count;
    }

    private sealed class Kept
    {
        public ToolContext? Context { get; set; }

        public IServiceProvider? Services { get; set; }

        public ScopeMark? Mark { get; set; }
    }
}

using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>
/// Prompts and resources of handler classes are called as tools are: with the context of one tenant, by callers who are known.
/// </summary>
/// <remarks>
/// The tests of one server ask acme 32 times without credentials, and 32 times with bad ones. An address may do either 60 times a minute.
/// </remarks>
[Tier(Tier.Server)]
public sealed class PromptsAndResourcesTests(PromptsAndResourcesTests.Server shared) : IClassFixture<PromptsAndResourcesTests.Server>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<Way, Generation> Everywhere { get; } =
        new MatrixTheoryData<Way, Generation>(Enum.GetValues<Way>(), Enum.GetValues<Generation>());

    public static TheoryData<string, string, Generation> Requests { get; } =
        new MatrixTheoryData<string, string, Generation>(
            [
                "prompts/list",
                "prompts/get",
                "resources/list",
                "resources/templates/list",
                "resources/read",
                "resources/subscribe",
                "resources/unsubscribe",
                "completion/complete",
            ],
            ["greet", "get_products"],
            Enum.GetValues<Generation>()
        );

    [Theory, MemberData(nameof(Everywhere))]
    public async Task A_prompt_and_a_resource_get_the_context_of_the_tenant_that_is_called(Way way, Generation generation)
    {
        var server = shared.Host;
        foreach (
            var (tenant, token, product) in new[] { ("acme", McpCalls.Acme, "acme-banner"), ("globex", McpCalls.Globex, "globex-shelf") }
        )
        {
            var prompts = await SendAsync(server, tenant, token, "prompts/list", [], way, generation);
            Assert.Equal(
                ["greet", "keep"],
                prompts["prompts"]!.AsArray().Select(prompt => prompt!["name"]!.ToString()).Order(StringComparer.Ordinal)
            );
            var prompt = await SendAsync(
                server,
                tenant,
                token,
                "prompts/get",
                new()
                {
                    ["name"] = "greet",
                    ["arguments"] = new JsonObject { ["tone"] = "warm" },
                },
                way,
                generation
            );
            Assert.StartsWith(
                $"warm|{product}|{tenant}|principal:",
                prompt["messages"]![0]!["content"]!["text"]!.ToString(),
                StringComparison.Ordinal
            );

            var resources = await SendAsync(server, tenant, token, "resources/list", [], way, generation);
            Assert.Equal("shop://inventory", resources["resources"]!.AsArray().Single()!["uri"]!.ToString());
            var templates = await SendAsync(server, tenant, token, "resources/templates/list", [], way, generation);
            Assert.Equal("shop://shelves/{shelf}", templates["resourceTemplates"]!.AsArray().Single()!["uriTemplate"]!.ToString());
            var resource = await SendAsync(
                server,
                tenant,
                token,
                "resources/read",
                new() { ["uri"] = "shop://inventory" },
                way,
                generation
            );
            Assert.Equal($"{product} of {tenant}", resource["contents"]![0]!["text"]!.ToString());
            var shelf = await SendAsync(server, tenant, token, "resources/read", new() { ["uri"] = "shop://shelves/7" }, way, generation);
            Assert.Equal($"7 of {tenant}", shelf["contents"]![0]!["text"]!.ToString());
        }
    }

    [Theory, MemberData(nameof(Requests))]
    public async Task Without_credentials_nothing_but_tools_that_need_none_is_answered(string method, string name, Generation generation)
    {
        var server = shared.Host;
        var parameters = new JsonObject
        {
            ["name"] = name,
            ["uri"] = "shop://inventory",
            ["ref"] = new JsonObject { ["type"] = "ref/prompt", ["name"] = name },
            ["argument"] = new JsonObject { ["name"] = "tone", ["value"] = "" },
        };
        foreach (var token in new[] { null, McpCalls.Globex })
        {
            using var request = McpCalls.Post(
                server.Port,
                Way.Path,
                "acme",
                token,
                McpCalls.Message(method, parameters.DeepClone().AsObject(), generation),
                generation
            );
            using var response = await server.Client.SendAsync(request, Token);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal(-32028, (int)(await McpCalls.ReadAsync(response))["error"]!["code"]!);
        }
    }

    [Fact]
    public async Task A_call_that_passed_no_gate_is_refused_without_credentials()
    {
        var server = shared.Host;
        var tenant = server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        var (call, refusal) = server.Services.GetRequiredService<CallStarter>().TryBegin(tenant, CallerIdentity.Anonymous);
        Assert.Null(call);
        Assert.Equal(Refusal.NoCredentials, refusal);

        // A handler that the SDK calls for nobody's request belongs to no tenant.
        var tool = McpPlatformInstance.Of(tenant).Kind.FindTool("\"whoami\""u8)!;
        await using var nobodys = McpServer.Create(new StreamServerTransport(Stream.Null, Stream.Null), new());
        var foreign = new RequestContext<CallToolRequestParams>(nobodys, new() { Method = "tools/call" }, new() { Name = "whoami" });
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await tool.InvokeAsync(foreign, Token));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(McpCalls.Globex)]
    public async Task A_session_of_another_tenant_gets_no_prompt(string? token)
    {
        var server = shared.Host;
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "globex",
            token,
            McpCalls.Message("prompts/get", new() { ["name"] = "greet" }),
            Generation.Sessions,
            session
        );
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(token is null ? HttpStatusCode.Unauthorized : HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task A_bad_argument_of_a_prompt_is_its_callers_mistake_and_no_failure_in_the_log()
    {
        var log = new LogRecorder();
        await using var server = await StartAsync(services => services.AddSingleton<ILoggerProvider>(log));
        foreach (var tone in new JsonNode[] { new JsonArray(), 5 })
        {
            var parameters = new JsonObject
            {
                ["name"] = "greet",
                ["arguments"] = new JsonObject { ["tone"] = tone },
            };
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Message("prompts/get", parameters));
            using var response = await server.Client.SendAsync(request, Token);
            Assert.NotNull((await McpCalls.ReadAsync(response))["error"]);
        }

        Assert.Empty(log.Errors);
    }

    [Theory]
    [InlineData("prompts/get", """{"name":"fails"}""")]
    [InlineData("resources/read", """{"uri":"test://fails"}""")]
    public async Task Who_is_told_that_a_handler_failed_is_told_by_what_it_is_found_in_the_log(string method, string parameters)
    {
        var log = new LogRecorder();
        await using var server = await TenancyServer.StartAsync(services: services =>
            services
                .AddSingleton<ILoggerProvider>(log)
                .AddSingleton(new CommonHandlers(platform => platform.AddHandlers<FailingHandlers>()))
        );
        var message = McpCalls.Message(method, JsonNode.Parse(parameters)!.AsObject());
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, message);
        using var response = await server.Client.SendAsync(request, Token);
        var told = (await McpCalls.ReadAsync(response))["error"]!["message"]!.ToString();
        Assert.Matches("^An error occurred. Reference: [0-9a-f]{32}$", told);
        Assert.Contains(log.Errors, entry => entry.Text.Contains(told.Split(' ')[^1], StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Generation.Sessions)]
    [InlineData(Generation.Stateless)]
    public async Task A_context_ends_with_the_prompt_that_it_was_given_to(Generation generation)
    {
        var kept = new Kept();
        await using var server = await StartAsync(services => services.AddSingleton(kept));
        await SendAsync(server, "acme", McpCalls.Acme, "prompts/get", new() { ["name"] = "keep" }, generation: generation);
        Assert.Throws<InvalidOperationException>(() => kept.Context!.Documents<TestBuy>());
    }

    [Theory]
    [InlineData(Generation.Sessions)]
    [InlineData(Generation.Stateless)]
    public async Task Values_that_an_argument_allows_complete_it(Generation generation)
    {
        var server = shared.Host;
        var result = await CompleteAsync(server, "acme", McpCalls.Acme, "w", generation);
        Assert.Equal(["warm"], result);
    }

    [Theory]
    [InlineData(Generation.Sessions, false)]
    [InlineData(Generation.Stateless, false)]
    [InlineData(Generation.Sessions, true)]
    [InlineData(Generation.Stateless, true)]
    public async Task A_handler_of_the_applications_own_gets_the_context_of_the_tenant_that_is_called(Generation generation, bool isSetLast)
    {
        await using var server = await StartAsync(services =>
            _ = isSetLast ? services.PostConfigure<McpServerOptions>(Set) : services.Configure<McpServerOptions>(Set)
        );
        Assert.Equal(["acme"], await CompleteAsync(server, "acme", McpCalls.Acme, "x", generation));
        Assert.Equal(["globex"], await CompleteAsync(server, "globex", McpCalls.Globex, "x", generation));

        static void Set(McpServerOptions options) =>
            options.Handlers.CompleteHandler = (request, _) =>
                ValueTask.FromResult(
                    new ModelContextProtocol.Protocol.CompleteResult
                    {
                        Completion = new() { Values = [request.Services!.GetRequiredService<ToolContext>().TenantId.Value] },
                    }
                );
    }

    [Theory]
    [InlineData("resources/subscribe")]
    [InlineData("resources/unsubscribe")]
    public async Task A_subscription_that_nobody_keeps_is_refused_and_one_that_somebody_keeps_is_not(string method)
    {
        foreach (var isKept in new[] { false, true })
        {
            await using var server = await TenancyServer.StartAsync(services: services =>
            {
                services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<OtherResources>()));
                if (isKept)
                {
                    services.Configure<McpServerOptions>(options =>
                    {
                        options.Handlers.SubscribeToResourcesHandler = (_, _) => ValueTask.FromResult(new EmptyResult());
                        options.Handlers.UnsubscribeFromResourcesHandler = (_, _) => ValueTask.FromResult(new EmptyResult());
                    });
                }
            });
            var session = await server.InitializeAsync("acme", McpCalls.Acme);
            var message = McpCalls.Message(method, new() { ["uri"] = "shop://inventory" });
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, message, Generation.Sessions, session);
            using var response = await server.Client.SendAsync(request, Token);
            var answer = await McpCalls.ReadAsync(response);
            Assert.Equal(isKept ? null : -32601, (int?)answer["error"]?["code"]);
        }
    }

    [Fact]
    public async Task A_platform_without_prompts_and_resources_declares_none()
    {
        foreach (var has in new[] { true, false })
        {
            await using var server = has ? await StartAsync() : await TenancyServer.StartAsync();
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Initialize());
            using var response = await server.Client.SendAsync(request, Token);
            var capabilities = (await McpCalls.ReadAsync(response))["result"]!["capabilities"]!;
            Assert.Equal(has, capabilities["prompts"] is not null);
            Assert.Equal(has, capabilities["resources"] is not null);
        }
    }

    [Fact]
    public async Task A_handler_class_that_cannot_be_meant_so_is_refused_at_start()
    {
        Assert.Contains("only a tool can ask for a scope", await FailureAsync<ScopedPrompts>(), StringComparison.Ordinal);
        Assert.Contains(
            "The prompt 'greet' of OtherPrompts is there already",
            await FailureAsync<OtherPrompts>(),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "The resource 'shop://inventory' of OtherResources is there already",
            await FailureAsync<OtherResources>(),
            StringComparison.Ordinal
        );
        Assert.Contains("Kept has no tool, prompt or resource", await FailureAsync<Kept>(), StringComparison.Ordinal);

        static async Task<string> FailureAsync<THandlers>()
            where THandlers : class =>
            (
                await Assert.ThrowsAsync<InvalidOperationException>(() =>
                    StartAsync(services => services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<THandlers>())))
                )
            ).Message;
    }

    private static Task<TenancyServer> StartAsync(Action<IServiceCollection>? more = null) =>
        TenancyServer.StartAsync(services: services =>
        {
            services.AddSingleton<Kept>();
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Shop>()));
            more?.Invoke(services);
        });

    private static async Task<IEnumerable<string>> CompleteAsync(
        TenancyServer server,
        string tenant,
        string token,
        string value,
        Generation generation
    )
    {
        var result = await SendAsync(
            server,
            tenant,
            token,
            "completion/complete",
            new()
            {
                ["ref"] = new JsonObject { ["type"] = "ref/prompt", ["name"] = "greet" },
                ["argument"] = new JsonObject { ["name"] = "tone", ["value"] = value },
            },
            generation: generation
        );
        return result["completion"]!["values"]!.AsArray().Select(found => found!.ToString());
    }

    private static async Task<JsonNode> SendAsync(
        TenancyServer server,
        string tenant,
        string token,
        string method,
        JsonObject parameters,
        Way way = Way.Path,
        Generation generation = Generation.Sessions
    )
    {
        var session =
            generation == Generation.Sessions && method == "prompts/get" ? await server.InitializeAsync(tenant, token, way) : null;
        using var request = McpCalls.Post(
            server.Port,
            way,
            tenant,
            token,
            McpCalls.Message(method, parameters, generation),
            generation,
            session
        );
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var answer = await McpCalls.ReadAsync(response);
        return answer["result"] ?? throw new InvalidOperationException(answer.ToJsonString());
    }

    /// <summary>One server for all tests that only ask it something.</summary>
    public sealed class Server : IAsyncLifetime
    {
        internal TenancyServer Host { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Host = await StartAsync();

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }

    private sealed class FailingHandlers
    {
        [McpServerPrompt(Name = "fails")]
        public static string Prompt() => throw new InvalidDataException("not for callers");

        [McpServerResource(UriTemplate = "test://fails", Name = "fails")]
        public static string Resource() => throw new InvalidDataException("not for callers");
    }

    internal sealed class Kept
    {
        public ToolContext? Context { get; set; }
    }

    internal sealed class Shop(ToolContext own, Kept kept)
    {
        [McpServerPrompt(Name = "greet"), Description("Greets.")]
        public string Greet([AllowedValues("warm", "cold")] string tone, ToolContext context) =>
            $"{tone}|{context.Platform<ITestSeller>().Product}|{own.TenantId}|{own.Caller}";

        [McpServerPrompt(Name = "keep")]
        public string Keep(ToolContext context)
        {
            kept.Context = context;
            return "kept";
        }

        [McpServerResource(UriTemplate = "shop://inventory", Name = "inventory")]
        public static string Inventory(ToolContext context) => $"{context.Platform<ITestSeller>().Product} of {context.TenantId}";

        [McpServerResource(UriTemplate = "shop://shelves/{shelf}", Name = "shelf")]
        public string Shelf(string shelf) => $"{shelf} of {own.TenantId}";
    }

    internal sealed class ScopedPrompts
    {
        [McpServerPrompt(Name = "scoped"), RequireScope("read")]
        public static string Scoped() => "";
    }

    internal sealed class OtherPrompts
    {
        [McpServerPrompt(Name = "greet")]
        public static string Greet() => "";
    }

    internal sealed class OtherResources
    {
        [McpServerResource(UriTemplate = "shop://inventory", Name = "other")]
        public static string Inventory() => "";
    }
}

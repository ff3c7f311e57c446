using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>What is answered directly is what the MCP SDK answers, and what the SDK is handed is answered as by the SDK alone.</summary>
[Tier(Tier.Server)]
public sealed partial class DifferenceTests
{
    /// <summary>Where this server differs from the MCP SDK without sessions on purpose.</summary>
    private static readonly string[] Meant =
    [
        // Who does not read event streams gets plain JSON.
        .. new[] { "application/json", "*/*", "application/*", "", "none", "application/json, */*" }.SelectMany(accept =>
            new[] { $"accept '{accept}'", $"2026 accept '{accept}'" }
        ),
        "plain JSON, progress",
        "2026 plain JSON, progress",
        "plain JSON, unicode",
        "plain JSON, error",
        "2026 plain JSON, error",
        "plain JSON, big",
        "2026 chunked, plain JSON",
        // The gate reads strictly, and has words of its own for what it refuses.
        "garbage",
        "empty",
        "null",
        "array",
        "trailing text",
        "two messages",
        "comment",
        "name twice",
        "argument twice",
        "argument's member twice",
        "argument's unknown member twice",
        "twice in what is unknown",
        "twice in anything",
        "twice in a dictionary",
        "method twice",
        "Name",
        // What no client can read is refused in a form that all can, and what cannot be read is no failure of the server's.
        "id 9223372036854775808",
        "2026 id 9223372036854775808",
        "id 1.5",
        "2026 id 1.5",
        "id 1.0",
        "2026 id 1.0",
        "id 1e2",
        "2026 id 1e2",
        "id null",
        "2026 id null",
        "id true",
        "2026 id true",
        "id [1]",
        "2026 id [1]",
        "id {}",
        "2026 id {}",
        "list, number as cursor",
        "accept 'text/event-stream'",
        "2026 accept 'text/event-stream'",
        "accept 'application/json, text/event-streams'",
        "2026 accept 'application/json, text/event-streams'",
        "accept 'text/html'",
        "2026 accept 'text/html'",
        "accept 'nonsense'",
        "2026 accept 'nonsense'",
        "content type application/json; charset=utf-16",
        "no params",
        "params array",
        "params null",
        "params text",
        "name number",
        "name null",
        "no name",
        "arguments array",
        "no jsonrpc",
        "jsonrpc 1.0",
        "jsonrpc number",
        "error too",
        "meta text",
        // Schemas are listed in the form that all clients take, and arguments are held to them, by name.
        "2025 1 echo",
        "2026 1 echo",
        "2025 2 echo",
        "2026 2 echo",
        "2025 3 echo",
        "2026 3 echo",
        .. Enumerable.Range(55, 11).Except([58]).SelectMany(number => new[] { $"2025 {number} order", $"2026 {number} order" }),
        "version 'none' list",
        "list",
        "list, empty params",
        "list, null params",
        "2026 list",
        "2026 list, a name too",
        "arguments null",
        "deep",
        "chunked list",
        // Clients before 2026-07-28 may have sessions here: so the versions are others, and a session that there is not is 404.
        "version '2099-01-01' echo",
        "version '2099-01-01' client",
        "version '2099-01-01' structured_number",
        "foreign session",
        // A caller learns why its client cannot be asked.
        "2025 11 elicit",
        "2026 11 elicit",
        // With the status of an error it is plain JSON: clients read no events there.
        "2026 17 method_not_found",
        "2026 18 missing_capability",
        // The SDK gives an empty list for a page that there is not.
        "list, cursor",
        "2026 list, cursor",
        // The SDK accepts what reaches nobody: a call without an id; and without a session there is nothing to cancel, to answer or to set.
        "notification",
        "set level",
        "cancel",
        "answer",
        "2026 cancel",
        "2026 foreign session",
    ];

    [Fact]
    public async Task A_direct_answer_is_the_one_that_the_mcp_sdk_gives_by_the_other_way()
    {
        var log = new LogRecorder(LogLevel.Information);
        await using var direct = await StartOursAsync(services => services.AddSingleton<ILoggerProvider>(log).AddLogging(LogTheSdk));
        await using var sdk = await StartOursAsync(GoTheSdksWay);
        Assert.True(DifferenceRequests.All.Count >= 150);
        AssertNone((await CompareAsync(direct, sdk, DifferenceRequests.All)).Values);

        // Most of them are unusual, and many ask for the SDK's server.
        Assert.InRange(DifferenceRequests.All.Count - CallsOfTheSdk(log), 60, DifferenceRequests.All.Count - 50);
    }

    [Fact]
    public async Task Ours_answers_as_the_mcp_sdk_alone_does_except_where_it_is_meant_to_differ()
    {
        await using var ours = await StartOursAsync(_ => { });
        await using var bare = await StartBareAsync();
        var differences = await CompareAsync(ours, bare, DifferenceRequests.All);
        AssertNone(differences.Where(difference => !Meant.Contains(difference.Key)).Select(difference => difference.Value));
        Assert.Equal([], Meant.Except(differences.Keys));
    }

    [Theory]
    [InlineData("2025-03-26")]
    [InlineData("2025-06-18")]
    [InlineData("2025-11-25")]
    public async Task In_a_session_a_direct_answer_is_the_one_that_the_mcp_sdk_gives(string version)
    {
        await using var direct = await StartOursAsync(_ => { });
        await using var sdk = await StartOursAsync(GoTheSdksWay);
        var sessions = new[] { await BeginSessionAsync(direct, version), await BeginSessionAsync(sdk, version) };
        AssertNone((await CompareAsync(direct, sdk, DifferenceRequests.InSession(version), sessions)).Values);
    }

    [Fact]
    public async Task A_filter_of_the_applications_sees_every_call()
    {
        await using var filtered = await StartOursAsync(services =>
            services.Configure<McpServerOptions>(options =>
                options.Filters.Request.CallToolFilters.Add(next =>
                    async (request, cancellationToken) =>
                    {
                        var result = await next(request, cancellationToken);
                        return new() { Content = [.. result.Content, new TextContentBlock { Text = "filtered" }] };
                    }
                )
            )
        );
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        foreach (var request in DifferenceRequests.All.Where(request => request.Name is "2025 0 echo" or "2026 0 echo"))
        {
            Assert.Contains("filtered", (await AnswerAsync(client, filtered, request)).Body, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("2025-11-25", "object", "{\"result\":5}")]
    [InlineData("2026-07-28", "integer", "5")]
    public async Task Clients_of_both_generations_get_results_as_the_list_describes_them(string version, string type, string content)
    {
        await using var server = await StartOursAsync(_ => { });
        await using var client = await McpClient.CreateAsync(
            new HttpClientTransport(
                new() { Endpoint = new Uri(server.Urls.First() + "/acme/mcp"), TransportMode = HttpTransportMode.StreamableHttp },
                new HttpClient(new SocketsHttpHandler { UseProxy = false }),
                ownsHttpClient: true
            ),
            new() { ProtocolVersion = version },
            cancellationToken: TestContext.Current.CancellationToken
        );
        var tool = (await client.ListToolsAsync(cancellationToken: TestContext.Current.CancellationToken)).Single(tool =>
            tool.Name == "structured_number"
        );
        Assert.Equal(type, tool.ProtocolTool.OutputSchema!.Value.GetProperty("type").GetString());
        Assert.Equal(
            content,
            (await tool.CallAsync(cancellationToken: TestContext.Current.CancellationToken)).StructuredContent!.Value.GetRawText()
        );
    }

    private static void AssertNone(IEnumerable<string> differences) => Assert.True(!differences.Any(), string.Join('\n', differences));

    private static async Task<Dictionary<string, string>> CompareAsync(
        WebApplication ours,
        WebApplication others,
        IEnumerable<DifferenceRequest> requests,
        string[]? sessions = null
    )
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var differences = new Dictionary<string, string>();
        foreach (var request in requests)
        {
            var (one, other) = (
                await AnswerAsync(client, ours, request, sessions?[0]),
                await AnswerAsync(client, others, request, sessions?[1])
            );
            if (one.Head != other.Head || !IsSame(one.Body, other.Body))
            {
                differences.Add(request.Name, $"{request.Name}\n  {one.Head} {Shorten(one.Body)}\n  {other.Head} {Shorten(other.Body)}");
            }
        }

        return differences;
    }

    // The same bytes or, where members have another order, the same JSON. A session's id is another in each server.
    private static bool IsSame(string one, string other) =>
        one == other || (Json(one) is { } left && Json(other) is { } right && JsonNode.DeepEquals(left, right));

    private static JsonNode? Json(string body)
    {
        const string Frame = "event: message\ndata: ";
        try
        {
            return JsonNode.Parse(body.StartsWith(Frame, StringComparison.Ordinal) ? body[Frame.Length..] : body);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static string Shorten(string text) => text.Length <= 1000 ? text : $"{text[..500]} ... {text[^400..]}";

    private static async Task<(string Head, string Body)> AnswerAsync(
        HttpClient client,
        WebApplication server,
        DifferenceRequest request,
        string? session = null
    )
    {
        var content = new ByteArrayContent(request.Body);
        using var message = new HttpRequestMessage(HttpMethod.Post, server.Urls.First() + "/acme/mcp") { Content = content };
        if (request.IsChunked)
        {
            message.Headers.TransferEncodingChunked = true;
        }

        foreach (var (name, value) in request.Headers.Where(header => header.Value is not null))
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        if (session is not null)
        {
            message.Headers.Add("Mcp-Session-Id", session);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        using var response = await client.SendAsync(message, limit.Token);
        // The SDK alone tells nobody how to name a failure to the operator.
        var body = Reference().Replace(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), "");
        return (
            $"{(int)response.StatusCode} {response.Content.Headers.ContentType} {response.Headers.CacheControl} "
                + $"{string.Join(',', response.Content.Headers.ContentEncoding)} {Header(response.Headers, "X-Accel-Buffering")}",
            (session is null ? body : body.Replace(session, "SESSION", StringComparison.Ordinal)).TrimEnd()
        );
    }

    private static string Header(HttpResponseHeaders headers, string name) =>
        headers.TryGetValues(name, out var values) ? string.Join(',', values) : "";

    internal static async Task<WebApplication> StartOursAsync(Action<IServiceCollection> change)
    {
        var builder = NewBuilder();
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?>
            {
                ["Tenancy:Tenants:0:id"] = "acme",
                ["Tenancy:Tenants:0:authentication:kind"] = "none",
                ["Tenancy:Tenants:0:limits:rateLimit"] = "100000",
            }
        );
        change(builder.Services);
        builder.Services.AddTenancy(builder.Configuration).AddEmbeddedStore().AddPlatform<DifferencePlatform>("difference");
        var app = builder.Build();
        app.UseTenancy();
        app.MapTenantMcp();
        await app.StartAsync();
        await Poll.UntilAsync(() => Task.FromResult(app.Services.GetRequiredService<TenantRegistry>().IsLoaded));
        return app;
    }

    private static async Task<WebApplication> StartBareAsync()
    {
        var builder = NewBuilder();
        var tools = new McpServerPrimitiveCollection<McpServerTool>();
        builder
            .Services.AddMcpServer(options =>
                options.ServerInfo = new Implementation
                {
                    Name = "acme",
                    Version = typeof(TenantModel).Assembly.GetName().Version!.ToString(3),
                }
            )
            .WithHttpTransport(options =>
            {
                options.SessionMode = HttpServerSessionMode.Stateless;
                options.ConfigureSessionOptions = (_, server, _) =>
                {
                    server.ToolCollection = tools;
                    return Task.CompletedTask;
                };
            });
        var app = builder.Build();
        foreach (var method in typeof(DifferenceTools).GetMethods().Where(method => method.IsStatic))
        {
            tools.Add(McpServerTool.Create(method, target: null, new() { Services = app.Services }));
        }

        app.MapMcp("/acme/mcp");
        await app.StartAsync();
        return app;
    }

    internal static async Task<string> BeginSessionAsync(WebApplication server, string version)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Post, server.Urls.First() + "/acme/mcp")
        {
            Content = new StringContent(
                $$"""{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"{{version}}","capabilities":{}"""
                    + $$""","clientInfo":{"name":"cl","version":"1"} } }""",
                System.Text.Encoding.UTF8,
                "application/json"
            ),
        };
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode);
        return response.Headers.GetValues("Mcp-Session-Id").Single();
    }

    // A filter that does nothing, but is not ours: no call is answered before it has seen it.
    internal static void GoTheSdksWay(IServiceCollection services) =>
        services.Configure<McpServerOptions>(options =>
            options.Filters.Message.IncomingFilters.Add(next => (message, cancellationToken) => next(message, cancellationToken))
        );

    private static void LogTheSdk(ILoggingBuilder logging) => logging.AddFilter<LogRecorder>("ModelContextProtocol", LogLevel.Information);

    private static int CallsOfTheSdk(LogRecorder log) =>
        log.Entries.Count(entry => entry.Text.Contains("request handler called", StringComparison.Ordinal));

    private static WebApplicationBuilder NewBuilder()
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = "Development", ApplicationName = typeof(DifferenceTests).Assembly.GetName().Name }
        );
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        return builder;
    }

    [GeneratedRegex(" Reference: [0-9a-f]{32}")]
    internal static partial Regex Reference();
}

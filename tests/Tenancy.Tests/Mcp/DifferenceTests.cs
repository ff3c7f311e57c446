using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>What a long-lived server answers is what the MCP SDK answers where it makes a server for each request.</summary>
public sealed class DifferenceTests
{
    /// <summary>Where this server differs from the MCP SDK without sessions on purpose.</summary>
    private static readonly string[] Meant =
    [
        // Who does not read event streams gets plain JSON.
        .. new[] { "application/json", "*/*", "application/*", "", "none", "application/json, */*" }.SelectMany(accept => new[] { $"accept '{accept}'", $"2026 accept '{accept}'" }),
        "plain JSON, progress", "2026 plain JSON, progress", "plain JSON, unicode", "plain JSON, error", "2026 plain JSON, error", "plain JSON, big", "2026 chunked, plain JSON",

        // The gate reads strictly, and has words of its own for what it refuses.
        "content type application/json; charset=utf-16", "garbage", "empty", "null", "array", "trailing text", "two messages", "byte order mark", "comment", "name twice", "argument twice", "method twice", "Name",

        // Clients before 2026-07-28 may have sessions here: so the versions are others, a session that there is not is 404, and an answer has to be one to a question.
        "version '2099-01-01' echo", "version '2099-01-01' client", "version '2099-01-01' structured_number", "no version with meta of 2026", "foreign session", "2026 foreign session", "answer",
    ];

    [Fact]
    public async Task A_long_lived_server_answers_as_one_for_each_request_does()
    {
        await using var fast = await StartOursAsync(services => services.AddSingleton<StatelessServers, CountingServers>());
        await using var slow = await StartOursAsync(services => services.AddSingleton<StatelessServers, NoServers>());
        Assert.True(DifferenceRequests.All.Count >= 150);
        Assert.Equal([], (await CompareAsync(fast, slow, DifferenceRequests.All)).Values);

        // Most of them are unusual.
        Assert.InRange(((CountingServers)fast.Services.GetRequiredService<StatelessServers>()).Served, 100, DifferenceRequests.All.Count - 50);
    }

    [Fact]
    public async Task A_server_for_each_request_answers_as_the_mcp_sdk_alone_does_except_where_it_is_meant_to_differ()
    {
        await using var slow = await StartOursAsync(services => services.AddSingleton<StatelessServers, NoServers>());
        await using var bare = await StartBareAsync();
        var differences = await CompareAsync(slow, bare, DifferenceRequests.All);
        Assert.Equal([], differences.Where(difference => !Meant.Contains(difference.Key)).Select(difference => difference.Value));
        Assert.Equal([], Meant.Except(differences.Keys));
    }

    [Theory]
    [InlineData("2025-11-25", "object", "{\"result\":5}")]
    [InlineData("2026-07-28", "integer", "5")]
    public async Task Clients_of_both_generations_get_results_as_the_list_describes_them(string version, string type, string content)
    {
        await using var server = await StartOursAsync(_ => { });
        await using var client = await McpClient.CreateAsync(
            new HttpClientTransport(new() { Endpoint = new Uri(server.Urls.First() + "/acme/mcp"), TransportMode = HttpTransportMode.StreamableHttp }, new HttpClient(new SocketsHttpHandler { UseProxy = false }), ownsHttpClient: true),
            new() { ProtocolVersion = version },
            cancellationToken: TestContext.Current.CancellationToken);
        var tool = (await client.ListToolsAsync(cancellationToken: TestContext.Current.CancellationToken)).Single(tool => tool.Name == "structured_number");
        Assert.Equal(type, tool.ProtocolTool.OutputSchema!.Value.GetProperty("type").GetString());
        Assert.Equal(content, (await tool.CallAsync(cancellationToken: TestContext.Current.CancellationToken)).StructuredContent!.Value.GetRawText());
    }

    private static async Task<Dictionary<string, string>> CompareAsync(WebApplication ours, WebApplication others, IEnumerable<DifferenceRequest> requests)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var differences = new Dictionary<string, string>();
        foreach (var request in requests)
        {
            var (one, other) = (await AnswerAsync(client, ours, request), await AnswerAsync(client, others, request));
            if (one != other)
            {
                differences.Add(request.Name, $"{request.Name}\n  {Shorten(one)}\n  {Shorten(other)}");
            }
        }

        return differences;
    }

    private static string Shorten(string text) => text.Length <= 1000 ? text : text[..1000] + "...";

    private static async Task<string> AnswerAsync(HttpClient client, WebApplication server, DifferenceRequest request)
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

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        using var response = await client.SendAsync(message, limit.Token);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return $"{(int)response.StatusCode} {response.Content.Headers.ContentType} {response.Headers.CacheControl} {string.Join(',', response.Content.Headers.ContentEncoding)} {Header(response.Headers, "X-Accel-Buffering")} {body.TrimEnd()}";
    }

    private static string Header(HttpResponseHeaders headers, string name) => headers.TryGetValues(name, out var values) ? string.Join(',', values) : "";

    private static async Task<WebApplication> StartOursAsync(Action<IServiceCollection> change)
    {
        var builder = NewBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Tenancy:Tenants:0:id"] = "acme",
            ["Tenancy:Tenants:0:authentication:kind"] = "none",
            ["Tenancy:Tenants:0:limits:rateLimit"] = "100000",
        });
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
        builder.Services
            .AddMcpServer(options => options.ServerInfo = new Implementation { Name = "acme", Version = typeof(TenantModel).Assembly.GetName().Version!.ToString(3) })
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

    // A filter of the application's own, which all of them have.
    private static WebApplicationBuilder NewBuilder()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development", ApplicationName = typeof(DifferenceTests).Assembly.GetName().Name });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.Configure<McpServerOptions>(options => options.Filters.Request.CallToolFilters.Add(next => async (request, cancellationToken) =>
        {
            var result = await next(request, cancellationToken);
            return request.Params.Name == "echo" ? new() { IsError = result.IsError, Content = [.. result.Content, new TextContentBlock { Text = "filtered" }] } : result;
        }));
        return builder;
    }

    private sealed class NoServers(PlatformCatalog platforms, IOptions<McpServerOptions> options, IOptionsFactory<McpServerOptions> factory, IOptions<HttpServerTransportOptions> transport, IServiceScopeFactory scopes, ILoggerFactory loggers, TimeProvider time, ILogger<StatelessServers> logger)
        : StatelessServers(platforms, options, factory, transport, scopes, loggers, time, logger)
    {
        public override StatelessServer? Find(PlatformKind kind, string? version) => null;
    }

    private sealed class CountingServers(PlatformCatalog platforms, IOptions<McpServerOptions> options, IOptionsFactory<McpServerOptions> factory, IOptions<HttpServerTransportOptions> transport, IServiceScopeFactory scopes, ILoggerFactory loggers, TimeProvider time, ILogger<StatelessServers> logger)
        : StatelessServers(platforms, options, factory, transport, scopes, loggers, time, logger)
    {
        private int _served;

        public int Served => Volatile.Read(ref _served);

        public override StatelessServer? Find(PlatformKind kind, string? version)
        {
            Interlocked.Increment(ref _served);
            return base.Find(kind, version);
        }
    }
}

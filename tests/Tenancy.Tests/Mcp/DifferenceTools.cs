using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp;

namespace Tenancy.Tests.Mcp;

/// <summary>Tools that use all of the MCP SDK that a call can see.</summary>
internal sealed class DifferenceTools
{
    private static readonly CallToolResult Shared = new() { Content = [new TextContentBlock { Text = "one instance for all calls" }] };

    [McpServerTool(Name = "echo"), Description("Echoes.")]
    public static string Echo(string message) => "echo: " + message;

    [McpServerTool(Name = "optional")]
    public static string Optional(int count = 3, string? text = null, bool[]? flags = null) => $"{count}|{text}|{flags?.Length}";

    [McpServerTool(Name = "client")]
    public static string Client(McpServer server, RequestContext<CallToolRequestParams> request) =>
        $"{server.ClientInfo?.Name}|{server.ClientCapabilities is null}|{server.ClientCapabilities?.Elicitation is null}|"
        + $"{server.NegotiatedProtocolVersion}|{server.SessionId}|{server.IsMrtrSupported}"
        + $"|{request.JsonRpcRequest.Context?.ClientInfo?.Name}|{request.JsonRpcRequest.Context?.ProtocolVersion}|"
        + $"{request.JsonRpcRequest.Context?.LogLevel}|{request.MatchedPrimitive?.Id}"
        + $"|{request.JsonRpcRequest.Context?.User is null}|{request.Services is null}|{server.Services is null}|"
        + $"{request.Params.ProgressToken}|{request.Params.Meta?.Count}";

    [McpServerTool(Name = "progress")]
    public static async Task<string> ProgressAsync(
        int n,
        McpServer server,
        RequestContext<CallToolRequestParams> request,
        IProgress<ProgressNotificationValue> progress
    )
    {
        for (var i = 0; i < n && request.Params.ProgressToken is { } token; i++)
        {
            await server.NotifyProgressAsync(
                token,
                new()
                {
                    Progress = i,
                    Total = n,
                    Message = "on the way",
                }
            );
        }

        progress.Report(new() { Progress = n });
        await Task.Yield();
        return "done";
    }

    [McpServerTool(Name = "notify")]
    public static async Task<string> NotifyAsync(McpServer server)
    {
        await server.SendNotificationAsync("notifications/told", new { a = 1 });
        return "notified";
    }

    [McpServerTool(Name = "notify_and_fail")]
    public static async Task<string> NotifyAndFailAsync(McpServer server)
    {
        await server.SendNotificationAsync("notifications/told", new { a = 1 });
        throw new McpProtocolException("after all", McpErrorCode.MethodNotFound);
    }

    [McpServerTool(Name = "elicit")]
    public static async Task<string> ElicitAsync(McpServer server) =>
        (await server.ElicitAsync(new ElicitRequestParams { Message = "m", RequestedSchema = new() })).Action;

    [McpServerTool(Name = "ask_input")]
    public static string AskInput(RequestContext<CallToolRequestParams> request) =>
        request.Params.InputResponses is { Count: > 0 } answers
            ? $"{answers.Count}|{request.Params.RequestState}"
            : throw new InputRequiredException(new InputRequiredResult { RequestState = "st" });

    [McpServerTool(Name = "wait")]
    public static async Task<string> WaitAsync(int ms, CancellationToken cancellationToken)
    {
        await Task.Delay(ms, cancellationToken);
        return "waited";
    }

    [McpServerTool(Name = "mcp_exception")]
    public static string McpException() => throw new McpException("told");

    [McpServerTool(Name = "exception")]
    public static string Exception() => throw new InvalidOperationException("not told");

    [McpServerTool(Name = "invalid_params")]
    public static string InvalidParams() => throw new McpProtocolException("bad params", McpErrorCode.InvalidParams);

    [McpServerTool(Name = "method_not_found")]
    public static string MethodNotFound() => throw new McpProtocolException("none", McpErrorCode.MethodNotFound);

    [McpServerTool(Name = "missing_capability")]
    public static string MissingCapability() => throw new McpProtocolException("missing", McpErrorCode.MissingRequiredClientCapability);

    [McpServerTool(Name = "cancelled")]
    public static string Cancelled() => throw new OperationCanceledException();

    [McpServerTool(Name = "nothing")]
    public static string? Nothing() => null;

    [McpServerTool(Name = "unicode")]
    public static string Unicode() => "é<>&\u2028\"\n\r\ndata: {}\n\n日本 \ud83d\ude00";

    [McpServerTool(Name = "meta")]
    public static CallToolResult Meta() =>
        new()
        {
            Content = [],
            Meta = new() { ["k"] = 1 },
        };

    [McpServerTool(Name = "own_server_info")]
    public static CallToolResult OwnServerInfo() =>
        new()
        {
            Content = [],
            Meta = new()
            {
                ["io.modelcontextprotocol/serverInfo"] = new System.Text.Json.Nodes.JsonObject { ["name"] = "another", ["more"] = 1 },
            },
        };

    [McpServerTool(Name = "same_instance")]
    public static CallToolResult SameInstance() => Shared;

    [McpServerTool(Name = "error_result")]
    public static CallToolResult ErrorResult() => new() { IsError = true, Content = [new TextContentBlock { Text = "no" }] };

    [McpServerTool(Name = "big")]
    public static string Big() => new('x', 300_000);

    [McpServerTool(Name = "length")]
    public static string Length(string text) => $"{text.Length}";

    [McpServerTool(Name = "structured", UseStructuredContent = true)]
    public static Point Structured() => new(1, 2);

    [McpServerTool(Name = "structured_number", UseStructuredContent = true)]
    public static int StructuredNumber() => 5;

    [McpServerTool(Name = "structured_tree", UseStructuredContent = true)]
    public static IReadOnlyList<Tree> StructuredTree() => [new("root", [new("leaf", [], null)], null)];

    [McpServerTool(Name = "structured_or_nothing", UseStructuredContent = true), Description("Gives a point, or \"nothing\" <é>.")]
    public static Point? StructuredOrNothing() => null;

    [McpServerTool(Name = "blocks")]
    public static IEnumerable<ContentBlock> Blocks() =>
        [new TextContentBlock { Text = "a" }, ImageContentBlock.FromBytes(new byte[] { 1, 2, 3 }, "image/png")];

    [McpServerTool(Name = "order")]
    public static Order Take(Order order, Kind kind = Kind.One, decimal? amount = null, [DefaultValue(5)] int most = 7) =>
        order with
        {
            Note = $"{kind}|{amount?.ToString(CultureInfo.InvariantCulture)}|{most}|{order.Lines?.Count}|{order.Rest?.Count}",
        };

    [McpServerTool(Name = "defaults")]
    public static string Defaults(
        Kind? kind = Kind.Two,
        DateTime day = default,
        Guid id = default,
        string text = "t",
        double? part = 0.5
    ) => string.Create(CultureInfo.InvariantCulture, $"{kind}|{day:O}|{id}|{text}|{part}");

    [McpServerTool(Name = "any_values")]
    public static string Anything(JsonElement any, object? thing = null, JsonNode? node = null, Dictionary<string, int>? counts = null) =>
        $"{any.GetRawText()}|{thing?.GetType().Name}|{node?.ToJsonString()}|{counts?.Count}";

    [McpServerTool(Name = "services")]
    public static string Services(
        ILoggerFactory loggers,
        IProgress<ProgressNotificationValue> progress,
        [FromKeyedServices("none")] string? keyed = null,
        ClaimsPrincipal? user = null,
        CancellationToken cancellationToken = default
    )
    {
        progress.Report(new() { Progress = 1 });
        return $"{loggers is null}|{keyed}|{user is null}|{cancellationToken.CanBeCanceled}";
    }

    [McpServerTool(Name = "no_service")]
    public static string NoService([FromKeyedServices("none")] IServer server) => $"{server}";

    [McpServerTool(Name = "void")]
    public static void Void() { }

    [McpServerTool(Name = "task")]
    public static async Task WithoutResultAsync() => await Task.Yield();

    [McpServerTool(Name = "value_task")]
    public static async ValueTask<double> ValueAsync()
    {
        await Task.Yield();
        return 1e20;
    }

    [McpServerTool(Name = "no_task")]
    public static Task<string>? NoTask() => null;

    [McpServerTool(Name = "content")]
    public static AIContent Content() => new TextContent("a");

    [McpServerTool(Name = "contents")]
    public static IEnumerable<AIContent> Contents() => [new ErrorContent("a"), new ErrorContent("b")];

    [McpServerTool(Name = "any_object")]
    public static object Thing(bool isText) => isText ? "a \"text\"" : new Order("é<\">&\\", null);

    [McpServerTool(Name = "element")]
    public static JsonElement Element() => JsonElement.Parse("{ \"a\" : [ 1, \"é\" ] }");

    [McpServerTool(Name = "structured_text", UseStructuredContent = true)]
    public static string StructuredText() => "a \"text\"";

    [McpServerTool(Name = "structured_order", UseStructuredContent = true)]
    public static async Task<Order> StructuredOrderAsync(Order order)
    {
        await Task.Yield();
        return order;
    }

    [McpServerTool(Name = "structured_blocks", UseStructuredContent = true)]
    public static IEnumerable<ContentBlock> StructuredBlocks() => [new TextContentBlock { Text = "a" }];

    internal enum Kind
    {
        One,
        Two,
    }

    internal sealed record Order(string Name, [property: Range(1, 9)] int? Count, IReadOnlyList<Line>? Lines = null)
    {
        public string? Note { get; init; }

        public Dictionary<string, Line>? Rest { get; init; }
    }

    internal sealed record Line(int Number, Kind Kind = Kind.Two);

    internal sealed record Point(int X, int Y);

    internal sealed record Tree(string Name, IReadOnlyList<Tree> Branches, Tree? Trunk);
}

internal sealed class DifferencePlatform : ITenantPlatform<DifferencePlatform>
{
    public static void Define(IPlatformBuilder platform) => platform.AddHandlers<DifferenceTools>();

    public static Task<DifferencePlatform> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        Task.FromResult(new DifferencePlatform());
}

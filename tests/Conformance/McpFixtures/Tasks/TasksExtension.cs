using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace McpFixtures.Tasks;

/// <summary>MCP's tasks extension (SEP-2663), made of what the MCP SDK lets any server add to itself.</summary>
internal sealed class TasksExtension(TaskTable tasks) : IConfigureOptions<McpServerOptions>
{
    private const string Name = "io.modelcontextprotocol/tasks";

    public void Configure(McpServerOptions options)
    {
        options.Capabilities ??= new();
        options.Capabilities.Extensions ??= new Dictionary<string, object>();
        options.Capabilities.Extensions[Name] = new JsonObject();
        options.Filters.Request.CallToolWithAlternateFilters.Add(CallAsync);
        options.RequestHandlers ??= [];
        options.RequestHandlers.Add(
            Handle("tasks/get", (task, _) => JsonSerializer.SerializeToNode(task.Describe("complete"), TaskDescription.Type))
        );
        options.RequestHandlers.Add(
            Handle("tasks/update", (task, parameters) => Acknowledge(() => task.Answer(parameters["inputResponses"] as JsonObject ?? [])))
        );
        options.RequestHandlers.Add(Handle("tasks/cancel", (task, _) => Acknowledge(task.Cancel)));
    }

    private async ValueTask<ResultOrAlternate<CallToolResult>> CallAsync(
        RequestContext<CallToolRequestParams> request,
        McpRequestHandler<CallToolRequestParams, ResultOrAlternate<CallToolResult>> next,
        CancellationToken cancellationToken
    )
    {
        var wanted = request.MatchedPrimitive?.Metadata.OfType<RunsAsTaskAttribute>().FirstOrDefault();
        if (wanted is null || (wanted.AsksFirst && request.Params.InputResponses is null))
        {
            return await next(request, cancellationToken);
        }

        if (!KnowsTasks(request.JsonRpcRequest))
        {
            return wanted.IsRequired ? throw Unknown() : await next(request, cancellationToken);
        }

        var task = tasks.Begin();
        var created = task.Describe("task");
        request.Server = request.Server.WithOutgoingRequestInterceptor(task.AskAsync);
        task.Run(async cancelled => (await next(request, cancelled)).Result!);
        return ResultOrAlternate<CallToolResult>.FromAlternate(created, TaskDescription.Type);
    }

    private McpServerRequestHandler Handle(string method, Func<RunningTask, JsonObject, JsonNode?> answer) =>
        new()
        {
            Method = method,
            RoutingNameParameter = "taskId",
            Handler = (request, _) =>
            {
                if (!KnowsTasks(request.JsonRpcRequest))
                {
                    throw Unknown();
                }

                return
                    request.Params is JsonObject parameters
                    && parameters["taskId"] is JsonValue value
                    && value.TryGetValue<string>(out var id)
                    ? ValueTask.FromResult(answer(tasks.Find(id), parameters))
                    : throw new McpProtocolException("params.taskId has to be a text.", McpErrorCode.InvalidParams);
            },
        };

    private static JsonObject Acknowledge(Action act)
    {
        act();
        return new() { ["resultType"] = "complete" };
    }

    // Only since 2026-07-28 do requests themselves say what their client knows.
    private static bool KnowsTasks(JsonRpcRequest request) => request.Context?.ClientCapabilities?.Extensions?.ContainsKey(Name) is true;

    private static MissingRequiredClientCapabilityException Unknown() =>
        new(
            new() { Extensions = new Dictionary<string, object> { [Name] = new JsonObject() } },
            $"The client has to declare the extension {Name}."
        );
}

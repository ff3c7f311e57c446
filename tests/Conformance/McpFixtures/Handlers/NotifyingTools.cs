using System.ComponentModel;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace McpFixtures.Handlers;

/// <summary>Tools that tell the client something before they answer.</summary>
internal sealed class NotifyingTools
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    [McpServerTool(Name = "test_tool_with_logging"), Description("Logs three messages.")]
    public static async Task<string> LogAsync(McpServer server, CancellationToken cancellationToken)
    {
        var log = server.AsClientLoggerProvider().CreateLogger("fixtures");
        Write(log, "Tool execution started");
        await Task.Delay(Pause, cancellationToken);
        Write(log, "Tool processing data");
        await Task.Delay(Pause, cancellationToken);
        Write(log, "Tool execution completed");
        return "Three messages were logged.";
    }

    // Without a level in the request's _meta nobody is to hear it.
    [McpServerTool(Name = "test_logging_tool"), Description("Logs one message.")]
    public static string LogOnce(McpServer server)
    {
        Write(server.AsClientLoggerProvider().CreateLogger("fixtures"), "Tool called");
        return "One message was logged.";
    }

    [McpServerTool(Name = "test_tool_with_progress"), Description("Tells its progress.")]
    public static async Task<string> ProgressAsync(RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken)
    {
        for (var progress = 0; progress <= 100; progress += 50)
        {
            if (request.Params.ProgressToken is { } token)
            {
                await request.Server.NotifyProgressAsync(
                    token,
                    new() { Progress = progress, Total = 100 },
                    cancellationToken: cancellationToken
                );
            }

            await Task.Delay(Pause, cancellationToken);
        }

        return "It is done.";
    }

    // The suite looks at what else is on the stream that the answer comes by.
    [McpServerTool(Name = "test_streaming_elicitation"), Description("Answers, and sends nothing else.")]
    public static string Answer() => "Nothing else was sent.";

    private static void Write(ILogger log, string message) =>
        log.Log(LogLevel.Information, default, message, exception: null, static (text, _) => text);
}

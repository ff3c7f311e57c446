using System.ComponentModel;
using McpFixtures.Tasks;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace McpFixtures.Handlers;

/// <summary>Tools that go on as tasks where the client knows them. They are written as any other tool is.</summary>
internal sealed class TaskTools
{
    [McpServerTool(Name = "greet"), Description("Greets, and is no task.")]
    public static string Greet(string name) => $"Hello, {name}!";

    [McpServerTool(Name = "slow_compute"), RunsAsTask, Description("Takes its time.")]
    public static async Task<string> ComputeAsync(int seconds, CancellationToken cancellationToken, string label = "nothing")
    {
        await Task.Delay(TimeSpan.FromSeconds(seconds), cancellationToken);
        return $"Computed {label}.";
    }

    [McpServerTool(Name = "failing_job"), RunsAsTask(IsRequired = true), Description("Fails.")]
    public static string Fail() => throw new McpException("It fails always.");

    [McpServerTool(Name = "protocol_error_job"), RunsAsTask, Description("Ends with an error of the protocol.")]
    public static string Break() => throw new McpProtocolException("It breaks always.", McpErrorCode.InternalError);

    [McpServerTool(Name = "confirm_delete"), RunsAsTask, Description("Asks before it deletes.")]
    public static async Task<string> DeleteAsync(string filename, McpServer server, CancellationToken cancellationToken) =>
        (await ConfirmAsync(server, $"Delete {filename}?", cancellationToken)).IsAccepted
            ? $"{filename} is deleted."
            : $"{filename} is kept.";

    [McpServerTool(Name = "multi_input"), RunsAsTask, Description("Asks two things at once.")]
    public static async Task<string> AskTwiceAsync(McpServer server, CancellationToken cancellationToken)
    {
        var answers = await Task.WhenAll(
            ConfirmAsync(server, "The first?", cancellationToken),
            ConfirmAsync(server, "The second?", cancellationToken)
        );
        return $"{answers.Count(answer => answer.IsAccepted)} of 2 were accepted.";
    }

    [
        McpServerTool(Name = "test_tool_with_task"),
        RunsAsTask(IsRequired = true, AsksFirst = true),
        Description("Asks for a name, and then greets as a task.")
    ]
    public static string AskThenGreet(RequestContext<CallToolRequestParams> request) =>
        Questions.Text(Questions.Answer(request.Params.InputResponses, "user_name"), "content", "name") is { } name
            ? Greet(name)
            : throw Questions.Ask(null, ("user_name", Questions.Name));

    private static Task<ElicitResult> ConfirmAsync(McpServer server, string question, CancellationToken cancellationToken) =>
        server.ElicitAsync(Questions.Form(question, """{ "confirm": { "type": "boolean" } }""", "confirm"), cancellationToken).AsTask();
}

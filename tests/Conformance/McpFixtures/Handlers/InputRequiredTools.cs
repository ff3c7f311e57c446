using System.ComponentModel;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace McpFixtures.Handlers;

/// <summary>Tools that ask the client and end, to be called again with its answers: what clients since 2026-07-28 know.</summary>
internal sealed class InputRequiredTools
{
    [McpServerTool(Name = "test_input_required_result_elicitation"), Description("Asks for a name, and greets.")]
    public static string Elicit(RequestContext<CallToolRequestParams> request) =>
        Questions.Text(Answer(request, "user_name"), "content", "name") is { } name
            ? $"Hello, {name}!"
            : throw Questions.Ask(null, ("user_name", Questions.Name));

    [McpServerTool(Name = "test_input_required_result_sampling"), Description("Asks the client's model.")]
    public static string Sample(RequestContext<CallToolRequestParams> request) =>
        Questions.Text(Answer(request, "capital_question"), "content", "text")
        ?? throw Questions.Ask(null, ("capital_question", Questions.Capital));

    [McpServerTool(Name = "test_input_required_result_list_roots"), Description("Asks for the client's roots.")]
    public static string ListRoots(RequestContext<CallToolRequestParams> request) =>
        Answer(request, "client_roots") is { } answer
            ? $"The roots are {answer.GetProperty("roots").GetRawText()}."
            : throw Questions.Ask(null, ("client_roots", Questions.Roots));

    [McpServerTool(Name = "test_input_required_result_request_state"), Description("Asks for a confirmation, and knows the call again.")]
    public static string KeepState(RequestContext<CallToolRequestParams> request) => Confirm(request);

    [
        McpServerTool(Name = "test_input_required_result_tampered_state"),
        Description("Asks for a confirmation, and refuses a state that is not its own.")
    ]
    public static string CheckState(RequestContext<CallToolRequestParams> request) => Confirm(request);

    [McpServerTool(Name = "test_input_required_result_multiple_inputs"), Description("Asks for three things at once.")]
    public static string AskForAll(RequestContext<CallToolRequestParams> request)
    {
        (string Key, InputRequest)[] questions =
        [
            ("user_name", Questions.Name),
            ("greeting", Questions.Greeting),
            ("client_roots", Questions.Roots),
        ];
        return
            CallState.Read(request.Params.RequestState) is not null && questions.All(question => Answer(request, question.Key) is not null)
            ? "All three were answered."
            : throw Questions.Ask(CallState.Write("asked"), questions);
    }

    [McpServerTool(Name = "test_input_required_result_multi_round"), Description("Asks for one thing after the other.")]
    public static string AskInRounds(RequestContext<CallToolRequestParams> request) =>
        CallState.Read(request.Params.RequestState) switch
        {
            "named" when Questions.Text(Answer(request, "step2"), "content", "color") is { } colour => $"The color is {colour}.",
            "begun" when Questions.Text(Answer(request, "step1"), "content", "name") is not null => throw Questions.Ask(
                CallState.Write("named"),
                ("step2", Questions.Colour)
            ),
            _ => throw Questions.Ask(CallState.Write("begun"), ("step1", Questions.Name)),
        };

    private static string Confirm(RequestContext<CallToolRequestParams> request) =>
        CallState.Read(request.Params.RequestState) is not null && Answer(request, "confirm") is not null
            ? "state-ok"
            : throw Questions.Ask(CallState.Write("asked"), ("confirm", Questions.Confirmation));

    private static System.Text.Json.JsonElement? Answer(RequestContext<CallToolRequestParams> request, string key) =>
        Questions.Answer(request.Params.InputResponses, key);
}

using System.ComponentModel;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace McpFixtures.Handlers;

/// <summary>Tools that look at what the client can do.</summary>
internal sealed class CapabilityTools
{
    [McpServerTool(Name = "test_missing_capability"), Description("Needs a client that samples.")]
    public static string Need(McpServer server) =>
        server.ClientCapabilities?.Sampling is not null
            ? "The client samples."
            : throw new MissingRequiredClientCapabilityException(new ClientCapabilities { Sampling = new() });

    [McpServerTool(Name = "test_input_required_result_capabilities"), Description("Asks for no more than the client can answer.")]
    public static string Ask(RequestContext<CallToolRequestParams> request)
    {
        var capabilities = request.Server.ClientCapabilities;
        (string, InputRequest)[] questions =
        [
            .. capabilities?.Elicitation is null ? [] : new[] { ("user_name", Questions.Name) },
            .. capabilities?.Sampling is null ? [] : new[] { ("capital_question", Questions.Capital) },
            .. capabilities?.Roots is null ? [] : new[] { ("client_roots", Questions.Roots) },
        ];
        return request.Params.InputResponses is { Count: > 0 } || questions.Length == 0
            ? "Nothing is to be asked."
            : throw Questions.Ask(null, questions);
    }
}

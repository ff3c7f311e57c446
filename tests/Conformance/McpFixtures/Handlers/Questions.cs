using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace McpFixtures.Handlers;

/// <summary>What tools and prompts ask of a client, and how they read its answers.</summary>
internal static class Questions
{
    public static InputRequest Name { get; } = Ask(Form("What is your name?", """{ "name": { "type": "string" } }""", "name"));

    public static InputRequest Colour { get; } =
        Ask(Form("What is your favorite color?", """{ "color": { "type": "string" } }""", "color"));

    public static InputRequest Confirmation { get; } = Ask(Form("Please confirm", """{ "ok": { "type": "boolean" } }""", "ok"));

    public static InputRequest UserContext { get; } =
        Ask(Form("What context should the prompt use?", """{ "context": { "type": "string" } }""", "context"));

    public static InputRequest Capital { get; } = Sample("What is the capital of France?", 100);

    public static InputRequest Greeting { get; } = Sample("Generate a greeting", 50);

    public static InputRequest Roots { get; } =
        new() { Method = RequestMethods.RootsList, Params = JsonSerializer.SerializeToElement(new { }) };

    /// <summary>A form, whose fields are a JSON Schema's properties.</summary>
    public static ElicitRequestParams Form(string message, string fields, params string[] required)
    {
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = JsonNode.Parse(fields),
            ["required"] = JsonSerializer.SerializeToNode(required),
        };
        return new()
        {
            Message = message,
            RequestedSchema = schema.Deserialize<ElicitRequestParams.RequestSchema>(McpJsonUtilities.DefaultOptions),
        };
    }

    /// <summary>Ends a call with questions, to be made again with the answers.</summary>
    public static InputRequiredException Ask(string? state, params IEnumerable<(string Key, InputRequest Question)> questions) =>
        new(questions.ToDictionary(question => question.Key, question => question.Question), state);

    /// <summary>The answer to a question; null where there is none.</summary>
    public static JsonElement? Answer(IDictionary<string, InputResponse>? answers, string key) =>
        answers is not null && answers.TryGetValue(key, out var answer) && answer.RawValue.ValueKind == JsonValueKind.Object
            ? answer.RawValue
            : null;

    /// <summary>A field of an answer, such as <c>content.name</c>; null where it is no text.</summary>
    public static string? Text(JsonElement? answer, params string[] path)
    {
        foreach (var name in path)
        {
            answer = answer is { ValueKind: JsonValueKind.Object } parent && parent.TryGetProperty(name, out var value) ? value : null;
        }

        return answer is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
    }

    private static InputRequest Ask(ElicitRequestParams form) => InputRequest.ForElicitation(form);

    private static InputRequest Sample(string text, int maxTokens) =>
        new()
        {
            Method = RequestMethods.SamplingCreateMessage,
            Params = JsonSerializer.SerializeToElement(
                new { messages = new[] { new { role = "user", content = new { type = "text", text } } }, maxTokens }
            ),
        };
}

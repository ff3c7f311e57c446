using System.ComponentModel;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace McpFixtures.Handlers;

/// <summary>Tools that ask the client of their session, and wait for its answer: what clients before 2026-07-28 know.</summary>
internal sealed class AskingTools
{
    private static readonly ElicitRequestParams Defaults = Questions.Form(
        "Please review the defaults.",
        """
        {
          "name": { "type": "string", "default": "John Doe" },
          "age": { "type": "integer", "default": 30 },
          "score": { "type": "number", "default": 95.5 },
          "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
          "verified": { "type": "boolean", "default": true }
        }
        """
    );

    private static readonly ElicitRequestParams Choices = Questions.Form(
        "Please choose.",
        """
        {
          "untitledSingle": { "type": "string", "enum": ["option1", "option2", "option3"] },
          "titledSingle": { "type": "string", "oneOf": [
            { "const": "value1", "title": "First Option" }, { "const": "value2", "title": "Second Option" }, { "const": "value3",
            "title": "Third Option" } ] },
          "legacyEnum": { "type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"] },
          "untitledMulti": { "type": "array", "items": { "type": "string", "enum": ["option1", "option2", "option3"] } },
          "titledMulti": { "type": "array", "items": { "anyOf": [
            { "const": "value1", "title": "First Choice" }, { "const": "value2", "title": "Second Choice" }, { "const": "value3",
            "title": "Third Choice" } ] } }
        }
        """
    );

    [McpServerTool(Name = "test_sampling"), Description("Asks the client's model.")]
    public static async Task<string> SampleAsync(string prompt, McpServer server, CancellationToken cancellationToken)
    {
        var answer = await server.SampleAsync(
            new CreateMessageRequestParams
            {
                Messages = [new() { Role = Role.User, Content = [new TextContentBlock { Text = prompt }] }],
                MaxTokens = 100,
            },
            cancellationToken
        );
        return $"LLM response: {string.Concat(answer.Content.OfType<TextContentBlock>().Select(block => block.Text))}";
    }

    [McpServerTool(Name = "test_elicitation"), Description("Asks the user for a name and an address.")]
    public static async Task<string> ElicitAsync(string message, McpServer server, CancellationToken cancellationToken)
    {
        var form = Questions.Form(message, """{ "username": { "type": "string" }, "email": { "type": "string" } }""", "username", "email");
        return Describe("User response", await server.ElicitAsync(form, cancellationToken));
    }

    [McpServerTool(Name = "test_elicitation_sep1034_defaults"), Description("Asks with a default for each kind of value.")]
    public static async Task<string> ElicitDefaultsAsync(McpServer server, CancellationToken cancellationToken) =>
        Describe("Elicitation completed", await server.ElicitAsync(Defaults, cancellationToken));

    [McpServerTool(Name = "test_elicitation_sep1330_enums"), Description("Asks with each kind of choice.")]
    public static async Task<string> ElicitChoicesAsync(McpServer server, CancellationToken cancellationToken) =>
        Describe("Elicitation completed", await server.ElicitAsync(Choices, cancellationToken));

    private static string Describe(string title, ElicitResult answer) =>
        $"{title}: action={answer.Action}, content={JsonSerializer.Serialize(answer.Content, McpJsonUtilities.DefaultOptions)}";
}

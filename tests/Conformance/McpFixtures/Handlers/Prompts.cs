using System.ComponentModel;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace McpFixtures.Handlers;

/// <summary>Prompts with each kind of content.</summary>
internal sealed class Prompts
{
    [McpServerPrompt(Name = "test_simple_prompt"), Description("Takes nothing.")]
    public static string Simple() => "This is a simple prompt for testing.";

    [McpServerPrompt(Name = "test_prompt_with_arguments"), Description("Takes two texts.")]
    public static string WithArguments([Description("The first")] string arg1, [Description("The second")] string arg2) =>
        $"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'";

    [McpServerPrompt(Name = "test_prompt_with_embedded_resource"), Description("Has a resource in it.")]
    public static IEnumerable<PromptMessage> WithResource([Description("The URI of the resource")] string resourceUri) =>
        [Say(Samples.Embed(resourceUri, "Embedded resource content for testing.")), Say("Please process the embedded resource above.")];

    [McpServerPrompt(Name = "test_prompt_with_image"), Description("Has an image in it.")]
    public static IEnumerable<PromptMessage> WithImage() => [Say(Samples.ImageBlock()), Say("Please analyze the image above.")];

    [McpServerPrompt(Name = "test_input_required_result_prompt"), Description("Asks what it is for.")]
    public static PromptMessage Ask(RequestContext<GetPromptRequestParams> request) =>
        Questions.Text(Questions.Answer(request.Params.InputResponses, "user_context"), "content", "context") is { } context
            ? Say($"The context is {context}.")
            : throw Questions.Ask(null, ("user_context", Questions.UserContext));

    private static PromptMessage Say(string text) => Say(new TextContentBlock { Text = text });

    private static PromptMessage Say(ContentBlock content) => new() { Role = Role.User, Content = content };
}

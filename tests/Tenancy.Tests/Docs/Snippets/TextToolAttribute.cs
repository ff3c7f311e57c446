using System.Reflection;
using System.Text.Json;
using ModelContextProtocol.Protocol;
using Tenancy.Mcp;

namespace Tenancy.Tests.Docs.Snippets;

[AttributeUsage(AttributeTargets.Method)]
internal sealed class TextToolAttribute(string name) : TenantToolAttribute
{
    public override TenantTool CreateTool(Type handlers, MethodInfo method, IServiceProvider services) =>
        new TextTool(name, method.CreateDelegate<Func<string, ToolContext, string>>());
}

internal sealed class TextTool(string name, Func<string, ToolContext, string> answer) : TenantTool
{
    public override Tool ProtocolTool { get; } =
        new()
        {
            Name = name,
            InputSchema = JsonElement.Parse(
                """{ "type": "object", "properties": { "text": { "type": "string" } }, "required": [ "text" ] }"""
            ),
        };

    // Nothing may have happened yet: the bytes are read, and what is wrong with them is answered.
    public override ToolRun Read(ReadOnlySpan<byte> arguments) =>
        !arguments.IsEmpty && JsonElement.Parse(arguments).TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String
            ? new Run(answer, text.GetString()!)
            : ToolRun.Answered(ToolAnswer.FromJson("""{"error":"text is required"}"""u8.ToArray(), isError: true));

    private sealed class Run(Func<string, ToolContext, string> answer, string text) : ToolRun
    {
        public override ValueTask<ToolAnswer> RunAsync(Call call, CancellationToken cancellationToken) =>
            new(ToolAnswer.FromJson(JsonSerializer.SerializeToUtf8Bytes(new { text = answer(text, call.Context) })));
    }
}

internal sealed class TextTools
{
    [TextTool("shout")]
    public static string Shout(string text, ToolContext context) => $"{text.ToUpperInvariant()} ({context.TenantId})";
}

using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Protocol;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Tests.Docs.Snippets;

[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnceToolAttribute(string name) : TenantToolAttribute
{
    public override TenantTool CreateTool(Type handlers, MethodInfo method, IServiceProvider services) =>
        new OnceTool(name, method.CreateDelegate<Func<ToolContext, Task<string>>>(), services.GetRequiredService<KeyedCalls>());
}

internal sealed class OnceTool(string name, Func<ToolContext, Task<string>> handle, KeyedCalls keyed) : TenantTool
{
    public override Tool ProtocolTool { get; } =
        new() { Name = name, InputSchema = JsonElement.Parse("""{ "type": "object", "required": [ "key" ] }""") };

    public override ToolRun Read(ReadOnlySpan<byte> arguments) =>
        !arguments.IsEmpty && JsonElement.Parse(arguments).TryGetProperty("key", out var key) && key.ValueKind == JsonValueKind.String
            ? new Run(this, key.GetString()!, RequestHash.Compute(arguments, new OmittedMember("key")))
            : ToolRun.Answered(ToolAnswer.FromJson("""{"error":"key is required"}"""u8.ToArray(), isError: true));

    private sealed class Run(OnceTool tool, string key, string hash) : ToolRun
    {
        // The second time the handler does not run: what it answered is answered again.
        public override async ValueTask<ToolAnswer> RunAsync(Call call, CancellationToken cancellationToken)
        {
            call.ForAccount(call.Context.Caller.Value);
            var request = new KeyedRequest(tool.ProtocolTool.Name, key, hash, TimeSpan.FromSeconds(30));
            var outcome = await tool.RunOnceAsync(call, request, cancellationToken);
            return outcome is KeyedOutcome.Done done
                ? ToolAnswer.FromJson(done.Answer.ToArray())
                : ToolAnswer.FromJson(Encoding.UTF8.GetBytes($$"""{"error":"{{outcome.GetType().Name}}"}"""), isError: true);
        }
    }

    private Task<KeyedOutcome> RunOnceAsync(Call call, KeyedRequest request, CancellationToken cancellationToken) =>
        keyed.RunAsync(call, request, async _ => await AnswerAsync(call.Context), cancellationToken);

    private async Task<byte[]> AnswerAsync(ToolContext context) =>
        JsonSerializer.SerializeToUtf8Bytes(new { answer = await handle(context) });
}

internal sealed class OnceTools
{
    [OnceTool("draw_ticket")]
    public static Task<string> DrawAsync(ToolContext context) => Task.FromResult($"{context.TenantId} {Guid.NewGuid()}");
}

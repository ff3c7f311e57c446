using ModelContextProtocol;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>
/// What a caller is told where a tool of the MCP SDK's kind throws: the SDK's words, and where they say nothing what to tell the operator,
/// who finds the failure by it in the log.
/// </summary>
internal static class FailureText
{
    private static readonly string? SdkSource = typeof(McpException).Assembly.GetName().Name;

    public static string Of(string tool, Exception exception, string? reference = null) =>
        Told(exception) is { } told ? $"An error occurred invoking '{tool}': {told}"
        : reference is null ? $"An error occurred invoking '{tool}'."
        : $"An error occurred invoking '{tool}'. Reference: {reference}";

    private static string? Told(Exception exception) =>
        exception switch
        {
            McpException => exception.Message,

            // As the SDK says it: why a client cannot be asked.
            InvalidOperationException when exception.Source == SdkSource => exception.Message,
            CallRefusedException refused => refused.CallerMessage,
            _ => null,
        };
}

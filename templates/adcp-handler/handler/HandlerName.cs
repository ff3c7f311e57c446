using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ModelContextProtocol.Server;
using Tenancy.Mcp;

namespace ROOT_NAMESPACE.Handlers;

/// <summary>Answers handler_name, for every tenant.</summary>
public sealed class HandlerName
{
    // What stands in its parentheses is what the tool takes; ToolContext is the call's own. Services come through the constructor.
    [McpServerTool(Name = "handler_name", ReadOnly = true)]
    [Description("Says what was asked, until it does something.")]
    public static string Answer([Description("What is asked."), MaxLength(1000)] string question, ToolContext context) =>
        $"{context.TenantId} was asked: {question}";
}

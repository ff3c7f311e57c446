using System.Reflection;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp;

/// <summary>Finds the tools of a handler class: the methods with a <see cref="TenantToolAttribute"/>, or with the MCP SDK's own.</summary>
internal static class HandlerTools
{
    public static IEnumerable<TenantTool> Of(Type handlers, IServiceProvider services)
    {
        var found = false;
        foreach (var method in handlers.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static))
        {
            if (method.GetCustomAttribute<TenantToolAttribute>() is { } attribute)
            {
                found = true;
                if (attribute.CreateTool(handlers, method, services) is { } tool)
                {
                    yield return tool;
                }
            }
            else if (method.GetCustomAttribute<McpServerToolAttribute>() is not null)
            {
                found = true;
                yield return new PlainTool(handlers, method, services);
            }
        }

        if (!found)
        {
            throw new InvalidOperationException($"{handlers.Name} has no tool: put an attribute such as [McpServerTool] on a public method.");
        }
    }
}

using System.Reflection;
using ModelContextProtocol.Server;
using Tenancy.Configuration;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// Builds the tools of handler classes: their methods with a <see cref="TenantToolAttribute"/>, or with the MCP SDK's own attribute.
/// </summary>
internal static class HandlerTools
{
    public static bool IsTool(MethodInfo method) =>
        method.IsDefined(typeof(TenantToolAttribute)) || method.IsDefined(typeof(McpServerToolAttribute));

    /// <summary>Builds the tool of a method.</summary>
    /// <returns>The tool; null where this server does not have it.</returns>
    public static TenantTool? Create(Type handlers, MethodInfo method, IToolCalls calls, IServiceProvider services)
    {
        if (Build(handlers, method, services) is not { } tool)
        {
            return null;
        }

        tool.Calls = calls;
        tool.RequiredScopes = Scopes(handlers, method);
        if (tool is not MethodTool)
        {
            ToolSchema.Mend(tool.ProtocolTool, mayLeaveOut: false);
        }

        return tool;
    }

    private static TenantTool? Build(Type handlers, MethodInfo method, IServiceProvider services) =>
        method.GetCustomAttribute<TenantToolAttribute>() is { } attribute ? attribute.CreateTool(handlers, method, services)
        : method.GetCustomAttribute<McpServerToolAttribute>() is not null ? new MethodTool(handlers, method, services)
        : null;

    private static string[] Scopes(Type handlers, MethodInfo method)
    {
        var scopes = method.GetCustomAttributes<RequireScopeAttribute>().Select(attribute => attribute.Scope).ToArray();
        return scopes.FirstOrDefault(scope => !OAuthScope.IsValid(scope)) is { } bad
            ? throw new InvalidOperationException($"[RequireScope(\"{bad}\")] on {handlers.Name}.{method.Name}: a scope {OAuthScope.Rule}.")
            : scopes;
    }
}

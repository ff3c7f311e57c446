using System.Reflection;
using ModelContextProtocol.Server;
using Tenancy.Configuration;

namespace Tenancy.Mcp;

/// <summary>Finds the tools of a handler class: the methods with a <see cref="TenantToolAttribute"/>, or with the MCP SDK's own.</summary>
internal static class HandlerTools
{
    private const BindingFlags Public = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static;

    /// <summary>Whether a class can be created for a call, and has tools.</summary>
    public static bool IsHandlerClass(Type type) => type is { IsClass: true, IsAbstract: false, ContainsGenericParameters: false } && type.GetMethods(Public).Any(IsTool);

    public static IEnumerable<TenantTool> Of(Type handlers, IServiceProvider services)
    {
        var found = false;
        foreach (var method in handlers.GetMethods(Public))
        {
            // A tool that this server does not have counts as one of the class all the same.
            found |= IsTool(method);
            if (Create(handlers, method, services) is { } tool)
            {
                tool.RequiredScopes = Scopes(handlers, method);
                yield return tool;
            }
        }

        if (!found)
        {
            throw new InvalidOperationException($"{handlers.Name} has no tool: put an attribute such as [McpServerTool] on a public method.");
        }
    }

    private static bool IsTool(MethodInfo method) =>
        method.IsDefined(typeof(TenantToolAttribute)) || method.IsDefined(typeof(McpServerToolAttribute));

    private static TenantTool? Create(Type handlers, MethodInfo method, IServiceProvider services) =>
        method.GetCustomAttribute<TenantToolAttribute>() is { } attribute ? attribute.CreateTool(handlers, method, services)
        : method.GetCustomAttribute<McpServerToolAttribute>() is not null ? new PlainTool(handlers, method, services)
        : null;

    private static string[] Scopes(Type handlers, MethodInfo method)
    {
        var scopes = method.GetCustomAttributes<RequireScopeAttribute>().Select(attribute => attribute.Scope).ToArray();
        return scopes.FirstOrDefault(scope => !OAuthScope.IsValid(scope)) is { } bad
            ? throw new InvalidOperationException($"[RequireScope(\"{bad}\")] on {handlers.Name}.{method.Name}: a scope {OAuthScope.Rule}.")
            : scopes;
    }
}

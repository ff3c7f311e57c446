using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// What the handler classes of a platform have, built once: tools, prompts and resources, each a method with an attribute.
/// </summary>
/// <remarks>Prompts and resources are the MCP SDK's own; a filter of the SDK's gives their calls the tenant's context.</remarks>
internal sealed class HandlerPrimitives(Type platform, IToolCalls calls, IServiceProvider services) : IPlatformBuilder
{
    private readonly HandlerServices _services = new(services);

    public McpServerPrimitiveCollection<McpServerTool> Tools { get; } = [];

    public McpServerPrimitiveCollection<McpServerPrompt> Prompts { get; } = [];

    public McpServerResourceCollection Resources { get; } = [];

    private int Count => Tools.Count + Prompts.Count + Resources.Count;

    public IPlatformBuilder AddHandlers<THandlers>()
        where THandlers : class
    {
        if (!HasPrimitives(typeof(THandlers)))
        {
            throw new InvalidOperationException(
                $"{typeof(THandlers).Name} has no tool, prompt or resource: put an attribute such as [McpServerTool], "
                    + "[McpServerPrompt] or [McpServerResource] on a public method."
            );
        }

        return Add(typeof(THandlers));
    }

    public IPlatformBuilder AddHandlersFromAssembly()
    {
        foreach (
            var handlers in platform
                .Assembly.GetTypes()
                .Where(IsHandlerClass)
                .Where(IsOurs)
                .OrderBy(type => type.FullName, StringComparer.Ordinal)
        )
        {
            Add(handlers);
        }

        return this;
    }

    private static bool IsHandlerClass(Type type) =>
        type is { IsClass: true, IsAbstract: false, ContainsGenericParameters: false } && HasPrimitives(type);

    private bool IsOurs(Type handlers) =>
        handlers.GetCustomAttribute<HandlersOfAttribute>() is not { } kept || platform.IsAssignableTo(kept.Platform);

    // What this server does not have, such as a tool for tests, counts as something of the class all the same.
    private static bool HasPrimitives(Type handlers) =>
        Methods(handlers).Any(method => HandlerTools.IsTool(method) || IsPrompt(method) || IsResource(method));

    private static MethodInfo[] Methods(Type handlers) =>
        handlers.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static);

    private HandlerPrimitives Add(Type handlers)
    {
        var before = Count;
        foreach (var method in Methods(handlers))
        {
            Add(handlers, method);
        }

        if (Count > before)
        {
            HandlerConstructor.Check(handlers, services);
        }

        return this;
    }

    private void Add(Type handlers, MethodInfo method)
    {
        if (HandlerTools.IsTool(method))
        {
            if (HandlerTools.Create(handlers, method, calls, _services) is { } tool)
            {
                Add(Tools, tool, handlers, "tool", "name");
            }
        }
        else if ((IsPrompt(method) || IsResource(method)) && method.IsDefined(typeof(RequireScopeAttribute)))
        {
            throw new InvalidOperationException($"[RequireScope] on {handlers.Name}.{method.Name}: only a tool can ask for a scope.");
        }

        if (IsPrompt(method))
        {
            Add(Prompts, CreatePrompt(handlers, method), handlers, "prompt", "name");
        }

        if (IsResource(method))
        {
            Add(Resources, CreateResource(handlers, method), handlers, "resource", "URI");
        }
    }

    private static void Add<T>(McpServerPrimitiveCollection<T> collection, T primitive, Type handlers, string what, string id)
        where T : IMcpServerPrimitive
    {
        if (!collection.TryAdd(primitive))
        {
            throw new InvalidOperationException(
                $"The {what} '{primitive.Id}' of {handlers.Name} is there already: a platform has one {what} of a {id}."
            );
        }
    }

    private static bool IsPrompt(MethodInfo method) => method.IsDefined(typeof(McpServerPromptAttribute));

    private static bool IsResource(MethodInfo method) => method.IsDefined(typeof(McpServerResourceAttribute));

    private McpServerPrompt CreatePrompt(Type handlers, MethodInfo method)
    {
        var options = new McpServerPromptCreateOptions { Services = _services };
        var create = ActivatorUtilities.CreateFactory(handlers, []);
        var prompt = method.IsStatic
            ? McpServerPrompt.Create(method, target: null, options)
            : McpServerPrompt.Create(method, request => create(request.Services!, null), options);
        TextPrimitives.Check(prompt.ProtocolPrompt, method);
        return prompt;
    }

    private McpServerResource CreateResource(Type handlers, MethodInfo method)
    {
        var options = new McpServerResourceCreateOptions { Services = _services };
        var create = ActivatorUtilities.CreateFactory(handlers, []);
        var resource = method.IsStatic
            ? McpServerResource.Create(method, target: null, options)
            : McpServerResource.Create(method, request => create(request.Services!, null), options);
        TextPrimitives.Check(resource.ProtocolResourceTemplate, method, _services);
        return resource;
    }
}

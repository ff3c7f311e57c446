using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Server;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>A platform as it was added: its name, what its handlers have, built once, and how an instance of it is made.</summary>
internal sealed class PlatformKind(string name, HandlerPrimitives primitives, Func<TenantSetup, CancellationToken, Task<object>> create)
{
    private readonly HashSet<string> _headerTools = new(
        primitives.Tools.Where(tool => tool.ProtocolTool.InputSchema.GetRawText().Contains("\"x-mcp-header\"", StringComparison.Ordinal)).Select(tool => tool.ProtocolTool.Name), StringComparer.Ordinal);

    public string Name { get; } = name;

    public McpServerPrimitiveCollection<McpServerTool> Tools { get; } = primitives.Tools;

    /// <summary>The prompts; null where there are none, so that none are declared.</summary>
    public McpServerPrimitiveCollection<McpServerPrompt>? Prompts { get; } = primitives.Prompts.IsEmpty ? null : primitives.Prompts;

    /// <summary>The resources, templates included; null where there are none.</summary>
    public McpServerResourceCollection? Resources { get; } = primitives.Resources.IsEmpty ? null : primitives.Resources;

    /// <summary>Whether any tool asks for a scope.</summary>
    public bool HasScopes { get; } = primitives.Tools.OfType<TenantTool>().Any(tool => tool.RequiredScopes.Count > 0);

    /// <summary>Whether parameters of a tool travel as headers, too, which the MCP SDK compares.</summary>
    public bool HasHeaderParameters(string? tool) => tool is not null && _headerTools.Contains(tool);

    /// <summary>Finds the tools that have parameters with <c>x-mcp-header</c>.</summary>
    /// <exception cref="InvalidOperationException">Such a tool is another one in another platform, and its headers would be asked of that, too.</exception>
    public static McpServerPrimitiveCollection<McpServerTool> HeaderTools(IEnumerable<PlatformKind> kinds)
    {
        McpServerPrimitiveCollection<McpServerTool> found = [];
        foreach (var tool in kinds.SelectMany(kind => kind.Tools.Where(tool => kind.HasHeaderParameters(tool.ProtocolTool.Name))))
        {
            found.TryAdd(tool);
        }

        return kinds.SelectMany(kind => kind.Tools).FirstOrDefault(tool => found.TryGetPrimitive(tool.ProtocolTool.Name, out var other) && !HaveSameParameters(tool, other)) is { } bad
            ? throw new InvalidOperationException(
                $"The tool '{bad.ProtocolTool.Name}' has parameters with x-mcp-header, and other parameters in another platform: make them the same, or give one of the two another name.")
            : found;
    }

    public async Task<PlatformInstance> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        new McpPlatformInstance(this, await create(tenant, cancellationToken).ConfigureAwait(false), tenant.Id, tenant.Services.GetRequiredService<ILogger<PlatformInstance>>());

    private static bool HaveSameParameters(McpServerTool one, McpServerTool other) => JsonElement.DeepEquals(one.ProtocolTool.InputSchema, other.ProtocolTool.InputSchema);
}

/// <summary>One tenant's instance of a platform.</summary>
internal sealed class McpPlatformInstance(PlatformKind kind, object instance, TenantId tenant, ILogger logger) : PlatformInstance(tenant, logger)
{
    private Description? _description;

    public PlatformKind Kind { get; } = kind;

    public object Instance { get; } = instance;

    /// <summary>Describes the tenant's server, anew only where its name is another.</summary>
    public JsonElement Describe(string name, Func<string, JsonElement> describe)
    {
        var known = Volatile.Read(ref _description);
        if (known?.Name != name)
        {
            Volatile.Write(ref _description, known = new(name, describe(name)));
        }

        return known.Json;
    }

    protected override async ValueTask DisposeAsync()
    {
        switch (Instance)
        {
            case IAsyncDisposable disposable:
                await disposable.DisposeAsync().ConfigureAwait(false);
                break;
            case IDisposable disposable:
                disposable.Dispose();
                break;
        }
    }

    private sealed record Description(string Name, JsonElement Json);
}

/// <summary>A platform that was added to the builder; its handlers are read when the application starts.</summary>
internal sealed record PlatformRegistration(string Name, Type Type, Action<IPlatformBuilder> Define, Func<TenantSetup, CancellationToken, Task<object>> Create);

/// <summary>Handlers that every platform has.</summary>
internal sealed record CommonHandlers(Action<IPlatformBuilder> Define);

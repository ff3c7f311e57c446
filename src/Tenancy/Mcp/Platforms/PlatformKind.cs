using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Server;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp.Platforms;

/// <summary>A platform as it was added: its name, what its handlers have, built once, and how an instance of it is made.</summary>
internal sealed class PlatformKind(
    string name,
    HandlerPrimitives primitives,
    Func<TenantSetup, CancellationToken, Task<object>> create,
    ILogger<PlatformInstance> logger
)
{
    private const int MaxNameLength = 256;

    private readonly HashSet<string> _headerTools = new(
        primitives
            .Tools.Where(tool => tool.ProtocolTool.InputSchema.GetRawText().Contains("\"x-mcp-header\"", StringComparison.Ordinal))
            .Select(tool => tool.ProtocolTool.Name),
        StringComparer.Ordinal
    );

    private readonly FrozenDictionary<string, TenantTool> _tools = primitives
        .Tools.OfType<TenantTool>()
        .ToFrozenDictionary(tool => tool.ProtocolTool.Name, StringComparer.Ordinal);

    public string Name { get; } = name;

    /// <summary>The names of all tools.</summary>
    public FrozenSet<string> ToolNames { get; } =
        primitives.Tools.Select(tool => tool.ProtocolTool.Name).ToFrozenSet(StringComparer.Ordinal);

    public McpServerPrimitiveCollection<McpServerTool> Tools { get; } = primitives.Tools;

    /// <summary>The prompts; null where there are none, so that none are declared.</summary>
    public McpServerPrimitiveCollection<McpServerPrompt>? Prompts { get; } = primitives.Prompts.IsEmpty ? null : primitives.Prompts;

    /// <summary>The resources, templates included; null where there are none.</summary>
    public McpServerResourceCollection? Resources { get; } = primitives.Resources.IsEmpty ? null : primitives.Resources;

    /// <summary>Gets the descriptions of the tools, as <c>tools/list</c> answers them.</summary>
    public ToolLists Lists { get; } = new(primitives.Tools);

    /// <summary>Whether any tool asks for a scope.</summary>
    public bool HasScopes => Scopes.Count > 0;

    /// <summary>The scopes that tools ask for, each once.</summary>
    public IReadOnlyList<string> Scopes { get; } =
    [.. primitives.Tools.OfType<TenantTool>().SelectMany(tool => tool.RequiredScopes).Distinct(StringComparer.Ordinal)];

    /// <summary>
    /// Whether any tool has an authorization attribute, by which the MCP SDK's filters choose what a caller sees in a list.
    /// </summary>
    public bool HasGuards { get; } = primitives.Tools.Any(tool => tool.Metadata.Any(item => item is IAuthorizeData or IAllowAnonymous));

    /// <summary>Whether parameters of a tool travel as headers, too, which the MCP SDK compares.</summary>
    public bool HasHeaderParameters(string? tool) => tool is not null && _headerTools.Contains(tool);

    /// <summary>Finds a tool by its name; null where there is none.</summary>
    public TenantTool? FindTool(string name) => _tools.GetValueOrDefault(name);

    /// <summary>
    /// Finds a tool by its name as it stands in a message, in its quotes; null where there is none, or where the name has escapes.
    /// </summary>
    public TenantTool? FindTool(ReadOnlySpan<byte> quoted)
    {
        Span<char> name = stackalloc char[MaxNameLength];
        return
            quoted.Length - 2 <= MaxNameLength
            && Encoding.UTF8.TryGetChars(quoted[1..^1], name, out var length)
            && _tools.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[..length], out var tool)
            ? tool
            : null;
    }

    /// <summary>Finds the tools that have parameters with <c>x-mcp-header</c>.</summary>
    /// <exception cref="InvalidOperationException">
    /// Such a tool is another one in another platform, and its headers would be asked of that, too.
    /// </exception>
    public static McpServerPrimitiveCollection<McpServerTool> HeaderTools(IEnumerable<PlatformKind> kinds)
    {
        McpServerPrimitiveCollection<McpServerTool> found = [];
        foreach (var tool in kinds.SelectMany(kind => kind.Tools.Where(tool => kind.HasHeaderParameters(tool.ProtocolTool.Name))))
        {
            found.TryAdd(tool);
        }

        return
            kinds
                .SelectMany(kind => kind.Tools)
                .FirstOrDefault(tool => found.TryGetPrimitive(tool.ProtocolTool.Name, out var other) && !HaveSameParameters(tool, other))
                is { } bad
            ? throw new InvalidOperationException(
                $"The tool '{bad.ProtocolTool.Name}' has parameters with x-mcp-header, and other parameters in another platform: make "
                    + "them the same, or give one of the two another name."
            )
            : found;
    }

    public async Task<PlatformInstance> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        new McpPlatformInstance(this, await create(tenant, cancellationToken).ConfigureAwait(false), tenant.Id, logger);

    private static bool HaveSameParameters(McpServerTool one, McpServerTool other) =>
        JsonElement.DeepEquals(one.ProtocolTool.InputSchema, other.ProtocolTool.InputSchema);
}

/// <summary>A platform that was added to the builder; its handlers are read when the application starts.</summary>
internal sealed record PlatformRegistration(
    string Name,
    Type Type,
    Action<IPlatformBuilder> Define,
    Func<TenantSetup, CancellationToken, Task<object>> Create
);

/// <summary>Handlers that every platform has.</summary>
internal sealed record CommonHandlers(Action<IPlatformBuilder> Define);

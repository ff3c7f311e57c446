using ModelContextProtocol.Server;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp.Platforms;

/// <summary>The platforms of this server. Each is built once, with all that its handlers have, and shared by its tenants.</summary>
internal sealed class PlatformCatalog : IPlatformFactory
{
    private readonly IServiceProvider _services;
    private readonly Dictionary<string, Lazy<PlatformKind>> _kinds;
    private readonly Lazy<McpServerPrimitiveCollection<McpServerTool>> _headerTools;

    public PlatformCatalog(IEnumerable<PlatformRegistration> registrations, IEnumerable<CommonHandlers> common, IServiceProvider services)
    {
        _services = services;
        _kinds = registrations.ToDictionary(
            registration => registration.Name,
            registration => new Lazy<PlatformKind>(() => Build(registration, common, services)),
            StringComparer.Ordinal
        );
        _headerTools = new(() => PlatformKind.HeaderTools(_kinds.Values.Select(kind => kind.Value)));
    }

    /// <summary>
    /// The tools, of whichever platform, that have parameters which travel as headers, too: the MCP SDK compares those by one collection
    /// for all.
    /// </summary>
    public McpServerPrimitiveCollection<McpServerTool> HeaderTools => _headerTools.Value;

    public void Prepare() => _ = HeaderTools;

    public void SetHeaderTools(McpServerOptions options) =>
        options.ToolCollection = HeaderTools.IsEmpty ? options.ToolCollection : HeaderTools;

    public Task<PlatformInstance> CreateAsync(TenantConfig tenant, CancellationToken cancellationToken) =>
        tenant.Platform is { } name && _kinds.TryGetValue(name, out var kind)
            ? kind.Value.CreateAsync(new TenantSetup(tenant, _services), cancellationToken)
            : throw new InvalidOperationException(
                $"This server has no platform '{tenant.Platform}'; it has {string.Join(", ", _kinds.Keys)}."
            );

    private static PlatformKind Build(PlatformRegistration registration, IEnumerable<CommonHandlers> common, IServiceProvider services)
    {
        var primitives = new HandlerPrimitives(registration.Type, services);
        foreach (var handlers in common)
        {
            handlers.Define(primitives);
        }

        registration.Define(primitives);
        return new(registration.Name, primitives, registration.Create);
    }
}

/// <summary>The names of the platforms that were added.</summary>
internal sealed class PlatformNames(IEnumerable<PlatformRegistration> registrations) : IPlatformNames
{
    public IReadOnlyList<string> Names { get; } = [.. registrations.Select(registration => registration.Name)];
}

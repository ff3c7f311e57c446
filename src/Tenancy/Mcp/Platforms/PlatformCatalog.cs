using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol.Server;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp.Platforms;

/// <summary>The platforms of this server. Each is built once, with all that its handlers have, and shared by its tenants.</summary>
internal sealed class PlatformCatalog : IPlatformFactory
{
    private readonly IOptions<TenancyOptions> _options;
    private readonly IServiceProvider _services;
    private readonly Dictionary<string, Lazy<PlatformKind>> _kinds;
    private readonly Lazy<McpServerPrimitiveCollection<McpServerTool>> _headerTools;

    public PlatformCatalog(
        IEnumerable<PlatformRegistration> registrations,
        IEnumerable<CommonHandlers> common,
        IToolCalls calls,
        IOptions<TenancyOptions> options,
        IServiceProvider services,
        ILogger<PlatformInstance> logger
    )
    {
        _options = options;
        _services = services;
        _kinds = registrations.ToDictionary(
            registration => registration.Name,
            // What handlers are defined by is the application's code, which runs under no lock. Where two ask at once each runs it, and the
            // first to end gives what both get.
            registration => new Lazy<PlatformKind>(
                () => new(registration.Name, Read(registration, common, calls, services), registration.Create, logger),
                LazyThreadSafetyMode.PublicationOnly
            ),
            StringComparer.Ordinal
        );
        _headerTools = new(() => PlatformKind.HeaderTools(_kinds.Values.Select(kind => kind.Value)), LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>
    /// The tools, of whichever platform, that have parameters which travel as headers, too: the MCP SDK compares those by one collection
    /// for all.
    /// </summary>
    public McpServerPrimitiveCollection<McpServerTool> HeaderTools => _headerTools.Value;

    public void Prepare()
    {
        _ = HeaderTools;
        CheckNamesOfTools(_options.Value);
    }

    /// <summary>The names of a platform's tools.</summary>
    public IReadOnlySet<string> ToolsOf(string platform) => _kinds[platform].Value.ToolNames;

    public void SetHeaderTools(McpServerOptions options) =>
        options.ToolCollection = HeaderTools.IsEmpty ? options.ToolCollection : HeaderTools;

    public Task<PlatformInstance> CreateAsync(TenantConfig tenant, CancellationToken cancellationToken) =>
        tenant.Secrets?.Ciphertext is not null
            ? throw new InvalidOperationException(
                "Its secrets cannot be decrypted: the key ring in the store has no key for them. Write all of them anew with PATCH, or "
                    + "restore the key ring and restart."
            )
        : tenant.Platform is { } name && _kinds.TryGetValue(name, out var kind)
            ? kind.Value.CreateAsync(new TenantSetup(tenant, _services), cancellationToken)
        : throw new InvalidOperationException($"This server has no platform '{tenant.Platform}'; it has {string.Join(", ", _kinds.Keys)}.");

    // When settings are validated no platform is built yet, as handlers may need settings.
    private void CheckNamesOfTools(TenancyOptions options)
    {
        var all = _kinds.Values.SelectMany(kind => kind.Value.ToolNames).ToHashSet(StringComparer.Ordinal);
        var unknown = options.Defaults.Limits.Tools?.Keys.FirstOrDefault(name => !all.Contains(name));
        if (unknown is not null)
        {
            throw new InvalidOperationException(
                $"Tenancy:Defaults:Limits:tools:{unknown} is no tool of any platform{Spelling.Suggest(unknown, all)}."
            );
        }

        foreach (var (i, seed) in options.Tenants.Index())
        {
            var platform = seed.Tenant.Platform ?? options.Defaults.Platform ?? _kinds.Keys.First();
            var error = TenantConfigValidator
                .FindUnknown(seed.Tenant.Limits?.Tools?.Keys ?? [], platform, ToolsOf(platform))
                .FirstOrDefault();
            if (error.Field is not null)
            {
                throw new InvalidOperationException(
                    $"{FieldPath.ToSetting($"Tenancy:Tenants:{i}", error.Field)} is a mistake: {error.Message}."
                );
            }
        }
    }

    private static HandlerPrimitives Read(
        PlatformRegistration registration,
        IEnumerable<CommonHandlers> common,
        IToolCalls calls,
        IServiceProvider services
    )
    {
        var primitives = new HandlerPrimitives(registration.Type, calls, services);
        foreach (var handlers in common)
        {
            handlers.Define(primitives);
        }

        registration.Define(primitives);
        return primitives;
    }
}

/// <summary>The names of the platforms that were added, and of their tools.</summary>
// It asks for the catalog only when it is asked for tools. Building the catalog reads the handlers, which may need options, and options are
// validated by the names of the platforms: a catalog in the constructor would be a circle.
internal sealed class PlatformNames(IEnumerable<PlatformRegistration> registrations, IServiceProvider services) : IPlatformNames
{
    public IReadOnlyList<string> Names { get; } = [.. registrations.Select(registration => registration.Name)];

    public IReadOnlySet<string> ToolsOf(string platform) => services.GetRequiredService<PlatformCatalog>().ToolsOf(platform);
}

using System.Reflection;
using ModelContextProtocol.Server;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>The platforms of this server. Each is built once, tools included, and shared by its tenants.</summary>
internal sealed class PlatformCatalog(IEnumerable<PlatformRegistration> registrations, IEnumerable<CommonHandlers> common, IServiceProvider services) : IPlatformFactory
{
    private readonly Dictionary<string, Lazy<PlatformKind>> _kinds = registrations.ToDictionary(
        registration => registration.Name, registration => new Lazy<PlatformKind>(() => Build(registration, common, services)), StringComparer.Ordinal);

    public void Prepare()
    {
        foreach (var kind in _kinds.Values)
        {
            _ = kind.Value;
        }
    }

    public Task<PlatformInstance> CreateAsync(TenantConfig tenant, CancellationToken cancellationToken) =>
        tenant.Platform is { } name && _kinds.TryGetValue(name, out var kind)
            ? kind.Value.CreateAsync(new TenantSetup(tenant, services), cancellationToken)
            : throw new InvalidOperationException($"This server has no platform '{tenant.Platform}'; it has {string.Join(", ", _kinds.Keys)}.");

    private static PlatformKind Build(PlatformRegistration registration, IEnumerable<CommonHandlers> common, IServiceProvider services)
    {
        var builder = new Builder(registration.Type, services);
        foreach (var handlers in common)
        {
            handlers.Define(builder);
        }

        registration.Define(builder);
        return new(registration.Name, builder.Tools, registration.Create);
    }

    private sealed class Builder(Type platform, IServiceProvider services) : IPlatformBuilder
    {
        public McpServerPrimitiveCollection<McpServerTool> Tools { get; } = [];

        public IPlatformBuilder AddHandlers<THandlers>()
            where THandlers : class =>
            Add(typeof(THandlers));

        public IPlatformBuilder AddHandlersFromAssembly()
        {
            foreach (var handlers in platform.Assembly.GetTypes().Where(HandlerTools.IsHandlerClass).Where(IsOurs).OrderBy(type => type.FullName, StringComparer.Ordinal))
            {
                Add(handlers);
            }

            return this;
        }

        private bool IsOurs(Type handlers) => handlers.GetCustomAttribute<HandlersOfAttribute>() is not { } kept || platform.IsAssignableTo(kept.Platform);

        private Builder Add(Type handlers)
        {
            foreach (var tool in HandlerTools.Of(handlers, services))
            {
                if (!Tools.TryAdd(tool))
                {
                    throw new InvalidOperationException($"The tool '{tool.ProtocolTool.Name}' of {handlers.Name} is there already: a platform has one tool of a name.");
                }
            }

            return this;
        }
    }
}

/// <summary>The names of the platforms that were added.</summary>
internal sealed class PlatformNames(IEnumerable<PlatformRegistration> registrations) : IPlatformNames
{
    public IReadOnlyList<string> Names { get; } = [.. registrations.Select(registration => registration.Name)];
}

using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>The platforms of this server. Each is built once, with all that its handlers have, and shared by its tenants.</summary>
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

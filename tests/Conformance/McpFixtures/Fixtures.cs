using McpFixtures.Handlers;
using Tenancy.Mcp;

namespace McpFixtures;

/// <summary>The platform that has what the conformance suite calls.</summary>
internal sealed class Fixtures : ITenantPlatform<Fixtures>
{
    public static void Define(IPlatformBuilder platform) =>
        platform
            .AddHandlers<ContentTools>()
            .AddHandlers<NotifyingTools>()
            .AddHandlers<AskingTools>()
            .AddHandlers<InputRequiredTools>()
            .AddHandlers<CapabilityTools>()
            .AddHandlers<SchemaTools>()
            .AddHandlers<TaskTools>()
            .AddHandlers<Prompts>()
            .AddHandlers<Resources>();

    public static Task<Fixtures> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) => Task.FromResult(new Fixtures());
}

using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Tenancy;
using Tenancy.Adcp;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds AdCP.</summary>
public static class AdcpTenancyBuilderExtensions
{
    /// <summary>
    /// Lets handlers be AdCP tools: methods with <see cref="AdcpToolAttribute"/>. Every platform gets <c>get_adcp_capabilities</c>. Settings: section
    /// <c>Tenancy:Adcp</c>, see <see cref="AdcpOptions"/>.
    /// </summary>
    public static ITenancyBuilder AddAdcp(this ITenancyBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.AddSettings<AdcpOptions>(AdcpOptions.SectionName)
            .Validate<IHostEnvironment>(
                (options, environment) => !(options.TestMode && environment.IsProduction()),
                "Tenancy:Adcp:TestMode is on, with which anybody with a token can change what was sold: Production runs without it. "
                + "Set it to false.");
        builder.Services.TryAddSingleton<AdcpSerializer>();
        builder.Services.TryAddSingleton<IdempotentCalls>();
        builder.Services.TryAddSingleton<IAccountResolver, SyncedAccounts>();
        builder.Services.TryAddSingleton<CallAccount>();
        return builder.AddHandlers<Capabilities>();
    }
}

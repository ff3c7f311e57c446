using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Tenancy;
using Tenancy.Adcp;
using Tenancy.Configuration;

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
        builder.Services.AddOptions<AdcpOptions>()
            .BindConfiguration(AdcpOptions.SectionName, static binder => binder.ErrorOnUnknownConfiguration = true)
            .Validate<IHostEnvironment, IOptions<TenancyOptions>>(
                static (options, environment, tenancy) => !options.TestMode || DevelopmentValues.AreAllowed(environment, tenancy.Value),
                "Tenancy:Adcp:TestMode is on, with which anybody with a token can change what was sold: everywhere but in Development it is refused. Set it to " +
                "false; in a test stage that is not named Production, Tenancy:AllowDevelopmentValues=true accepts it.")
            .ValidateOnStart();
        builder.Services.TryAddSingleton<AdcpSerializer>();
        builder.Services.TryAddSingleton<IdempotentCalls>();
        builder.Services.TryAddSingleton<IAccountResolver, SyncedAccounts>();
        builder.Services.TryAddSingleton<CallAccount>();
        return builder.AddHandlers<Capabilities>();
    }
}

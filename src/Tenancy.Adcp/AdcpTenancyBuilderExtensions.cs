using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Tenancy;
using Tenancy.Adcp;
using Tenancy.Configuration;
using Tenancy.Resolution;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds AdCP.</summary>
public static class AdcpTenancyBuilderExtensions
{
    /// <summary>
    /// Lets handlers be AdCP tools: methods with <see cref="AdcpToolAttribute"/>. Every platform gets <c>get_adcp_capabilities</c>.
    /// Settings: section <c>Tenancy:Adcp</c>, see <see cref="AdcpOptions"/>.
    /// </summary>
    public static ITenancyBuilder AddAdcp(this ITenancyBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder
            .AddSettings<AdcpOptions>(AdcpOptions.SectionName)
            .Validate<IHostEnvironment, IOptions<TenancyOptions>>(
                static (options, environment, tenancy) => !options.TestMode || tenancy.Value.AcceptDevelopmentValues(environment),
                "Tenancy:Adcp:TestMode is on, with which anybody with a token can change what was sold: everywhere but in Development "
                    + "it is refused. Set it to "
                    + "false; in a test stage that is not named Production, Tenancy:AllowDevelopmentValues=true accepts it."
            );
        builder.Services.TryAddSingleton<AdcpSerializer>();
        builder.Services.TryAddSingleton<IRefusalData, AdcpRefusals>();
        builder.Services.TryAddSingleton<IAccountResolver, SyncedAccounts>();
        builder.Services.TryAddSingleton<CallAccount>();
        return builder.AddHandlers<Capabilities>();
    }

    /// <summary>Lets a class say which accounts a caller has, in place of those that <c>sync_accounts</c> stored.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="create">Makes it; left out where its constructor takes services only.</param>
    /// <remarks>Of several the last counts.</remarks>
    public static ITenancyBuilder AddAccountResolver<TResolver>(
        this ITenancyBuilder builder,
        Func<IServiceProvider, TResolver>? create = null
    )
        where TResolver : class, IAccountResolver
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder
            .Services.RemoveAll<IAccountResolver>()
            .Add(
                create is null
                    ? ServiceDescriptor.Singleton<IAccountResolver, TResolver>()
                    : ServiceDescriptor.Singleton<IAccountResolver, TResolver>(create)
            );
        return builder;
    }
}

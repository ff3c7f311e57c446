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
        builder.Services.TryAddSingleton(services => new AccountBook(services.GetRequiredService<IAccountResolver>()));
        builder.Services.TryAddSingleton<CallAccount>();
        builder.Services.TryAddSingleton(services => new InventoryLists(services));
        builder.Services.TryAddSingleton<IBudgetAuthority, CreditLimits>();
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

    /// <summary>Lets a class say for how much accounts may order, in place of their credit limits.</summary>
    /// <param name="builder">The builder.</param>
    /// <remarks>Of several the last counts. It is made once, from services.</remarks>
    public static ITenancyBuilder AddBudgetAuthority<TAuthority>(this ITenancyBuilder builder)
        where TAuthority : class, IBudgetAuthority
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.RemoveAll<IBudgetAuthority>().AddSingleton<IBudgetAuthority, TAuthority>();
        return builder;
    }

    /// <summary>
    /// Lets a class say what is on buyers' lists of properties and collections; without one, requests that name a list are refused.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="testModeOnly">Whether it is there in test mode only; see <see cref="AdcpOptions.TestMode"/>. Default: false.</param>
    /// <remarks>Of several the last counts. It is made once, from services.</remarks>
    public static ITenancyBuilder AddListResolver<TResolver>(this ITenancyBuilder builder, bool testModeOnly = false)
        where TResolver : class, IListResolver
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton<TResolver>();
        builder.Services.AddSingleton(new AddedListResolver(typeof(TResolver), testModeOnly));
        return builder;
    }
}

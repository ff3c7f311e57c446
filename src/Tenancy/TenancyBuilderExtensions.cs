using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Tenancy;
using Tenancy.Authentication;
using Tenancy.Fleet;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.State;
using Tenancy.Validation;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Puts an application's own classes where a multi-tenant server can be extended. Each is a singleton, with services through its
/// constructor.
/// </summary>
public static class TenancyBuilderExtensions
{
    /// <summary>Lets a class say which tenant a request names, in place of the library's own resolver.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="create">Makes it; left out where its constructor takes services only.</param>
    /// <remarks>
    /// To decide before or after the library's own, let the constructor take a <see cref="TenantResolver"/>. Of several the last counts.
    /// </remarks>
    public static ITenancyBuilder AddTenantResolver<TResolver>(
        this ITenancyBuilder builder,
        Func<IServiceProvider, TResolver>? create = null
    )
        where TResolver : class, ITenantResolver => builder.Replace<ITenantResolver, TResolver>(create);

    /// <summary>Lets a class check the opaque bearer tokens of tenants, in place of those that the admin API issues.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="create">Makes it; left out where its constructor takes services only.</param>
    /// <remarks>Of several the last counts.</remarks>
    public static ITenancyBuilder AddTokenValidator<TValidator>(
        this ITenancyBuilder builder,
        Func<IServiceProvider, TValidator>? create = null
    )
        where TValidator : class, ITokenValidator => builder.Replace<ITokenValidator, TValidator>(create);

    /// <summary>Lets a class say why a request was refused before any handler saw it, in the words of a protocol on top of MCP.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="create">Makes it; left out where its constructor takes services only.</param>
    /// <remarks>Of several the last counts, and any of them takes the place of the one that a protocol's library adds.</remarks>
    public static ITenancyBuilder AddRefusalData<TData>(this ITenancyBuilder builder, Func<IServiceProvider, TData>? create = null)
        where TData : class, IRefusalData => builder.Replace<IRefusalData, TData>(create);

    /// <summary>
    /// Lets a class say whether a tenant can be served, beside the library's own checks and those that were added before.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="create">Makes it; left out where its constructor takes services only.</param>
    public static ITenancyBuilder AddTenantValidator<TValidator>(
        this ITenancyBuilder builder,
        Func<IServiceProvider, TValidator>? create = null
    )
        where TValidator : class, ITenantValidator => builder.Add<ITenantValidator, TValidator>(create);

    /// <summary>Adds a place outside where the truth about tenants is, such as a table of a database.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="create">Makes it; left out where its constructor takes services only.</param>
    /// <remarks>Of two sources that give the same tenant, the one that was added first has it.</remarks>
    public static ITenancyBuilder AddTenantSource<TSource>(this ITenancyBuilder builder, Func<IServiceProvider, TSource>? create = null)
        where TSource : class, ITenantSource => builder.Add<ITenantSource, TSource>(create);

    /// <summary>Tells a class of every change of a tenant.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="create">Makes it; left out where its constructor takes services only.</param>
    public static ITenancyBuilder AddTenantChangeListener<TListener>(
        this ITenancyBuilder builder,
        Func<IServiceProvider, TListener>? create = null
    )
        where TListener : class, ITenantChangeListener => builder.Add<ITenantChangeListener, TListener>(create);

    /// <summary>Says how the keys that tenants' secrets are encrypted with are protected themselves.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">
    /// Sets up Data Protection for this library's own key ring, such as by <c>ProtectKeysWithCertificate</c>. What the application itself
    /// protects is not concerned.
    /// </param>
    /// <remarks>
    /// Without it the keys lie in the store as they are, beside what is encrypted with them: who can read the store can then decrypt it.
    /// </remarks>
    public static ITenancyBuilder ProtectSecretKeys(this ITenancyBuilder builder, Action<IDataProtectionBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.AddSingleton(new SecretProtection(configure));
        return builder;
    }

    private static ITenancyBuilder Add<TService, TImplementation>(
        this ITenancyBuilder builder,
        Func<IServiceProvider, TImplementation>? create
    )
        where TService : class
        where TImplementation : class, TService
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Add(Describe<TService, TImplementation>(create));
        return builder;
    }

    private static ITenancyBuilder Replace<TService, TImplementation>(
        this ITenancyBuilder builder,
        Func<IServiceProvider, TImplementation>? create
    )
        where TService : class
        where TImplementation : class, TService
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.RemoveAll<TService>().Add(Describe<TService, TImplementation>(create));
        return builder;
    }

    private static ServiceDescriptor Describe<TService, TImplementation>(Func<IServiceProvider, TImplementation>? create)
        where TService : class
        where TImplementation : class, TService =>
        create is null
            ? ServiceDescriptor.Singleton<TService, TImplementation>()
            : ServiceDescriptor.Singleton<TService, TImplementation>(create);
}

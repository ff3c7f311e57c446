using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Server;
using Tenancy;
using Tenancy.Admin;
using Tenancy.Admin.Start;
using Tenancy.Administration;
using Tenancy.Audit;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Fleet;
using Tenancy.Mcp;
using Tenancy.Mcp.Direct;
using Tenancy.Mcp.Gate;
using Tenancy.Mcp.Platforms;
using Tenancy.Mcp.Requests;
using Tenancy.Mcp.Sdk;
using Tenancy.Mcp.Sessions;
using Tenancy.Outbound;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.State;
using Tenancy.Validation;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds a multi-tenant MCP server.</summary>
public static class TenancyServiceCollectionExtensions
{
    /// <summary>Adds the services of a multi-tenant MCP server, with the settings of the configuration.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configuration">
    /// The application's configuration: section <c>Tenancy</c> and <c>ConnectionStrings:Redis</c>. It is read only.
    /// </param>
    /// <returns>A builder to which platforms and a store are added.</returns>
    /// <remarks>
    /// <c>MULTI_TENANT_ENABLED</c>, <c>TENANT_IDENTIFICATION</c>, <c>TENANT_ADMIN_API_KEY</c> and <c>PORT</c> are read too: they win over
    /// appsettings; <c>Tenancy__...</c> variables and the command line win over them.
    /// </remarks>
    public static ITenancyBuilder AddTenancy(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.TryAddSingleton(new TenancyConfiguration(configuration));
        return AddTenancy(services);
    }

    /// <summary>Adds the services of a multi-tenant MCP server, with settings in code.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">
    /// Sets what the code decides; the application's configuration is read before it, and what it says of other settings holds.
    /// </param>
    /// <returns>A builder to which platforms and a store are added.</returns>
    public static ITenancyBuilder AddTenancy(this IServiceCollection services, Action<TenancyOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.TryAddSingleton(provider => new TenancyConfiguration(provider.GetService<IConfiguration>() ?? new ConfigurationManager()));
        var builder = AddTenancy(services);
        services.Configure(configure);
        return builder;
    }

    private static TenancyBuilder AddTenancy(IServiceCollection services)
    {
        var builder = new TenancyBuilder(services);
        builder
            .AddSettings<TenancyOptions>(TenancyOptions.SectionName)
            .PostConfigure<IHostEnvironment>((options, host) => options.Validation.AllowLoopback = host.IsDevelopment());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TenancyOptions>, TenancyOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TenancyOptions>, ProxiesValidator>());
        services.TryAddSingleton(TimeProvider.System);
        AddTelemetry(services);
        AddState(services);
        AddRegistry(services);
        AddValidation(services);
        AddResolution(services);
        AddAuthentication(services);
        AddMcp(services);
        AddAdmin(services);
        services.AddHostedService<PortVariable>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, ForwardedRequests>());
        services.TryAddSingleton<PipelineCheck>();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IStartupFilter, PipelineCheck>(provider => provider.GetRequiredService<PipelineCheck>())
        );
        return builder;
    }

    /// <summary>Adds a platform: what tenants that name it can do.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="name">The name that tenants' configurations have. The first platform that is added is the default.</param>
    public static ITenancyBuilder AddPlatform<TPlatform>(this ITenancyBuilder builder, string name)
        where TPlatform : class, ITenantPlatform<TPlatform>
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (builder.Services.Any(service => service.ImplementationInstance is PlatformRegistration other && other.Name == name))
        {
            throw new ArgumentException($"The platform '{name}' is there already: give each its own name.", nameof(name));
        }

        builder.Services.AddSingleton(
            new PlatformRegistration(name, typeof(TPlatform), TPlatform.Define, static async (tenant, cancellationToken) =>
                await TPlatform.CreateAsync(tenant, cancellationToken).ConfigureAwait(false)
            )
        );
        return builder;
    }

    /// <summary>Adds handlers that every platform has.</summary>
    public static ITenancyBuilder AddHandlers<THandlers>(this ITenancyBuilder builder)
        where THandlers : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton(new CommonHandlers(static platform => platform.AddHandlers<THandlers>()));
        return builder;
    }

    /// <summary>Adds a class of settings, read from a section of the configuration.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="section">The section, such as <c>Tenancy:Mine</c>.</param>
    /// <returns>A builder to which further checks may be added.</returns>
    /// <remarks>
    /// <para>
    /// Public properties with a setter are settings: texts, <see cref="bool"/>, <see cref="int"/>, <see cref="long"/>,
    /// <see cref="double"/>, <see cref="TimeSpan"/>, <see cref="Uri"/>, <see cref="IPNetwork"/>, enumerations, lists of these
    /// (<see cref="IReadOnlyList{T}"/>), and classes with such properties, which are sections of their own. A list is taken whole from the
    /// highest source of the configuration that has it.
    /// </para>
    /// <para>
    /// A setting that is unknown or cannot be read stops the start, with its name, its value and the fix. So does a value beyond the bounds
    /// of <see cref="RangeAttribute"/>, <see cref="LengthAttribute"/> (texts) or <see cref="MaxLengthAttribute"/> (lists). The value of a
    /// setting with <see cref="PasswordPropertyTextAttribute"/> is not repeated.
    /// </para>
    /// </remarks>
    public static OptionsBuilder<TOptions> AddSettings<TOptions>(this ITenancyBuilder builder, string section)
        where TOptions : class, new()
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(section);
        var services = builder.Services;
        services.AddSingleton(new SettingsSection(typeof(TOptions), section));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<TOptions>, SettingsBinder<TOptions>>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TOptions>, SettingsBinder<TOptions>>());
        return services.AddOptions<TOptions>().ValidateOnStart();
    }

    private static void AddTelemetry(IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton(provider => new TenancyMetrics(
            provider.GetRequiredService<IMeterFactory>(),
            provider.GetRequiredService<IOptions<TenancyOptions>>().Value.MetricTenants
        ));

        // The SDK logs a caller's mistakes as failures, with stacks, and knows no tenant. What fails is logged here instead, once.
        services.PostConfigure<LoggerFilterOptions>(options =>
        {
            if (!options.Rules.Any(rule => rule.CategoryName == SdkCalls.SdkCategory))
            {
                options.Rules.Add(new LoggerFilterRule(providerName: null, SdkCalls.SdkCategory, LogLevel.None, filter: null));
            }
        });
    }

    private static void AddState(IServiceCollection services)
    {
        services.TryAddSingleton(provider => new RedisConnection(
            provider.GetRequiredService<TenancyConfiguration>(),
            provider.GetRequiredService<IHostEnvironment>(),
            provider.GetRequiredService<IOptions<TenancyOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RedisConnection>>(),
            provider.GetService<IEmbeddedStore>()
        )
        {
            Metrics = provider.GetRequiredService<TenancyMetrics>(),
        });
        services.TryAddSingleton<SecretProtector>();
        services.TryAddSingleton<ITenantStore, RedisTenantStore>();
        services.TryAddSingleton<LocalRateLimiter>();
        services.TryAddSingleton(provider =>
        {
            var limiter = ActivatorUtilities.CreateInstance<RateLimiter>(provider);
            provider.GetRequiredService<TenancyMetrics>().ObserveSlices(() => limiter.Count);
            return limiter;
        });
        services.TryAddSingleton<TouchedSessions>();
        services.TryAddSingleton<StoreDurabilityProbe>();
        services.TryAddSingleton<FleetMessages>();
        services.TryAddSingleton<FleetNodes>();
        services.AddHealthChecks().AddCheck<ReadyCheck>(ReadyCheck.Name);
        services.TryAddSingleton<TenantPurge>();
        services.TryAddSingleton<AuditLog>();
        services.TryAddSingleton<FleetEvents>();
        services.TryAddSingleton<RefusalFeed>();
        services.TryAddSingleton<AuditQueue>();
        services.TryAddSingleton<UsageStore>();
        services.TryAddSingleton<UsageCounts>();
        services.TryAddSingleton<TrafficStore>();
        services.TryAddSingleton<TrafficCounts>();
        services.TryAddSingleton<RefusalCounts>();
        services.TryAddSingleton<CountedRefusals>();
    }

    private static void AddRegistry(IServiceCollection services)
    {
        services.TryAddSingleton<IPlatformNames, PlatformNames>();
        services.TryAddSingleton<PlatformCatalog>();
        services.TryAddSingleton<IPlatformFactory>(provider => provider.GetRequiredService<PlatformCatalog>());
        services.TryAddSingleton<TenantConfigRules>();
        services.TryAddSingleton<TenantProbe>();
        services.TryAddSingleton<TenantChangeNotifier>();
        services.TryAddSingleton(provider => new TenantRegistry(
            provider.GetRequiredService<ITenantStore>(),
            provider.GetRequiredService<TenantProbe>(),
            provider.GetRequiredService<TenantConfigRules>(),
            provider.GetRequiredService<TenantChangeNotifier>(),
            provider.GetRequiredService<IOptions<TenancyOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<TenantRegistry>>(),
            provider.GetRequiredService<TenancyMetrics>()
        ));
        services.TryAddSingleton<RecheckSchedule>();
        services.AddSingleton(provider => new OwnChangeListener(provider.GetRequiredService<RecheckSchedule>()));
        services.AddHostedService<Rechecks>();
        services.TryAddSingleton<TenantPrincipals>();
        services.TryAddSingleton<TenantClients>();
        services.TryAddSingleton<ITenantAdministration, TenantAdministration>();
        services.TryAddSingleton<ConfigurationSeeds>();
        services.AddHostedService<TenantLoader>();
        services.TryAddSingleton<TenantFollower>();
        services.AddHostedService<NodeBeat>();
        services.TryAddSingleton<ServingTime>();
        services.TryAddSingleton<NodeDrain>();
        services.AddHostedService(provider => provider.GetRequiredService<NodeDrain>());
        services.TryAddSingleton<UsageWriter>();
        services.AddHostedService(provider => provider.GetRequiredService<UsageWriter>());
        services.TryAddSingleton<TrafficWriter>();
        services.AddHostedService(provider => provider.GetRequiredService<TrafficWriter>());
        services.TryAddSingleton<AuditWriter>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditWriter>());
        services.TryAddSingleton<UnfinishedTenants>();
        services.AddHostedService(provider => provider.GetRequiredService<UnfinishedTenants>());
    }

    private static void AddValidation(IServiceCollection services)
    {
        services.TryAddSingleton<NameLookups>();
        services.TryAddSingleton<GuardedHttp>();
        services.TryAddSingleton<IssuerMetadata>();
        services.TryAddSingleton<ClientMetadata>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ITenantValidator, JwksValidator>());
    }

    private static void AddResolution(IServiceCollection services)
    {
        services.TryAddSingleton<BoundAddresses>();
        services.TryAddSingleton<AllowedHosts>();
        services.TryAddSingleton<RefusedHosts>();
        services.TryAddSingleton<AllowedOrigins>();
        services.TryAddSingleton<UnreadBodies>();
        services.TryAddSingleton<NamingHint>();
        services.TryAddSingleton<ProtectedResource>();
        services.TryAddSingleton<McpRefusals>();
        services.TryAddSingleton<MisplacedMessages>();
        services.TryAddSingleton<BearerChallenge>();
        services.TryAddSingleton<TokenTenants>();
        services.AddSingleton(provider => new OwnChangeListener(provider.GetRequiredService<TokenTenants>()));
        services.TryAddSingleton(provider => new TenantResolver(
            provider.GetRequiredService<TenantRegistry>(),
            provider.GetRequiredService<AllowedHosts>(),
            provider.GetRequiredService<TokenTenants>(),
            provider.GetRequiredService<IOptions<TenancyOptions>>()
        ));
        services.TryAddSingleton<ITenantResolver>(provider => provider.GetRequiredService<TenantResolver>());
    }

    private static void AddAuthentication(IServiceCollection services)
    {
        services.TryAddSingleton<PrincipalCache>();
        services.TryAddSingleton<Revocations>();
        services.AddHostedService(provider => provider.GetRequiredService<Revocations>());
        services.TryAddSingleton<StandingCallers>();
        services.TryAddSingleton<ITokenValidator, StoredTokenValidator>();
        services.TryAddSingleton<FailedChecks>();
        services.TryAddSingleton<GoodTokens>();
        services.TryAddSingleton<KnownCallers>();
        services.TryAddSingleton<TenantJwts>();
        services.TryAddSingleton<ICheckedKeys>(provider => provider.GetRequiredService<TenantJwts>());
        services.AddSingleton(provider => new OwnChangeListener(provider.GetRequiredService<TenantJwts>()));
        services.TryAddSingleton<ClientClaims>();
        services.TryAddSingleton<ClientCache>();
        services.TryAddSingleton<TokenRefusals>();
        services.AddSingleton(provider => new OwnChangeListener(provider.GetRequiredService<TokenRefusals>()));
        services.TryAddSingleton<TokenExplainer>();
        services.AddAuthorization();
        services
            .AddAuthentication(TenantSchemes.Default)
            .AddPolicyScheme(TenantSchemes.Default, displayName: null, options => options.ForwardDefaultSelector = TenantSchemes.Select)
            .AddScheme<AuthenticationSchemeOptions, TenantBearerHandler>(TenantSchemes.Bearer, configureOptions: null)
            .AddScheme<AuthenticationSchemeOptions, TenantJwtHandler>(TenantSchemes.Jwks, configureOptions: null)
            .AddScheme<AuthenticationSchemeOptions, TenantSchemeHandler>(TenantSchemes.Scheme, configureOptions: null)
            .AddScheme<AuthenticationSchemeOptions, TenantNoneHandler>(TenantSchemes.None, configureOptions: null);
    }

    private static void AddAdmin(IServiceCollection services)
    {
        AdminOpenApi.Add(services);
        services.TryAddSingleton<StartPage>();
        services.TryAddSingleton<AdminKeys>();
        services.TryAddSingleton<AdminLimits>();
        services.TryAddSingleton<AdminAnswers>();
        services.TryAddSingleton<EventWakes>();
        services.AddSingleton(provider => new OwnChangeListener(provider.GetRequiredService<EventWakes>()));
        services.TryAddSingleton<EventFeed>();
        services.TryAddSingleton<EventStreams>();
        services
            .AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, AdminKeyHandler>(TenantAdminDefaults.AuthenticationScheme, configureOptions: null);

        // Last, so that a policy of the application's own stays.
        services
            .AddOptions<AuthorizationOptions>()
            .PostConfigure(options =>
            {
                if (options.GetPolicy(TenantAdminDefaults.Policy) is null)
                {
                    options.AddPolicy(TenantAdminDefaults.Policy, policy =>
                        policy.AddAuthenticationSchemes(TenantAdminDefaults.AuthenticationScheme).RequireAuthenticatedUser()
                    );
                }
            });
    }

    private static void AddMcp(IServiceCollection services)
    {
        services.AddHybridCache();
        services.TryAddSingleton(provider => new TenantScopes(
            provider.GetRequiredService<TenantRegistry>(),
            provider.GetRequiredService<ToolContextFactory>(),
            provider.GetRequiredService<AuditQueue>(),
            provider.GetRequiredService<ILogger<TenantScopes>>()
        ));
        services.TryAddSingleton(provider => new KeyedCalls(
            provider.GetRequiredService<RedisConnection>(),
            provider.GetRequiredService<ClaimedCalls>(),
            provider.GetRequiredService<StoreDurabilityProbe>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<IOptions<TenancyOptions>>().Value.Usage,
            provider.GetRequiredService<ILogger<KeyedCalls>>()
        ));
        services.TryAddSingleton<AnonymousAccess>();
        services.TryAddSingleton<CallerRights>();
        services.TryAddSingleton<ToolContextFactory>();
        services.TryAddSingleton<CallStarter>();
        services.TryAddSingleton<ClaimedCalls>();
        services.AddHostedService(provider => provider.GetRequiredService<ClaimedCalls>());
        services.TryAddSingleton<ConcurrentCalls>();
        services.AddSingleton(provider => new OwnChangeListener(provider.GetRequiredService<ConcurrentCalls>()));
        services.TryAddScoped<CurrentCall>();
        services.TryAddScoped(provider =>
            provider.GetRequiredService<CurrentCall>().Call?.Context
            ?? throw new InvalidOperationException("There is a ToolContext during a call of a tool, prompt or resource only.")
        );
        services.TryAddSingleton<OpenSessions>();
        services.TryAddSingleton<IKnownSessions>(provider => provider.GetRequiredService<OpenSessions>());
        services.AddSingleton(provider => new OwnChangeListener(provider.GetRequiredService<OpenSessions>()));
        services.TryAddSingleton<SessionGuard>();
        services.TryAddSingleton<SessionEnds>();
        services.AddHostedService(provider => provider.GetRequiredService<SessionEnds>());
        services.TryAddSingleton<ISessionMigrationHandler, SdkSessions>();
        services.TryAddSingleton<OpenStreams>();
        services.AddSingleton(provider => new OwnChangeListener(provider.GetRequiredService<OpenStreams>()));
        services.TryAddSingleton<SessionStreams>();
        services.TryAddSingleton<CallsUnderWay>();
        services.AddHostedService(provider => provider.GetRequiredService<CallsUnderWay>());
        services.TryAddSingleton<SessionMessages>();
        services.TryAddSingleton<TenantServerOptions>();
        services.TryAddSingleton<Deliveries>();
        services.AddHostedService(provider => provider.GetRequiredService<Deliveries>());
        services.TryAddSingleton<SdkInbox>();
        services.TryAddSingleton<LogLevels>();
        services.AddHostedService<FleetInbox>();
        services.TryAddSingleton<StaleSessions>();
        services.TryAddSingleton<McpGate>();
        services.TryAddSingleton<RequestJudge>();
        services.TryAddSingleton<GateRefusals>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, OAuthPlacePolicy>());
        services.TryAddSingleton<BodyReader>();
        services.TryAddSingleton<BodyBudgets>();
        services.AddSingleton(provider => new OwnChangeListener(provider.GetRequiredService<BodyBudgets>()));
        services.TryAddSingleton<RequestLimits>();
        services.TryAddSingleton<DirectConditions>();
        services.TryAddSingleton<Heartbeats>();
        services.TryAddSingleton<DirectPath>();
        services.TryAddSingleton<StatelessEndpoint>();
        services.TryAddSingleton<SdkPath>();
        services.TryAddSingleton<SdkCalls>();
        services.TryAddSingleton<IToolCalls>(provider => provider.GetRequiredService<SdkCalls>());
        services.AddSingleton<IPostConfigureOptions<McpServerOptions>>(provider => provider.GetRequiredService<SdkCalls>());
        services
            .AddOptions<McpServerOptions>()
            .Configure<AnonymousAccess>(
                (options, access) => options.Filters.Request.ListToolsFilters.Add(new ToolListFilter(access).Filter)
            );
        services.AddOptions<McpServerOptions>().Configure(SessionlessCapabilities.Declare);
        services.AddOptions<McpServerOptions>().PostConfigure<PlatformCatalog>((options, platforms) => platforms.SetHeaderTools(options));
        services
            .AddOptions<HttpServerTransportOptions>()
            .Configure<TenantServerOptions>((options, tenants) => options.ConfigureSessionOptions = tenants.ConfigureAsync)
            .ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<HttpServerTransportOptions>, TransportOptionsValidator>());
        services
            .AddMcpServer()
            .WithHttpTransport(options =>
            {
                // Clients before 2026-07-28 have sessions, later ones have none, at one URL.
                options.SessionMode = HttpServerSessionMode.StatefulForInitializeClients;
                options.IdleTimeout = SessionStore.Lifetime;

                // An idle session takes 13.7 KB of the SDK's memory. How many a tenant may have is bounded by its quota in the store, and
                // not by this: a session that the SDK drops from memory is restored from the store at its next request.
                options.MaxIdleSessionCount = 10_000;
            });
    }
}

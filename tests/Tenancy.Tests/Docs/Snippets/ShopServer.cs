using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Admin;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Tests.Docs.Snippets;

/// <summary>A server with everything that docs/customise.md shows.</summary>
internal static class ShopServer
{
    public static WebApplication Build(WebApplicationBuilder builder)
    {
        builder
            .Services.AddTenancy(builder.Configuration)
            .AddEmbeddedStore()
            .AddAdcp()
            .AddPlatform<Shop>("shop")
            .AddPlatform<Newspaper>("newspaper")
            .AddHandlers<TextTools>()
            .AddHandlers<OnceTools>()
            .AddTenantResolver<PartnerResolver>()
            .AddTokenValidator<KeyCards>()
            .AddRefusalData<ShopRefusals>()
            .AddTenantValidator<GreetingValidator>()
            .AddTenantSource<CityTenants>()
            .AddAccountResolver<OneAccountEach>()
            .AddTenantChangeListener(services => services.GetRequiredService<ChangeCounter>());

        // What the classes above, and handlers, ask for in their constructors.
        builder.Services.AddSingleton<ChangeCounter>();
        builder.Services.AddSingleton<NoteCleaner>();
        builder.Services.AddSingleton<ShopOpener>();

        var app = builder.Build();
        app.UseTenancy();
        app.MapTenantMcp();
        app.MapTenantAdmin();
        app.MapTenantHealth();
        app.MapGet("/{tenant}/sign", (HttpContext context) => context.GetTenant().Config.Name).RequireTenant();

        // The URL of the tenant that was called; null where the tenant was named otherwise.
        app.MapGet("/{tenant}/address", (HttpContext context) => $"{context.Features.Get<ITenantFeature>()!.Url}").RequireTenant();
        app.MapGet("/shops", (TenantRegistry shops) => shops.Count).RequireAuthorization(TenantAdminDefaults.Policy);
        return app;
    }

    /// <summary>Sets in code what the section Tenancy of the configuration sets otherwise.</summary>
    public static void AddInCode(IServiceCollection services)
    {
        services.AddTenancy(options => options.PublicUrl = "https://agents.example.com");
    }

    /// <summary>Reads the shop's own settings.</summary>
    public static void AddSettings(ITenancyBuilder tenancy)
    {
        tenancy.AddSettings<ShopOptions>("Shop");
    }

    /// <summary>Protects the keys of secrets by a certificate that every node has. What a former one protects can be read, too.</summary>
    public static void ProtectKeys(ITenancyBuilder tenancy, X509Certificate2 certificate, X509Certificate2[] former)
    {
        tenancy.ProtectSecretKeys(keys =>
        {
            keys.ProtectKeysWithCertificate(certificate);
            keys.UnprotectKeysWithAnyCertificate([certificate, .. former]);
        });
    }

    /// <summary>Lets a filter of the application's own see every call.</summary>
    public static void AddFilter(IServiceCollection services, Action<string> called)
    {
        services
            .AddOptions<McpServerOptions>()
            .Configure(options =>
                options.Filters.Request.CallToolFilters.Add(next =>
                    (request, cancellationToken) =>
                    {
                        called(request.Params.Name);
                        return next(request, cancellationToken);
                    }
                )
            );
    }
}

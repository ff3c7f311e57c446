using System.Globalization;
using System.Text.Json;
using Adcp_TenantServer;
using Adcp_TenantServer.Inventory;
using Adcp_TenantServer.Selling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.AspNetCore;
using Tenancy.Adcp;
using Tenancy.Authentication;
using Tenancy.Fleet;
using Tenancy.Mcp.Gate;
using Tenancy.Mcp.Requests;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Validation;

namespace Tenancy.Benchmarks.Load;

/// <summary>The server of one cell, in a process of its own, as it would be in production.</summary>
internal static class LoadServer
{
    /// <summary>
    /// Serves until its input ends. It writes its address, and a line of what it has used so far for each line that it reads.
    /// </summary>
    public static async Task RunAsync(Cell cell, int tenants, string redis, string issuer)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app =
            cell.IsEndpoint ? BuildEndpoint(builder)
            : cell.Authentication is null ? BuildBare(builder, cell)
            : BuildTenancy(builder, cell, tenants, redis, issuer);
        await app.StartAsync();
        while (app.Services.GetService<TenantRegistry>() is { } registry && registry.Count < tenants)
        {
            // A start does not wait for all of many.
            await Task.Delay(50);
        }

        await Console.Out.WriteLineAsync(app.Urls.First());
        while (await Console.In.ReadLineAsync() is not null)
        {
            await Console.Out.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Environment.CpuUsage.TotalTime.Ticks} {GC.GetTotalAllocatedBytes(precise: true)}"
                )
            );
        }
    }

    private static WebApplication BuildEndpoint(WebApplicationBuilder builder)
    {
        var app = builder.Build();
        app.MapPost("/{tenant}/mcp", ProductsEndpoint.AnswerAsync);
        return app;
    }

    private static WebApplication BuildBare(WebApplicationBuilder builder, Cell cell)
    {
        var mcp = builder.Services.AddMcpServer();
        _ = cell.HasSession
            ? mcp.WithHttpTransport(options => options.SessionMode = HttpServerSessionMode.StatefulForInitializeClients)
            : mcp.WithHttpTransport();
        _ =
            cell.Tool == LoadTool.GetProducts
                ? mcp.WithTools<ProductTools>(new JsonSerializerOptions(ProductsJson.Default.Options))
                : mcp.WithTools<QuoteTools>();
        var app = builder.Build();
        app.MapMcp("/{tenant}/mcp");
        return app;
    }

    private static WebApplication BuildTenancy(WebApplicationBuilder builder, Cell cell, int tenants, string redis, string issuer)
    {
        if (cell.Tool == LoadTool.GetProducts)
        {
            // What the scaffold ships with; its build lays it beside this program.
            builder.Configuration.AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: false);
        }

        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?>
            {
                ["ConnectionStrings:Redis"] = redis,
                ["Tenancy:BaseDomain"] = LoadTenants.BaseDomain,
                ["Tenancy:AcceptEmbeddedStore"] = "true",

                // The issuer is on loopback.
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
                ["Tenancy:Validation:AllowHttp"] = "true",
            }
        );
        var tenancy = builder.Services.AddTenancy(builder.Configuration).AddEmbeddedStore();
        _ = cell.Tool switch
        {
            LoadTool.GetProducts => AddScaffold(tenancy),
            LoadTool.CreateMediaBuy => AddWriter(tenancy),
            _ => tenancy.AddPlatform<QuotePlatform>("quote"),
        };
        if (!cell.IsLimited)
        {
            builder.Services.AddSingleton<RequestLimits, NoLimits>();
        }

        // 100,000 tenants are there in seconds: nothing is stored of them, and nobody asks their issuer.
        builder.Services.AddSingleton<ITenantStore>(services => new NoStore(ActivatorUtilities.CreateInstance<RedisTenantStore>(services)));
        builder.Services.RemoveAll<ITenantValidator>();
        builder.Services.AddSingleton<ITenantSource>(new LoadTenants(cell, tenants, issuer));
        var app = builder.Build();
        app.UseTenancy();
        app.MapTenantMcp();
        if (cell.Tool == LoadTool.GetProducts)
        {
            app.MapTenantAdmin();
            app.MapTenantHealth();
        }

        return app;
    }

    // As in the scaffold's Program.cs.
    private static ITenancyBuilder AddScaffold(ITenancyBuilder tenancy)
    {
        tenancy
            .AddListResolver<TestLists>(testModeOnly: true)
            .Services.AddScoped<Catalog>()
            .AddScoped<FormatList>()
            .AddScoped<CreativeLibrary>()
            .AddScoped<Terms>()
            .AddScoped<Order>()
            .AddScoped<Change>()
            .AddScoped<TestFixtures>()
            .AddScoped<TestStates>();
        return tenancy.AddAdcp().AddPlatform<Publisher>("publisher").AddPlatform<Retailer>("retailer");
    }

    private static ITenancyBuilder AddWriter(ITenancyBuilder tenancy)
    {
        tenancy.Services.AddSingleton<IAccountResolver, AnyAccount>();
        return tenancy.AddAdcp().AddPlatform<BuyPlatform>("buy");
    }

    private sealed class NoLimits(RateLimiter limiter, TrafficCounts traffic) : RequestLimits(limiter, traffic)
    {
        private static readonly RateLimitResult Allowed = new(true, RateLimit.Tenant(1), 1, TimeSpan.Zero, TimeSpan.Zero);

        public override ValueTask<RateLimitResult> AcquireAsync(McpRequest request) => new(Allowed);
    }
}

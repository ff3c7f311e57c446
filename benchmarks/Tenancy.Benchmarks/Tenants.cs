using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.Registry;

namespace Tenancy.Benchmarks;

/// <summary>Tenants with a host of their own and a path at a shared host, in a registry as a server has it, but for the store.</summary>
internal sealed class Tenants : IDisposable
{
    public const string ServerHost = "agents.example.com";
    public const string SharedHost = "shared.example.com";
    private readonly ServiceProvider _services;

    public Tenants()
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>("Tenancy:BaseDomain", ServerHost)]);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddSingleton<IHostEnvironment>(new HostingEnvironment { EnvironmentName = "Production" });
        services.AddSingleton<Microsoft.AspNetCore.Hosting.Server.IServer, NoServer>();
        services.AddTenancy(configuration).AddPlatform<BenchmarkPlatform>("benchmark");
        services.Replace(ServiceDescriptor.Singleton<ITenantStore, NoStore>());
        _services = services.BuildServiceProvider();
        Registry = _services.GetRequiredService<TenantRegistry>();
    }

    public TenantRegistry Registry { get; }

    public IServiceProvider Services => _services;

    public static string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"tenant-{number:000000}");

    public static string Host(int number) => Id(number) + ".example.com";

    public static string Path(int number) => "/shops/" + Id(number);

    public static TenantConfig Config(int number) =>
        new() { Id = Id(number), Urls = ["https://" + Host(number), $"https://{SharedHost}{Path(number)}"] };

    public async Task RegisterAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var beginning = new TenantBeginning(Config(i), TenantOrigin.Admin);
            await Registry.Changes.RegisterAsync(beginning, awaitFirstValidation: false, TenantCreation.New, CancellationToken.None);
        }
    }

    public void Dispose() => _services.Dispose();

    private sealed class NoServer : Microsoft.AspNetCore.Hosting.Server.IServer
    {
        public Microsoft.AspNetCore.Http.Features.IFeatureCollection Features { get; } =
            new Microsoft.AspNetCore.Http.Features.FeatureCollection();

        public Task StartAsync<TContext>(
            Microsoft.AspNetCore.Hosting.Server.IHttpApplication<TContext> application,
            CancellationToken cancellationToken
        )
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
            // Nothing was started.
        }
    }
}

internal sealed class BenchmarkPlatform : ITenantPlatform<BenchmarkPlatform>
{
    public static void Define(IPlatformBuilder platform)
    {
        // No request gets as far as a tool here.
    }

    public static Task<BenchmarkPlatform> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        Task.FromResult(new BenchmarkPlatform());
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;
using Tenancy.Validation;

namespace Tenancy.Tests.Registry;

/// <summary>A registry on a real store, without requests.</summary>
internal sealed class RegistryHost : IAsyncDisposable
{
    private readonly IHost _host;

    private RegistryHost(IHost host, FakeTimeProvider time)
    {
        _host = host;
        Time = time;
        Registry = host.Services.GetRequiredService<TenantRegistry>();
    }

    public TenantRegistry Registry { get; }

    public FakeTimeProvider Time { get; }

    public IServiceProvider Services => _host.Services;

    /// <param name="validator">The user's validator; none where it is left out.</param>
    /// <param name="redis">The store; an embedded one where it is left out.</param>
    /// <param name="settings">Settings beside the defaults.</param>
    /// <param name="services">Further services.</param>
    /// <param name="time">The clock; a new one where it is left out.</param>
    /// <param name="start">Whether to start what runs in the background: loading and the recheck schedule.</param>
    public static async Task<RegistryHost> CreateAsync(
        ITenantValidator? validator = null,
        RedisServer? redis = null,
        Dictionary<string, string?>? settings = null,
        Action<IServiceCollection>? services = null,
        FakeTimeProvider? time = null,
        bool start = false
    )
    {
        time ??= new FakeTimeProvider(DateTimeOffset.UtcNow);
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = "Development", ApplicationName = typeof(RegistryHost).Assembly.GetName().Name }
        );
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        if (redis is not null)
        {
            builder.Configuration.AddInMemoryCollection([
                KeyValuePair.Create<string, string?>("ConnectionStrings:Redis", redis.ConnectionString + RedisServer.Patience),
            ]);
        }

        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(TestLog.Provider);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder
            .Services.AddTenancy(builder.Configuration)
            .AddEmbeddedStore()
            .AddAdcp()
            .AddPlatform<TestPublisher>("publisher")
            .AddPlatform<TestRetailer>("retailer");
        if (validator is not null)
        {
            builder.Services.AddSingleton(validator);
        }

        services?.Invoke(builder.Services);
        var host = builder.Build();
        if (start)
        {
            await host.StartAsync();
        }

        return new(host, time);
    }

    public static TenantConfig Config(string id, string? product = null, string? fail = null, params string[] urls) =>
        new()
        {
            Id = id,
            Platform = "publisher",
            Urls = urls,
            Settings = System.Text.Json.JsonSerializer.SerializeToElement(
                new { product = product ?? id, fail },
                System.Text.Json.JsonSerializerOptions.Web
            ),
        };

    public TenantModel Model(string id) => Registry.Get(id) ?? throw new InvalidOperationException($"no tenant {id}");

    public static TestPlatform Platform(TenantModel model) => (TestPlatform)((McpPlatformInstance)model.Platform!).Instance;

    public async ValueTask DisposeAsync()
    {
        await Registry.Checks.FlushAsync();
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }
}

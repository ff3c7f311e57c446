using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tenancy.Adcp;
using Tenancy.Registry;

namespace Tenancy.Tests.Hosting;

/// <summary>A server on real Kestrel with tenants <c>acme</c> and <c>globex</c>, whose platforms have different products.</summary>
internal sealed class TenancyServer : IAsyncDisposable
{
    public const string AdminKey = "dev-admin-key";

    private readonly RedisServer? _redis;
    private readonly bool _ownsRedis;

    private TenancyServer(WebApplication app, RedisServer? redis, bool ownsRedis)
    {
        App = app;
        _redis = redis;
        _ownsRedis = ownsRedis;
        Port = new Uri(app.Urls.First()).Port;
        Client = NewClient();
    }

    public WebApplication App { get; }

    public IServiceProvider Services => App.Services;

    public int Port { get; }

    public HttpClient Client { get; }

    /// <summary>Two tenants, seeded as a scaffolded server has them.</summary>
    public static Dictionary<string, string?> DefaultSettings { get; } =
        new()
        {
            ["Tenancy:BaseDomain"] = "localhost",
            ["Tenancy:Admin:Keys:0"] = AdminKey,
            ["Tenancy:AnonymousTools:0"] = "get_products",
            ["Tenancy:Tenants:0:id"] = "acme",
            ["Tenancy:Tenants:0:platform"] = "publisher",
            ["Tenancy:Tenants:0:urls:0"] = "https://acme.example.com",
            ["Tenancy:Tenants:0:settings:product"] = "acme-banner",
            ["Tenancy:Tenants:0:principals:0:name"] = "buyer",
            ["Tenancy:Tenants:0:principals:0:token"] = "acme.dev-buyer",
            ["Tenancy:Tenants:1:id"] = "globex",
            ["Tenancy:Tenants:1:platform"] = "retailer",
            ["Tenancy:Tenants:1:urls:0"] = "https://shared.example.com/shops/globex",
            ["Tenancy:Tenants:1:settings:product"] = "globex-shelf",
            ["Tenancy:Tenants:1:principals:0:name"] = "buyer",
            ["Tenancy:Tenants:1:principals:0:token"] = "globex.dev-buyer",
        };

    public static async Task<TenancyServer> StartAsync(
        StoreKind store = StoreKind.Embedded,
        IDictionary<string, string?>? settings = null,
        string environment = "Development",
        Action<IServiceCollection>? services = null,
        Action<WebApplication>? endpoints = null,
        RedisServer? redis = null,
        Action<IConfigurationBuilder>? configuration = null,
        Action<IEndpointConventionBuilder>? mcp = null
    )
    {
        var ownsRedis = store == StoreKind.Redis && redis is null;
        if (ownsRedis)
        {
            redis = await RedisServer.StartAsync();
        }

        var app = Build(settings ?? DefaultSettings, environment, services, redis, configuration, mcp);
        endpoints?.Invoke(app);
        try
        {
            await app.StartAsync();
            if (redis is null)
            {
                // On a busy machine the embedded store may answer too late at first; the server then loads its tenants a moment after it
                // started.
                await Poll.UntilAsync(() => Task.FromResult(app.Services.GetRequiredService<TenantRegistry>().IsLoaded));
            }
        }
        catch
        {
            await app.DisposeAsync();
            if (ownsRedis)
            {
                await redis!.DisposeAsync();
            }

            throw;
        }

        return new(app, redis, ownsRedis);
    }

    public static WebApplication Build(
        IDictionary<string, string?> settings,
        string environment = "Development",
        Action<IServiceCollection>? services = null,
        RedisServer? redis = null,
        Action<IConfigurationBuilder>? configuration = null,
        Action<IEndpointConventionBuilder>? mcp = null
    )
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = environment, ApplicationName = typeof(TenancyServer).Assembly.GetName().Name }
        );
        builder.Configuration.AddInMemoryCollection(settings);
        if (redis is not null)
        {
            builder.Configuration.AddInMemoryCollection([
                KeyValuePair.Create<string, string?>("ConnectionStrings:Redis", redis.ConnectionString + RedisServer.Patience),
            ]);
        }

        configuration?.Invoke(builder.Configuration);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(TestLog.Provider);
        builder
            .Services.AddTenancy(builder.Configuration)
            .AddEmbeddedStore()
            .AddAdcp()
            .AddPlatform<TestPublisher>("publisher")
            .AddPlatform<TestRetailer>("retailer");
        builder.Services.AddSingleton<IAccountResolver, OneAccount>();
        services?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseTenancy();
        var endpoints = app.MapTenantMcp();
        mcp?.Invoke(endpoints);
        app.MapTenantAdmin();
        app.MapTenantHealth();
        return app;
    }

    /// <summary>A client that reaches this server by any host name, as DNS would make it.</summary>
    public HttpClient NewClient() =>
        new(
            new SocketsHttpHandler
            {
                UseProxy = false,
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            }
        )
        {
            BaseAddress = new Uri($"http://127.0.0.1:{Port}"),
        };

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.DisposeAsync();
        if (_ownsRedis)
        {
            await _redis!.DisposeAsync();
        }
    }
}

using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Server;
using Tenancy.Configuration;
using Tenancy.Fleet;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>What hangs while the server starts costs only its own tenants.</summary>
[Tier(Tier.Process)]
public sealed class SlowStartTests
{
    // More than are built at once.
    private const int Hanging = 20;
    private const int BuiltAtOnce = 16;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_platform_that_hangs_at_the_start_keeps_no_other_tenant_from_being_served(bool blocksItsThread)
    {
        await using var redis = await RedisServer.StartAsync();
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings);
        for (var i = 0; i < Hanging; i++)
        {
            settings[$"Tenancy:Tenants:{2 + i}:id"] = $"hanging-{i}";
            settings[$"Tenancy:Tenants:{2 + i}:platform"] = "hanging";
        }

        await using (
            var before = await TenancyServer.StartAsync(redis: redis, settings: settings, services: services =>
                AddPlatform(services, () => Task.CompletedTask)
            )
        )
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(before, "hanging-0"));
        }

        using var gate = new SlowTools.Gate();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var starting = TenancyServer.StartAsync(redis: redis, settings: settings, services: services =>
        {
            services.AddSingleton<TimeProvider>(clock);
            AddPlatform(services, async () =>
            {
                var entered = gate.EnterAsync(CancellationToken.None);
                if (blocksItsThread)
                {
                    entered.Wait();
                }

                await entered;
            });
        });

        // An ordinary start is complete before the server listens, so that it waits for them, and they for each other, but not for long.
        await gate.WaitForAsync(BuiltAtOnce);
        Assert.False(starting.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        await gate.WaitForAsync(Hanging - BuiltAtOnce);
        clock.Advance(TimeSpan.FromSeconds(5));

        await using var server = await starting.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await AssertUpAsync(server);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(server, "hanging-0"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, "nobody"));

        gate.Open();
        await Poll.UntilAsync(async () => await StatusAsync(server, "hanging-0") == HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_stored_tenant_that_is_changed_while_its_platform_is_built_gets_one_nevertheless()
    {
        await using var redis = await RedisServer.StartAsync();
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:2:id"] = "hanging-0",
            ["Tenancy:Tenants:2:platform"] = "hanging",
        };
        await using (
            await TenancyServer.StartAsync(redis: redis, settings: settings, services: services =>
                AddPlatform(services, () => Task.CompletedTask)
            )
        )
        {
            // Stores the tenants, with the health that they have.
        }

        using var gate = new SlowTools.Gate();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var starting = TenancyServer.StartAsync(redis: redis, settings: settings, services: services =>
        {
            services.AddSingleton<TimeProvider>(clock);
            AddPlatform(services, () => gate.EnterAsync(CancellationToken.None));
        });
        await gate.WaitForAsync(1);
        clock.Advance(TimeSpan.FromSeconds(5));
        await using var server = await starting.WaitAsync(TimeSpan.FromSeconds(20), Token);
        using (var renamed = await server.AdminAsync(HttpMethod.Patch, "/hanging-0", """{"name":"another"}"""))
        {
            Assert.Equal(HttpStatusCode.OK, renamed.StatusCode);
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(server, "hanging-0"));
        gate.Open();
        await Poll.UntilAsync(async () => await StatusAsync(server, "hanging-0") == HttpStatusCode.OK);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_source_that_never_gives_anything_keeps_no_tenant_from_being_served(bool blocksItsThread)
    {
        using var hanging = new HangingSource(blocksItsThread);
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var starting = TenancyServer.StartAsync(services: services =>
            services.AddSingleton<TimeProvider>(clock).AddSingleton<ITenantSource>(hanging).AddSingleton<ITenantSource, QuickSource>()
        );
        await hanging.Entered.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.False(starting.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(5));

        await using var server = await starting.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await AssertUpAsync(server);
        await Poll.UntilAsync(async () => await StatusAsync(server, "quick") == HttpStatusCode.OK);

        // It may yet be one of the source's.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(server, "nobody"));
    }

    private static void AddPlatform(IServiceCollection services, Func<Task> build) =>
        services.AddSingleton(
            new PlatformRegistration(
                "hanging",
                typeof(object),
                platform => platform.AddHandlers<Handlers>(),
                async (_, _) =>
                {
                    await build();
                    return new object();
                }
            )
        );

    private static async Task AssertUpAsync(TenancyServer server)
    {
        using var live = await server.Client.GetAsync("/health/live", Token);
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        await Poll.UntilAsync(async () => await StatusAsync(server, "acme") == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "globex"));
        using var ready = await server.Client.GetAsync("/health/ready", Token);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
    }

    private static async Task<HttpStatusCode> StatusAsync(TenancyServer server, string tenant)
    {
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token: null, McpCalls.Call("get_products"));
        using var response = await server.Client.SendAsync(request, Token);
        return response.StatusCode;
    }

    private sealed class Handlers
    {
        [McpServerTool(Name = "get_products")]
        public static string Get() => "none";
    }

    private sealed class HangingSource(bool blocksItsThread) : ITenantSource, IDisposable
    {
        private readonly ManualResetEventSlim _never = new();

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async IAsyncEnumerable<TenantRegistration> LoadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Entered.TrySetResult();
            if (blocksItsThread)
            {
                _never.Wait(cancellationToken);
            }

            await Task.Delay(Timeout.Infinite, cancellationToken);
            yield break;
        }

        public Task WaitForChangeAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);

        public void Dispose() => _never.Dispose();
    }

    private sealed class QuickSource : ITenantSource
    {
        public async IAsyncEnumerable<TenantRegistration> LoadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            yield return new()
            {
                Tenant = new() { Id = "quick", Platform = "publisher" },
            };
        }

        public Task WaitForChangeAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);
    }
}

using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;
using Tenancy.Validation;

namespace Tenancy.Tests.Registry;

/// <summary>
/// An application's code that blocks a thread costs its own tenant alone: no lock is held while it runs, and no thread that others need.
/// </summary>
[Tier(Tier.Server)]
public sealed class ForeignCodeTests : IDisposable
{
    /// <summary>More than anything takes here that is not held up.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private static readonly TenantId Acme = TenantId.Parse("acme");

    private readonly Gate _gate = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _gate.Open();

    [Fact]
    public async Task A_validator_that_blocks_as_it_is_told_to_end_holds_up_no_change_of_another_tenant()
    {
        var validator = new Validator(
            async (tenant, cancellationToken) =>
            {
                if (tenant.Id == "acme")
                {
                    var ended = new TaskCompletionSource();
                    using var registration = cancellationToken.Register(() =>
                    {
                        _gate.Block();
                        ended.TrySetResult();
                    });
                    _gate.Reached.TrySetResult();
                    await ended.Task;
                }

                return GatedValidator.Valid;
            }
        );
        await using var host = await RegistryHost.CreateAsync(validator);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        await _gate.Reached.Task.WaitAsync(Soon, Token);

        // The removal itself does not wait for it, either.
        await Task.Run(() => host.Registry.UnregisterAsync(Acme, Token)).WaitAsync(Soon, Token);
        await _gate.Blocked.Task.WaitAsync(Soon, Token);
        var status = await Task.Run(() => host.Registry.RegisterAsync(RegistryHost.Config("globex"), cancellationToken: Token))
            .WaitAsync(Soon, Token);
        Assert.Equal(TenantHealth.Healthy, status.Health);
    }

    [Fact]
    public async Task A_validator_that_blocks_is_waited_for_a_moment_by_who_did_not_want_to_wait()
    {
        await using var host = await RegistryHost.CreateAsync(Blocking("acme"));
        var status = await Task.Run(() => host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token))
            .WaitAsync(Soon, Token);
        Assert.Equal(TenantHealth.Pending, status.Health);

        // Nor does it hold the lock of its tenant's checks: who asks for one gets a task at once.
        var recheck = await Task.Run(() => Task.FromResult(host.Registry.Checks.RecheckAsync(Acme, Token))).WaitAsync(Soon, Token);
        Assert.False(recheck.IsCompleted);
        _gate.Open();
        Assert.Equal(TenantHealth.Healthy, (await recheck.WaitAsync(Soon, Token)).Health);
    }

    [Fact]
    public async Task A_validator_that_blocks_is_given_up_in_time()
    {
        await using var host = await RegistryHost.CreateAsync(Blocking("acme"));
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        await _gate.Blocked.Task.WaitAsync(Soon, Token);
        host.Time.Advance(ForeignCode.Timeout);
        await Poll.UntilAsync(() => Task.FromResult(host.Model("acme").Record.Check.Reason == "Validator did not end within 30 seconds."));
        Assert.Equal(TenantHealth.Pending, host.Model("acme").Health);
    }

    [Fact]
    public async Task A_validator_that_blocks_in_a_scheduled_check_holds_up_neither_the_clock_nor_the_checks_of_others()
    {
        var blocks = false;
        var validator = new Validator(
            (tenant, _) =>
            {
                if (Volatile.Read(ref blocks) && tenant.Id == "acme")
                {
                    _gate.Block();
                }

                return Task.FromResult(GatedValidator.Valid);
            }
        );
        await using var host = await RegistryHost.CreateAsync(validator, start: true);
        foreach (var id in new[] { "a", "acme", "z" })
        {
            await host.Registry.RegisterAsync(RegistryHost.Config(id), cancellationToken: Token);
        }

        Volatile.Write(ref blocks, true);
        await Task.Run(() => host.Time.Advance(TimeSpan.FromMinutes(11)), Token).WaitAsync(Soon, Token);
        await _gate.Blocked.Task.WaitAsync(Soon, Token);
        await Poll.UntilAsync(() =>
            Task.FromResult(new[] { "a", "z" }.All(id => host.Model(id).Record.Check.CheckedAt == host.Time.GetUtcNow()))
        );
    }

    [Fact]
    public async Task A_platform_that_blocks_as_it_is_built_is_given_up_in_time_and_let_go_when_it_comes_after_all()
    {
        var platform = new Late();
        await using var host = await RegistryHost.CreateAsync(services: services =>
        {
            new TenancyBuilder(services).AddPlatform<BlockingPlatform>("blocking");
            services.AddSingleton(_gate).AddSingleton(platform);
        });
        var config = RegistryHost.Config("acme") with { Platform = "blocking", Settings = null };
        await Task.Run(() => host.Registry.RegisterAsync(config, cancellationToken: Token)).WaitAsync(Soon, Token);
        await _gate.Blocked.Task.WaitAsync(Soon, Token);
        host.Time.Advance(ForeignCode.Timeout);
        await Poll.UntilAsync(() =>
            Task.FromResult(
                host.Model("acme").Record.Check.Reason?.Contains("was not built within 30 seconds", StringComparison.Ordinal) is true
            )
        );
        _gate.Open();
        await platform.Disposed.Task.WaitAsync(Soon, Token);
    }

    [Fact]
    public async Task A_listener_that_blocks_holds_up_no_change_and_no_other_listener_and_learns_of_all_changes_in_their_order()
    {
        var (blocked, other) = (new Listener(_gate.Block), new Listener(static () => { }));
        await using var host = await RegistryHost.CreateAsync(services: services =>
            services.AddSingleton<ITenantChangeListener>(blocked).AddSingleton<ITenantChangeListener>(other)
        );
        string[] ids = ["a", "b", "c", "d"];
        foreach (var id in ids)
        {
            await Task.Run(() => host.Registry.RegisterAsync(RegistryHost.Config(id), cancellationToken: Token)).WaitAsync(Soon, Token);
        }

        await _gate.Blocked.Task.WaitAsync(Soon, Token);
        await Poll.UntilAsync(() => Task.FromResult(other.Registered.Count == 4));
        Assert.Single(blocked.Registered);
        _gate.Open();
        await Poll.UntilAsync(() => Task.FromResult(blocked.Registered.Count == 4));
        Assert.Equal(ids, blocked.Registered);
        Assert.Equal(ids, other.Registered);
    }

    [Fact]
    public async Task A_platform_that_blocks_as_it_is_disposed_holds_up_the_change_that_replaced_it_for_a_moment_only()
    {
        await using var host = await RegistryHost.CreateAsync(services: services =>
        {
            new TenancyBuilder(services).AddPlatform<StubbornPlatform>("stubborn");
            services.AddSingleton(_gate);
        });
        var config = RegistryHost.Config("acme") with { Platform = "stubborn", Settings = null };
        await host.Registry.RegisterAsync(config, cancellationToken: Token);
        await Task.Run(() => host.Registry.UpdateAsync(config with { Platform = "retailer" }, Token)).WaitAsync(Soon, Token);
        Assert.True(_gate.Blocked.Task.IsCompletedSuccessfully);
        Assert.True(host.Model("acme").IsServing);
    }

    private Validator Blocking(string id) =>
        new(
            (tenant, _) =>
            {
                if (tenant.Id == id)
                {
                    _gate.Block();
                }

                return Task.FromResult(GatedValidator.Valid);
            }
        );

    /// <summary>Where threads are held until the test lets them go.</summary>
    private sealed class Gate
    {
        private readonly ManualResetEventSlim _open = new();

        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Blocked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Open() => _open.Set();

        public void Block()
        {
            Blocked.TrySetResult();
            _open.Wait(TimeSpan.FromSeconds(60));
        }
    }

    private sealed class Validator(Func<TenantConfig, CancellationToken, Task<TenantValidation>> validate) : ITenantValidator
    {
        public ValueTask<TenantValidation> ValidateAsync(TenantConfig tenant, CancellationToken cancellationToken) =>
            new(validate(tenant, cancellationToken));
    }

    private sealed class Listener(Action told) : ITenantChangeListener
    {
        public ConcurrentQueue<string> Registered { get; } = [];

        public void OnTenantChanged(TenantChange change)
        {
            if (change.Kind == TenantChangeKind.Registered)
            {
                Registered.Enqueue(change.TenantId.Value);
                told();
            }
        }
    }

    private sealed class Late
    {
        public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class BlockingPlatform(Late late) : ITenantPlatform<BlockingPlatform>, IDisposable
    {
        public static void Define(IPlatformBuilder platform) => platform.AddHandlers<TestTools>();

        public static Task<BlockingPlatform> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken)
        {
            tenant.Services.GetRequiredService<Gate>().Block();
            return Task.FromResult(new BlockingPlatform(tenant.Services.GetRequiredService<Late>()));
        }

        public void Dispose() => late.Disposed.TrySetResult();
    }

    private sealed class StubbornPlatform(Gate gate) : ITenantPlatform<StubbornPlatform>, IDisposable
    {
        public static void Define(IPlatformBuilder platform) => platform.AddHandlers<TestTools>();

        public static Task<StubbornPlatform> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
            Task.FromResult(new StubbornPlatform(tenant.Services.GetRequiredService<Gate>()));

        public void Dispose() => gate.Block();
    }
}

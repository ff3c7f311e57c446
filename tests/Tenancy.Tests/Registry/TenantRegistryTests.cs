using Microsoft.Extensions.DependencyInjection;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Registry;

/// <summary>Changes of tenants while others look on.</summary>
[Tier(Tier.Process)]
public sealed class TenantRegistryTests
{
    private static readonly TenantId Acme = TenantId.Parse("acme");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The store behind the registry's back.</summary>
    private static ITenantStore Store(RegistryHost host) => host.Services.GetRequiredService<ITenantStore>();

    [Fact]
    public async Task Registering_returns_before_a_validation_that_takes_time_unless_it_is_waited_for()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        var first = validator.Hold("acme");
        Assert.Equal(
            TenantHealth.Pending,
            (await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token)).Health
        );
        first.End(GatedValidator.Valid);

        var second = validator.Hold("globex");
        var waiting = host.Registry.RegisterAsync(RegistryHost.Config("globex"), awaitFirstValidation: true, Token);
        await second.Started;
        Assert.False(waiting.IsCompleted);
        second.End(GatedValidator.Permanent);
        Assert.Equal(TenantHealth.Disabled, (await waiting).Health);
    }

    [Fact]
    public async Task Registering_an_equal_tenant_changes_nothing_and_a_different_one_is_a_conflict()
    {
        await using var host = await RegistryHost.CreateAsync();
        var first = await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        var model = host.Model("acme");
        Assert.Equal(first.Version, (await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token)).Version);
        await Assert.ThrowsAsync<TenantConflictException>(() =>
            host.Registry.RegisterAsync(RegistryHost.Config("acme", "other"), cancellationToken: Token)
        );
        Assert.Same(model, host.Model("acme"));
    }

    [Fact]
    public async Task Rechecks_that_come_while_one_runs_share_the_next()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        var before = validator.Count("acme");
        var (running, next) = (validator.Hold("acme"), validator.Hold("acme"));
        var first = host.Registry.Checks.RecheckAsync(Acme, Token);
        await running.Started;
        var others = Enumerable.Range(0, 10).Select(_ => host.Registry.Checks.RecheckAsync(Acme, Token)).ToArray();

        running.End(GatedValidator.Transient);
        Assert.Equal(TenantHealth.Unverified, (await first).Health);
        await next.Started;
        Assert.All(others, other => Assert.False(other.IsCompleted));
        next.End(GatedValidator.Valid);
        Assert.All(await Task.WhenAll(others), status => Assert.Equal(TenantHealth.Healthy, status.Health));
        Assert.Equal(before + 2, validator.Count("acme"));
    }

    [Fact]
    public async Task The_result_of_a_check_that_began_before_an_update_is_dropped()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        var old = validator.Hold("acme");
        var recheck = host.Registry.Checks.RecheckAsync(Acme, Token);
        await old.Started;
        await host.Registry.UpdateAsync(RegistryHost.Config("acme", "new"), Token);

        old.End(GatedValidator.Permanent);
        Assert.Equal(TenantHealth.Healthy, (await recheck).Health);
        Assert.True(host.Model("acme").IsServing);
    }

    [Fact]
    public async Task The_result_of_a_check_that_began_before_the_tenant_was_registered_anew_is_dropped()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        var old = validator.Hold("acme");
        var recheck = host.Registry.Checks.RecheckAsync(Acme, Token);
        await old.Started;
        await host.Registry.Changes.RemoveAsync(Acme, purge: false);
        await Assert.ThrowsAsync<TenantNotFoundException>(() => recheck);
        await host.Registry.Changes.RegisterAsync(
            new(RegistryHost.Config("acme"), TenantOrigin.Admin),
            awaitFirstValidation: true,
            TenantCreation.Adopt,
            Token
        );

        old.End(GatedValidator.Permanent);
        await host.Registry.Checks.RecheckAsync(Acme, Token);
        Assert.True(host.Model("acme").IsServing);
    }

    [Fact]
    public async Task Who_waits_for_a_validation_is_told_when_the_tenant_is_unregistered()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        var call = validator.Hold("acme");
        var waiting = host.Registry.RegisterAsync(RegistryHost.Config("acme"), awaitFirstValidation: true, Token);
        await call.Started;
        Assert.True(await host.Registry.UnregisterAsync(Acme, Token));
        await Assert.ThrowsAsync<TenantNotFoundException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(20), Token));
        Assert.Null(host.Registry.Get("acme"));
        Assert.False(await host.Registry.UnregisterAsync(Acme, Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_update_that_does_not_pass_validation_changes_nothing(bool transient)
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme", "old"), cancellationToken: Token);
        var model = host.Model("acme");
        var call = validator.Hold("acme");
        var update = host.Registry.UpdateAsync(RegistryHost.Config("acme", "new"), Token);
        await call.Started;
        Assert.Equal("old", RegistryHost.Platform(host.Model("acme")).Product);

        call.End(transient ? GatedValidator.Transient : GatedValidator.Permanent);
        var exception = await Assert.ThrowsAsync<TenantValidationException>(() => update);
        Assert.Equal(transient, exception.IsTransient);
        Assert.Same(model, host.Model("acme"));
        Assert.True(model.IsServing);
        Assert.Equal("old", RegistryHost.Platform(model).Product);
    }

    [Fact]
    public async Task A_forced_update_switches_at_once_and_is_pending_until_it_is_validated()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme", "old"), cancellationToken: Token);
        var call = validator.Hold("acme");
        var status = await host.Registry.Changes.UpdateAsync(
            Acme,
            _ => RegistryHost.Config("acme", "new"),
            expectedVersion: null,
            force: true,
            Token
        );
        Assert.Equal(TenantHealth.Pending, status.Health);
        Assert.False(host.Model("acme").IsServing);
        await call.Started;
        call.End(GatedValidator.Valid);
        await host.Registry.Checks.RecheckAsync(Acme, Token);
        Assert.Equal("new", RegistryHost.Platform(host.Model("acme")).Product);
    }

    [Fact]
    public async Task Status_name_limits_and_urls_change_without_validation_while_the_provider_is_down()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        var config = RegistryHost.Config("acme", urls: "https://old.example");
        await host.Registry.RegisterAsync(config, cancellationToken: Token);
        var platform = host.Model("acme").Platform;
        validator.Answer("acme", GatedValidator.Permanent);
        var count = validator.Count("acme");

        config = config with { Name = "New name", Limits = new(MaxSessions: 5), Urls = ["https://new.example"] };
        Assert.Equal(TenantHealth.Healthy, (await host.Registry.UpdateAsync(config, Token)).Health);
        await host.Registry.UpdateAsync(config with { Status = TenantAdminStatus.Suspended }, Token);
        Assert.False(host.Model("acme").IsServing);
        await host.Registry.UpdateAsync(config, Token);
        Assert.True(host.Model("acme").IsServing);

        Assert.Equal(count, validator.Count("acme"));
        Assert.Same(platform, host.Model("acme").Platform);
        Assert.Null(host.Registry.ResolveByHost("old.example"));
        Assert.Equal("acme", host.Registry.ResolveByHost("new.example")!.Id.Value);
    }

    [Fact]
    public async Task A_change_of_name_keeps_the_health_that_a_check_found_meanwhile()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        validator.Answer("acme", GatedValidator.Transient);
        var config = RegistryHost.Config("acme");
        await host.Registry.RegisterAsync(config, cancellationToken: Token);
        Assert.Equal(TenantHealth.Pending, host.Model("acme").Health);
        validator.Answer("acme", GatedValidator.Valid);

        // The tenant still waits for its first success: the change does not take that away, and asks again.
        Assert.Equal(TenantHealth.Healthy, (await host.Registry.UpdateAsync(config with { Name = "New" }, Token)).Health);
    }

    [Fact]
    public async Task A_platform_is_disposed_after_the_last_request_that_holds_it()
    {
        await using var host = await RegistryHost.CreateAsync();
        await host.Registry.RegisterAsync(RegistryHost.Config("acme", "old"), cancellationToken: Token);
        var old = host.Model("acme");
        Assert.True(old.Platform!.TryHold());
        await host.Registry.UpdateAsync(RegistryHost.Config("acme", "new"), Token);
        Assert.Equal("old", RegistryHost.Platform(old).Product);
        Assert.Equal("new", RegistryHost.Platform(host.Model("acme")).Product);
        await old.Platform.ReleaseAsync();
        Assert.Equal(1, RegistryHost.Platform(old).Disposals);
        Assert.False(old.Platform.TryHold());

        var last = host.Model("acme");
        await host.Registry.UnregisterAsync(Acme, Token);
        Assert.Equal(1, RegistryHost.Platform(last).Disposals);
    }

    [Fact]
    public async Task The_platform_of_an_update_that_failed_is_disposed()
    {
        var built = new BuiltPlatforms();
        await using var host = await RegistryHost.CreateAsync(new GatedValidator(), services: services => services.AddSingleton(built));
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        await host.Registry.RegisterAsync(RegistryHost.Config("globex", urls: "https://taken.example"), cancellationToken: Token);
        var model = host.Model("acme");
        TestPlatform[] kept = [RegistryHost.Platform(model), RegistryHost.Platform(host.Model("globex"))];
        await Assert.ThrowsAsync<TenantConflictException>(() =>
            host.Registry.UpdateAsync(RegistryHost.Config("acme", "new", urls: "https://taken.example"), Token)
        );
        Assert.Same(model, host.Model("acme"));
        var failed = Assert.Single(built, platform => !kept.Contains(platform));
        Assert.Equal(1, failed.Disposals);
        Assert.All(kept, platform => Assert.Equal(0, platform.Disposals));
        Assert.Equal("globex", host.Registry.ResolveByHost("taken.example")!.Id.Value);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_platform_of_an_update_that_is_given_up_during_validation_is_disposed(bool answers)
    {
        var (validator, built) = (new GatedValidator(), new BuiltPlatforms());
        await using var host = await RegistryHost.CreateAsync(validator, services: services => services.AddSingleton(built));
        await host.Registry.RegisterAsync(RegistryHost.Config("acme", "old"), cancellationToken: Token);
        var call = validator.Hold("acme");
        using var client = new CancellationTokenSource();
        var update = host.Registry.UpdateAsync(RegistryHost.Config("acme", "new"), client.Token);
        await call.Started;

        // A validator may also answer as if nothing had happened.
        if (answers)
        {
            client.Token.Register(() => call.End(GatedValidator.Valid));
        }

        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => update);
        Assert.Equal([0, 1], built.Select(platform => platform.Disposals).Order());
        Assert.Equal("old", RegistryHost.Platform(host.Model("acme")).Product);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_removal_whose_answer_was_lost_is_made_good_by_the_next(StoreKind kind)
    {
        await using var redis = kind == StoreKind.Redis ? await RedisServer.StartAsync() : null;
        await using var host = await RegistryHost.CreateAsync(redis: redis);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme", urls: "https://acme.example"), cancellationToken: Token);
        var platform = RegistryHost.Platform(host.Model("acme"));
        Assert.True((await Store(host).RemoveAsync(Acme, purge: false, AuditEntry.Of(AuditAction.TenantUnregistered, "acme"))).Existed);

        Assert.True(await host.Registry.UnregisterAsync(Acme, Token));
        Assert.Null(host.Registry.Get("acme"));
        Assert.Null(host.Registry.ResolveByHost("acme.example"));
        Assert.Equal(0, host.Registry.Count);
        Assert.Equal(1, platform.Disposals);
        Assert.False(await host.Registry.UnregisterAsync(Acme, Token));
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task An_update_of_a_tenant_that_the_store_no_longer_has_takes_it_away(StoreKind kind)
    {
        await using var redis = kind == StoreKind.Redis ? await RedisServer.StartAsync() : null;
        await using var host = await RegistryHost.CreateAsync(redis: redis);
        var config = RegistryHost.Config("acme", urls: "https://acme.example");
        await host.Registry.RegisterAsync(config, cancellationToken: Token);
        await Store(host).RemoveAsync(Acme, purge: false, AuditEntry.Of(AuditAction.TenantUnregistered, "acme"));

        await Assert.ThrowsAsync<TenantNotFoundException>(() => host.Registry.UpdateAsync(config with { Name = "New" }, Token));
        Assert.Null(host.Registry.Get("acme"));
        Assert.Null(host.Registry.ResolveByHost("acme.example"));
    }

    [Fact]
    public async Task A_tenant_that_a_store_without_memory_forgot_can_still_be_removed()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = await RegistryHost.CreateAsync(redis: redis);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        await redis.ExecuteAsync("FLUSHALL");
        Assert.False(await host.Registry.UnregisterAsync(TenantId.Parse("globex"), Token));
        Assert.True(await host.Registry.UnregisterAsync(Acme, Token));
        Assert.Null(host.Registry.Get("acme"));
    }

    [Fact]
    public async Task A_removal_that_is_made_good_leaves_a_tenant_that_was_registered_anew_meanwhile()
    {
        await using var host = await RegistryHost.CreateAsync();
        for (var i = 0; i < 200; i++)
        {
            await TryRegisterAsync();
            await Store(host).RemoveAsync(Acme, purge: false, AuditEntry.Of(AuditAction.TenantUnregistered, "acme"));
            await Task.WhenAll(Task.Run(() => host.Registry.UnregisterAsync(Acme, Token), Token), Task.Run(TryRegisterAsync, Token));
            Assert.Equal(await Store(host).LoadAsync(Token).CountAsync(Token), host.Registry.Count);
        }

        async Task TryRegisterAsync()
        {
            try
            {
                await host.Registry.Changes.RegisterAsync(
                    new(RegistryHost.Config("acme"), TenantOrigin.Admin),
                    awaitFirstValidation: false,
                    TenantCreation.Adopt,
                    Token
                );
            }
            catch (TenantNotFoundException)
            {
                // It was removed again before this returned.
            }
        }
    }

    [Fact]
    public async Task A_url_that_a_tenant_drops_is_free_at_once_and_one_that_it_keeps_is_served_throughout()
    {
        await using var host = await RegistryHost.CreateAsync();
        var config = RegistryHost.Config("acme", urls: ["https://kept.example", "https://dropped.example"]);
        await host.Registry.RegisterAsync(config, cancellationToken: Token);
        var missed = 0;
        using var stop = new CancellationTokenSource();
        var looking = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    missed += host.Registry.ResolveByHost("kept.example") is { IsServing: true } ? 0 : 1;
                }
            },
            Token
        );
        for (var i = 0; i < 200; i++)
        {
            await host.Registry.UpdateAsync(
                config with
                {
                    Name = $"Name {i}",
                    Urls = i % 2 == 0 ? ["https://kept.example"] : config.Urls,
                },
                Token
            );
        }

        await host.Registry.UpdateAsync(config with { Urls = ["https://kept.example"] }, Token);
        await host.Registry.RegisterAsync(RegistryHost.Config("globex", urls: "https://dropped.example"), cancellationToken: Token);
        await stop.CancelAsync();
        await looking;
        Assert.Equal(0, missed);
        Assert.Equal("globex", host.Registry.ResolveByHost("dropped.example")!.Id.Value);
    }

    [Fact]
    public async Task Of_two_nodes_that_claim_a_url_at_once_exactly_one_wins()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RegistryHost.CreateAsync(redis: redis);
        await using var second = await RegistryHost.CreateAsync(redis: redis);
        for (var i = 0; i < 20; i++)
        {
            var url = $"https://prize{i}.example";
            var results = await Task.WhenAll(ClaimAsync(first, $"a{i}", url), ClaimAsync(second, $"b{i}", url));
            Assert.Single(results, won => won);
        }

        static async Task<bool> ClaimAsync(RegistryHost host, string id, string url)
        {
            try
            {
                await host.Registry.RegisterAsync(RegistryHost.Config(id, urls: url), cancellationToken: Token);
                return true;
            }
            catch (TenantConflictException exception)
            {
                Assert.Equal("urls", exception.Field);
                return false;
            }
        }
    }

    [Fact]
    public async Task A_tenant_that_is_not_served_still_owns_its_url()
    {
        await using var host = await RegistryHost.CreateAsync();
        await host.Registry.RegisterAsync(RegistryHost.Config("shorter", urls: "https://shared.example"), cancellationToken: Token);
        var longer = RegistryHost.Config("longer", urls: "https://shared.example/team/one");
        await host.Registry.RegisterAsync(longer, cancellationToken: Token);
        await host.Registry.UpdateAsync(longer with { Status = TenantAdminStatus.Suspended }, Token);
        Assert.Equal("longer", host.Registry.ResolveByRequest("shared.example", "/team/one/mcp")!.Id.Value);
        Assert.Equal("shorter", host.Registry.ResolveByRequest("shared.example", "/team/ones/mcp")!.Id.Value);
        Assert.Equal("shorter", host.Registry.ResolveByRequest("SHARED.example.:443", "/")!.Id.Value);
    }

    [Fact]
    public async Task Every_change_is_told_in_order()
    {
        var listener = new RecordingListener();
        await using var host = await RegistryHost.CreateAsync(services: services =>
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<ITenantChangeListener>(
                services,
                listener
            )
        );
        var config = RegistryHost.Config("acme");
        await host.Registry.RegisterAsync(config, cancellationToken: Token);
        await host.Registry.UpdateAsync(config with { Name = "New" }, Token);
        await host.Registry.UpdateAsync(config with { Status = TenantAdminStatus.Suspended }, Token);
        await host.Registry.UpdateAsync(config, Token);
        await host.Registry.UnregisterAsync(Acme, Token);
        await Poll.UntilAsync(() => Task.FromResult(listener.Changes.Any(change => change.Kind == TenantChangeKind.Removed)));
        Assert.Equal(
            [
                TenantChangeKind.Registered,
                TenantChangeKind.Health,
                TenantChangeKind.Updated,
                TenantChangeKind.Suspended,
                TenantChangeKind.Updated,
                TenantChangeKind.Removed,
            ],
            listener.Changes.Select(change => change.Kind)
        );
        Assert.All(listener.Changes.Zip(listener.Changes.Skip(1)), pair => Assert.Same(pair.First.After, pair.Second.Before));
    }

    [Fact]
    public async Task A_listener_that_throws_disturbs_nobody()
    {
        await using var host = await RegistryHost.CreateAsync(services: services =>
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<ITenantChangeListener>(
                services,
                new ThrowingListener()
            )
        );
        Assert.Equal(
            TenantHealth.Healthy,
            (await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token)).Health
        );
    }

    [Fact]
    public async Task Sessions_are_good_as_long_as_their_tenant_is_registered()
    {
        await using var host = await RegistryHost.CreateAsync();
        var config = RegistryHost.Config("acme");
        await host.Registry.RegisterAsync(config, cancellationToken: Token);
        var epoch = host.Model("acme").Record.SessionEpoch;
        foreach (
            var change in new[]
            {
                config with
                {
                    Name = "New",
                },
                config with
                {
                    Status = TenantAdminStatus.Suspended,
                },
                config,
                config with
                {
                    Platform = "retailer",
                },
            }
        )
        {
            await host.Registry.UpdateAsync(change, Token);
            Assert.Equal(epoch, host.Model("acme").Record.SessionEpoch);
        }

        await host.Registry.UnregisterAsync(Acme, Token);
        await host.Registry.Changes.RegisterAsync(new(config, TenantOrigin.Admin), false, TenantCreation.Adopt, Token);
        Assert.NotEqual(epoch, host.Model("acme").Record.SessionEpoch);
    }

    [Fact]
    public async Task Ids_with_kept_data_are_adopted_on_purpose_only_and_versions_never_restart()
    {
        await using var host = await RegistryHost.CreateAsync();
        var first = await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token);
        await host.Registry.UnregisterAsync(Acme, Token);
        var refused = await Assert.ThrowsAsync<TenantConflictException>(() =>
            host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token)
        );
        Assert.Contains("adopt", refused.Message, StringComparison.Ordinal);
        var (second, isNew, _) = await host.Registry.Changes.RegisterAsync(
            new(RegistryHost.Config("acme"), TenantOrigin.Admin),
            false,
            TenantCreation.Adopt,
            Token
        );
        Assert.True(isNew);
        Assert.True(second.Version > first.Version);
    }

    [Fact]
    public async Task While_the_store_is_away_tenants_resolve_and_changes_are_refused_whole()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = await RegistryHost.CreateAsync(redis: redis);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme", urls: "https://acme.example"), cancellationToken: Token);
        var model = host.Model("acme");
        await redis.StopAsync();

        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            host.Registry.RegisterAsync(RegistryHost.Config("globex"), cancellationToken: Token)
        );
        await Assert.ThrowsAsync<StoreUnavailableException>(() => host.Registry.UpdateAsync(RegistryHost.Config("acme", "new"), Token));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => host.Registry.UnregisterAsync(Acme, Token));
        Assert.Null(host.Registry.Get("globex"));
        Assert.Same(model, host.Registry.ResolveByHost("acme.example"));
        Assert.Equal(0, RegistryHost.Platform(model).Disposals);
        Assert.Equal(TenantHealth.Healthy, (await host.Registry.Checks.RecheckAsync(Acme, Token)).Health);

        await redis.LaunchAsync();
        await Poll.UntilAsync(async () =>
        {
            try
            {
                return (await host.Registry.UpdateAsync(RegistryHost.Config("acme", "new"), Token)).Health == TenantHealth.Healthy;
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
        });
        Assert.Equal("new", RegistryHost.Platform(host.Model("acme")).Product);
    }

    private sealed class RecordingListener : ITenantChangeListener
    {
        public System.Collections.Concurrent.ConcurrentQueue<TenantChange> Changes { get; } = [];

        public void OnTenantChanged(TenantChange change) => Changes.Enqueue(change);
    }

    private sealed class ThrowingListener : ITenantChangeListener
    {
        public void OnTenantChanged(TenantChange change) => throw new InvalidOperationException("no");
    }
}

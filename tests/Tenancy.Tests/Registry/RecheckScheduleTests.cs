using Microsoft.Extensions.DependencyInjection;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Registry;

/// <summary>Tenants are checked again at their own times; the tests move the clock.</summary>
[Tier(Tier.Process)]
public sealed class RecheckScheduleTests
{
    private static readonly TenantId Acme = TenantId.Parse("acme");

    [Theory]
    [InlineData(TenantHealth.Healthy, 0, 10, 600)]
    [InlineData(TenantHealth.Healthy, 0, 1000, 600)]
    [InlineData(TenantHealth.Healthy, 0, 5000, 3000)]
    [InlineData(TenantHealth.Pending, 0, 10, 5)]
    [InlineData(TenantHealth.Unverified, 1, 10, 10)]
    [InlineData(TenantHealth.Unverified, 3, 10, 40)]
    [InlineData(TenantHealth.Unverified, 50, 10, 300)]
    [InlineData(TenantHealth.Pending, 0, 2000, 10)]
    [InlineData(TenantHealth.Disabled, 0, 10, 600)]
    [InlineData(TenantHealth.Disabled, 50, 5000, 3000)]
    public void The_interval_depends_on_health_failures_and_the_number_of_tenants_and_varies_by_a_tenth(
        TenantHealth health,
        int failures,
        int tenants,
        int seconds
    )
    {
        Assert.Equal(TimeSpan.FromSeconds(seconds * 0.9), RecheckInterval.Next(health, failures, tenants, 0));
        Assert.Equal(TimeSpan.FromSeconds(seconds), RecheckInterval.Next(health, failures, tenants, 0.5));
        Assert.Equal(TimeSpan.FromSeconds(seconds * 1.1), RecheckInterval.Next(health, failures, tenants, 1));
    }

    [Fact]
    public async Task A_healthy_tenant_is_checked_every_ten_minutes()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator, start: true);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(1, validator.Count("acme"));

        // The first check comes anywhere in the first interval, each one after it after nine to eleven minutes.
        host.Time.Advance(TimeSpan.FromMinutes(11));
        await CheckedAsync(host);
        Assert.Equal(2, validator.Count("acme"));
        host.Time.Advance(TimeSpan.FromMinutes(8.9));
        Assert.Equal(2, validator.Count("acme"));
        host.Time.Advance(TimeSpan.FromMinutes(2.2));
        await CheckedAsync(host);
        Assert.Equal(3, validator.Count("acme"));
    }

    [Fact]
    public async Task A_tenant_that_changes_often_leaves_no_more_checks_behind_than_there_are_tenants()
    {
        await using var host = await RegistryHost.CreateAsync(new GatedValidator(), start: true);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: TestContext.Current.CancellationToken);
        var schedule = host.Services.GetRequiredService<RecheckSchedule>();
        for (var i = 0; i < 100; i++)
        {
            schedule.OnTenantChanged(new(TenantChangeKind.Health, Acme, host.Model("acme"), host.Model("acme")));
            Assert.InRange(schedule.Count, 1, 3);
        }
    }

    [Fact]
    public async Task Many_tenants_that_are_loaded_have_their_first_checks_spread_over_the_interval_of_all()
    {
        await using var host = await RegistryHost.CreateAsync(new GatedValidator());
        var schedule = new RecheckSchedule(host.Services.GetRequiredService<TenantProbe>(), host.Time);
        foreach (var id in Enumerable.Range(0, 5000).Select(number => TenantId.Parse($"t{number}")))
        {
            var record = new TenantRecord
            {
                Config = RegistryHost.Config(id.Value),
                Version = 1,
                CreatedAt = host.Time.GetUtcNow(),
                SessionEpoch = "",
                Origin = TenantOrigin.Admin,
                Check = new(TenantHealth.Healthy, null, host.Time.GetUtcNow()),
            };
            schedule.OnTenantChanged(new(TenantChangeKind.Registered, id, Before: null, new TenantModel(record, platform: null)));
        }

        // 5,000 in 50 minutes are 100 a minute, give or take what chance does once in a billion.
        host.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.InRange(schedule.TakeDue().Count, 40, 160);
        host.Time.Advance(TimeSpan.FromMinutes(50));
        Assert.InRange(schedule.TakeDue().Count, 4840, 4960);
    }

    [Fact]
    public async Task A_failing_tenant_is_tried_again_at_growing_intervals_and_recovers()
    {
        var validator = new GatedValidator();
        validator.Answer("acme", GatedValidator.Transient);
        await using var host = await RegistryHost.CreateAsync(validator, start: true);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: TestContext.Current.CancellationToken);
        foreach (var seconds in new[] { 5, 10, 20, 40, 80, 160, 300, 300 })
        {
            var before = validator.Count("acme");
            host.Time.Advance(TimeSpan.FromSeconds(seconds * 0.89));
            Assert.Equal(before, validator.Count("acme"));
            host.Time.Advance(TimeSpan.FromSeconds(seconds * 0.22));
            await CheckedAsync(host);
            Assert.Equal(before + 1, validator.Count("acme"));
        }

        validator.Answer("acme", GatedValidator.Valid);
        host.Time.Advance(TimeSpan.FromSeconds(331));
        await CheckedAsync(host);
        Assert.Equal(TenantHealth.Healthy, host.Model("acme").Health);
        validator.Answer("acme", GatedValidator.Transient);
        host.Time.Advance(TimeSpan.FromMinutes(11));
        await CheckedAsync(host);
        Assert.Equal(TenantHealth.Unverified, host.Model("acme").Health);
        var count = validator.Count("acme");
        host.Time.Advance(TimeSpan.FromSeconds(11.1));
        await CheckedAsync(host);
        Assert.True(validator.Count("acme") > count, "after a success the intervals begin small again");
    }

    [Fact]
    public async Task A_suspended_or_removed_tenant_is_not_checked()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator, start: true);
        foreach (var id in new[] { "asleep", "gone" })
        {
            await host.Registry.RegisterAsync(RegistryHost.Config(id), cancellationToken: TestContext.Current.CancellationToken);
        }

        await host.Registry.UpdateAsync(
            RegistryHost.Config("asleep") with
            {
                Status = TenantAdminStatus.Suspended,
            },
            TestContext.Current.CancellationToken
        );
        await host.Registry.UnregisterAsync(TenantId.Parse("gone"), TestContext.Current.CancellationToken);
        host.Time.Advance(TimeSpan.FromHours(2));
        Assert.All(["asleep", "gone"], id => Assert.Equal(1, validator.Count(id)));
    }

    [Fact]
    public async Task A_disabled_tenant_is_checked_slowly_and_comes_back_by_itself()
    {
        var validator = new GatedValidator();
        validator.Answer("acme", GatedValidator.Permanent);
        await using var host = await RegistryHost.CreateAsync(validator, start: true);
        await host.Registry.RegisterAsync(
            RegistryHost.Config("acme"),
            awaitFirstValidation: true,
            cancellationToken: TestContext.Current.CancellationToken
        );
        Assert.Equal(TenantHealth.Disabled, host.Model("acme").Health);
        for (var check = 2; check < 5; check++)
        {
            host.Time.Advance(TimeSpan.FromMinutes(8.9));
            Assert.Equal(check - 1, validator.Count("acme"));
            host.Time.Advance(TimeSpan.FromMinutes(2.2));
            await CheckedAsync(host);
            Assert.Equal(check, validator.Count("acme"));
        }

        validator.Answer("acme", GatedValidator.Valid);
        host.Time.Advance(TimeSpan.FromMinutes(11.1));
        await CheckedAsync(host);
        Assert.Equal(TenantHealth.Healthy, host.Model("acme").Health);
    }

    [Fact]
    public async Task A_tenant_that_was_healthy_is_disabled_by_doubtful_checks_only_where_they_go_on_for_minutes()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator, start: true);
        await host.Registry.RegisterAsync(
            RegistryHost.Config("acme"),
            awaitFirstValidation: true,
            cancellationToken: TestContext.Current.CancellationToken
        );
        validator.Answer("acme", GatedValidator.Doubtful);
        host.Time.Advance(TimeSpan.FromMinutes(11));
        await CheckedAsync(host);
        var began = host.Time.GetUtcNow();
        while (host.Model("acme").Health == TenantHealth.Unverified)
        {
            Assert.True(host.Model("acme").IsServing);
            Assert.Equal("the provider answered 404", host.Model("acme").Record.Check.Reason);
            Assert.True(host.Time.GetUtcNow() - began < TimeSpan.FromMinutes(30));
            var count = validator.Count("acme");
            host.Time.Advance(TimeSpan.FromMinutes(5.5));
            await Poll.UntilAsync(() =>
                Task.FromResult(validator.Count("acme") > count && host.Model("acme").Record.Check.CheckedAt == host.Time.GetUtcNow())
            );
        }

        Assert.Equal(TenantHealth.Disabled, host.Model("acme").Health);
        Assert.True(host.Time.GetUtcNow() - began >= TenantHealthPolicy.Patience);
        Assert.True(validator.Count("acme") > TenantHealthPolicy.MaxDoubts);
        validator.Answer("acme", GatedValidator.Valid);
        host.Time.Advance(TimeSpan.FromMinutes(11.1));
        await CheckedAsync(host);
        Assert.Equal(TenantHealth.Healthy, host.Model("acme").Health);
    }

    [Fact]
    public async Task A_check_that_hangs_holds_up_no_other()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator, start: true);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: TestContext.Current.CancellationToken);
        await host.Registry.RegisterAsync(RegistryHost.Config("globex"), cancellationToken: TestContext.Current.CancellationToken);
        var call = validator.Hold("acme");
        host.Time.Advance(TimeSpan.FromMinutes(11));
        await call.Started;
        await CheckedAsync(host, "globex");
        Assert.Equal(2, validator.Count("globex"));
        host.Time.Advance(ForeignCode.Timeout);
        await Poll.UntilAsync(() => Task.FromResult(host.Model("acme").Health == TenantHealth.Unverified));
    }

    [Fact]
    public async Task Tenants_that_come_up_together_are_not_checked_together()
    {
        await using var redis = await RedisServer.StartAsync();
        var validator = new GatedValidator();
        await using (var before = await RegistryHost.CreateAsync(validator, redis))
        {
            for (var i = 0; i < 300; i++)
            {
                await before.Registry.RegisterAsync(RegistryHost.Config($"t{i}"), cancellationToken: TestContext.Current.CancellationToken);
            }
        }

        await using var host = await RegistryHost.CreateAsync(validator, redis, start: true);
        for (var minute = 0; minute < 10; minute++)
        {
            var before = Total();
            host.Time.Advance(TimeSpan.FromMinutes(1));
            await Poll.UntilAsync(() => Task.FromResult(Total() - before >= 5));
            await SettledAsync();
            Assert.InRange(Total() - before, 5, 75);
        }

        // Checks run on threads of their own: no more of them come where none came for a while.
        async Task SettledAsync()
        {
            for (var before = -1; before != Total(); )
            {
                before = Total();
                await Task.Delay(200, TestContext.Current.CancellationToken);
            }
        }

        int Total() => Enumerable.Range(0, 300).Sum(i => validator.Count($"t{i}"));
    }

    /// <summary>Waits for the result of a check that is due now.</summary>
    private static Task CheckedAsync(RegistryHost host, string id = "acme") =>
        Poll.UntilAsync(() => Task.FromResult(host.Model(id).Record.Check.CheckedAt == host.Time.GetUtcNow()));
}

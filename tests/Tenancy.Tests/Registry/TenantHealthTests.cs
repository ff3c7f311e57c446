using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;
using Tenancy.Validation;

namespace Tenancy.Tests.Registry;

/// <summary>Every cell of the health table, and what of a tenant's health a caller and an admin notice.</summary>
[Tier(Tier.Process)]
public sealed class TenantHealthTests
{
    private static readonly TenantId Acme = TenantId.Parse("acme");

    public static TheoryData<TenantHealth, string, TenantHealth> Table { get; } =
        new()
        {
            { TenantHealth.Pending, "valid", TenantHealth.Healthy },
            { TenantHealth.Pending, "transient", TenantHealth.Pending },
            { TenantHealth.Pending, "doubtful", TenantHealth.Disabled },
            { TenantHealth.Pending, "permanent", TenantHealth.Disabled },
            { TenantHealth.Healthy, "valid", TenantHealth.Healthy },
            { TenantHealth.Healthy, "transient", TenantHealth.Unverified },
            { TenantHealth.Healthy, "doubtful", TenantHealth.Unverified },
            { TenantHealth.Healthy, "permanent", TenantHealth.Disabled },
            { TenantHealth.Unverified, "valid", TenantHealth.Healthy },
            { TenantHealth.Unverified, "transient", TenantHealth.Unverified },
            { TenantHealth.Unverified, "doubtful", TenantHealth.Unverified },
            { TenantHealth.Unverified, "permanent", TenantHealth.Disabled },
            { TenantHealth.Disabled, "valid", TenantHealth.Healthy },
            { TenantHealth.Disabled, "transient", TenantHealth.Disabled },
            { TenantHealth.Disabled, "doubtful", TenantHealth.Disabled },
            { TenantHealth.Disabled, "permanent", TenantHealth.Disabled },
        };

    [Theory, MemberData(nameof(Table))]
    public async Task A_check_takes_a_tenant_from_one_health_to_the_next(TenantHealth from, string result, TenantHealth expected)
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        await BringToAsync(host, validator, from);
        var validation = Validation(result);
        validator.Answer("acme", validation);
        host.Time.Advance(TimeSpan.FromSeconds(1));

        var status = await host.Registry.Checks.RecheckAsync(Acme, TestContext.Current.CancellationToken);

        Assert.Equal(expected, status.Health);
        Assert.Equal(expected, host.Model("acme").Health);
        Assert.Equal(expected is TenantHealth.Healthy or TenantHealth.Unverified, host.Model("acme").IsServing);
        Assert.Equal(host.Time.GetUtcNow(), status.LastCheckedAt);
        Assert.Equal(
            validation switch
            {
                TenantValidation.Transient(var reason) => reason,
                TenantValidation.Doubtful(var reason) => reason,
                TenantValidation.Permanent(var reason) => reason,
                _ => null,
            },
            status.Reason
        );
    }

    [Fact]
    public void Doubt_counts_until_a_check_is_valid_and_takes_both_enough_checks_and_enough_time()
    {
        var now = DateTimeOffset.UnixEpoch;
        var check = new TenantCheck(TenantHealth.Healthy, null, now);

        // Many within a short time, as when somebody asks for them, are not enough.
        for (var i = 0; i < 3 * TenantHealthPolicy.MaxDoubts; i++)
        {
            check = TenantHealthPolicy.Next(check, GatedValidator.Doubtful, now);
            Assert.Equal(TenantHealth.Unverified, check.Health);
        }

        Assert.Equal(
            TenantHealth.Disabled,
            TenantHealthPolicy.Next(check, GatedValidator.Doubtful, now + TenantHealthPolicy.Patience).Health
        );

        // Nobody's answer neither adds to it nor ends it; a valid one ends it.
        check = TenantHealthPolicy.Next(check, GatedValidator.Transient, now + TenantHealthPolicy.Patience);
        Assert.Equal(TenantHealth.Unverified, check.Health);
        Assert.Equal(
            TenantHealth.Disabled,
            TenantHealthPolicy.Next(check, GatedValidator.Doubtful, now + TenantHealthPolicy.Patience).Health
        );
        check = TenantHealthPolicy.Next(check, GatedValidator.Valid, now + TenantHealthPolicy.Patience);
        Assert.Equal(new TenantCheck(TenantHealth.Healthy, null, now + TenantHealthPolicy.Patience), check);

        // Few over a long time are not enough either.
        for (var i = 0; i < TenantHealthPolicy.MaxDoubts - 1; i++)
        {
            check = TenantHealthPolicy.Next(check, GatedValidator.Doubtful, now + TimeSpan.FromHours(i + 1));
            Assert.Equal(TenantHealth.Unverified, check.Health);
        }

        Assert.Equal(TenantHealth.Disabled, TenantHealthPolicy.Next(check, GatedValidator.Doubtful, now + TimeSpan.FromHours(9)).Health);
        Assert.Equal(TenantHealth.Disabled, TenantHealthPolicy.Next(check, GatedValidator.Permanent, now).Health);
    }

    [Fact]
    public async Task Without_validators_a_tenant_is_healthy_at_once()
    {
        await using var host = await RegistryHost.CreateAsync();
        Assert.Equal(
            TenantHealth.Healthy,
            (
                await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: TestContext.Current.CancellationToken)
            ).Health
        );
    }

    [Fact]
    public async Task A_platform_that_cannot_be_built_disables_its_tenant_with_the_reason_and_a_recheck_revives_it()
    {
        await using var host = await RegistryHost.CreateAsync();
        var status = await host.Registry.RegisterAsync(
            RegistryHost.Config("acme", fail: "no ad server: password=hunter2hunter2 at https://user:pw@ads.example?key=abc"),
            cancellationToken: TestContext.Current.CancellationToken
        );
        Assert.Equal(TenantHealth.Disabled, status.Health);
        Assert.StartsWith("no ad server", status.Reason, StringComparison.Ordinal);
        Assert.All(["hunter2", "user:pw", "abc"], secret => Assert.DoesNotContain(secret, status.Reason, StringComparison.Ordinal));
        Assert.False(host.Model("acme").IsServing);

        status = await host.Registry.UpdateAsync(RegistryHost.Config("acme"), TestContext.Current.CancellationToken);
        Assert.Equal(TenantHealth.Healthy, status.Health);
        Assert.True(host.Model("acme").IsServing);
    }

    [Fact]
    public async Task A_validator_that_throws_costs_its_tenant_the_check_and_tells_no_secret()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: TestContext.Current.CancellationToken);
        validator.Hold("acme").Throw(new InvalidOperationException("token abc"));
        var status = await host.Registry.Checks.RecheckAsync(Acme, TestContext.Current.CancellationToken);
        Assert.Equal(TenantHealth.Unverified, status.Health);
        Assert.Equal("GatedValidator failed with InvalidOperationException.", status.Reason);
    }

    [Fact]
    public async Task A_validator_that_hangs_costs_its_tenant_the_check_and_nobody_else_anything()
    {
        var validator = new GatedValidator();
        await using var host = await RegistryHost.CreateAsync(validator);
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: TestContext.Current.CancellationToken);
        await host.Registry.RegisterAsync(RegistryHost.Config("globex"), cancellationToken: TestContext.Current.CancellationToken);
        var call = validator.Hold("acme");
        var hanging = host.Registry.Checks.RecheckAsync(Acme, TestContext.Current.CancellationToken);
        await call.Started;

        Assert.Equal(
            TenantHealth.Healthy,
            (await host.Registry.Checks.RecheckAsync(TenantId.Parse("globex"), TestContext.Current.CancellationToken)).Health
        );
        Assert.False(hanging.IsCompleted);
        host.Time.Advance(ForeignCode.Timeout);
        var status = await hanging;
        Assert.Equal(TenantHealth.Unverified, status.Health);
        Assert.Contains("within 30 seconds", status.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_worst_result_of_several_validators_counts()
    {
        var (first, second) = (new GatedValidator(), new GatedValidator());
        await using var host = await RegistryHost.CreateAsync(first, services: services =>
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<ITenantValidator>(services, second)
        );
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: TestContext.Current.CancellationToken);
        first.Answer("acme", GatedValidator.Transient);
        second.Answer("acme", GatedValidator.Permanent);
        Assert.Equal(TenantHealth.Disabled, (await host.Registry.Checks.RecheckAsync(Acme, TestContext.Current.CancellationToken)).Health);
    }

    [Fact]
    public async Task With_auto_validate_off_a_tenant_waits_for_a_recheck()
    {
        await using var host = await RegistryHost.CreateAsync(settings: new() { ["Tenancy:AutoValidate"] = "false" });
        Assert.Equal(
            TenantHealth.Pending,
            (
                await host.Registry.RegisterAsync(
                    RegistryHost.Config("acme"),
                    awaitFirstValidation: true,
                    TestContext.Current.CancellationToken
                )
            ).Health
        );
        Assert.False(host.Model("acme").IsServing);
        Assert.Equal(TenantHealth.Healthy, (await host.Registry.Checks.RecheckAsync(Acme, TestContext.Current.CancellationToken)).Health);
    }

    [Fact]
    public async Task Health_comes_back_after_a_restart_and_old_health_has_to_be_shown_again()
    {
        await using var redis = await Hosting.RedisServer.StartAsync();
        var validator = new GatedValidator();
        validator.Answer("dead", GatedValidator.Permanent);
        validator.Answer("slow", GatedValidator.Transient);
        await using (var host = await RegistryHost.CreateAsync(validator, redis))
        {
            foreach (var id in new[] { "acme", "dead", "slow" })
            {
                await host.Registry.RegisterAsync(
                    RegistryHost.Config(id),
                    awaitFirstValidation: true,
                    TestContext.Current.CancellationToken
                );
            }
        }

        await using (var host = await RegistryHost.CreateAsync(validator, redis))
        {
            await host.Registry.Stored.LoadAsync(TestContext.Current.CancellationToken);
            await host.Registry.Stored.BuildAsync(TestContext.Current.CancellationToken);
            Assert.Equal([("acme", TenantHealth.Healthy), ("dead", TenantHealth.Disabled), ("slow", TenantHealth.Pending)], Healths(host));
            Assert.Equal("the provider is another", host.Registry.GetStatus(TenantId.Parse("dead"))!.Reason);
            Assert.Equal("acme", RegistryHost.Platform(host.Model("acme")).Product);
        }

        var later = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow + TimeSpan.FromMinutes(21));
        await using (var host = await RegistryHost.CreateAsync(validator, redis, time: later))
        {
            await host.Registry.Stored.LoadAsync(TestContext.Current.CancellationToken);
            await host.Registry.Stored.BuildAsync(TestContext.Current.CancellationToken);
            Assert.Equal(
                [("acme", TenantHealth.Unverified), ("dead", TenantHealth.Disabled), ("slow", TenantHealth.Pending)],
                Healths(host)
            );
            Assert.True(host.Model("acme").IsServing);
        }

        static (string, TenantHealth)[] Healths(RegistryHost host) =>
            [
                .. host
                    .Registry.List()
                    .OrderBy(tenant => tenant.Config.Id, StringComparer.Ordinal)
                    .Select(tenant => (tenant.Config.Id, tenant.Health)),
            ];
    }

    private static async Task BringToAsync(RegistryHost host, GatedValidator validator, TenantHealth health)
    {
        validator.Answer(
            "acme",
            health switch
            {
                TenantHealth.Pending => GatedValidator.Transient,
                TenantHealth.Disabled => GatedValidator.Permanent,
                _ => GatedValidator.Valid,
            }
        );
        await host.Registry.RegisterAsync(RegistryHost.Config("acme"), awaitFirstValidation: true, TestContext.Current.CancellationToken);
        if (health == TenantHealth.Unverified)
        {
            validator.Answer("acme", GatedValidator.Transient);
            await host.Registry.Checks.RecheckAsync(Acme, TestContext.Current.CancellationToken);
        }

        Assert.Equal(health, host.Model("acme").Health);
    }

    private static TenantValidation Validation(string result) =>
        result switch
        {
            "valid" => GatedValidator.Valid,
            "transient" => GatedValidator.Transient,
            "doubtful" => GatedValidator.Doubtful,
            _ => GatedValidator.Permanent,
        };
}

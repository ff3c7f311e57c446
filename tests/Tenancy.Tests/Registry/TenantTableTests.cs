using Microsoft.Extensions.Logging.Abstractions;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Registry;

/// <summary>What a node puts in place of what it has, when the store has lost the history that versions are compared by.</summary>
[Tier(Tier.Unit)]
public sealed class TenantTableTests
{
    private static readonly TenantRecord Record = new()
    {
        Config = new() { Id = "shop" },
        Version = 5,
        CreatedAt = DateTimeOffset.UnixEpoch,
        SessionEpoch = "epoch",
        Origin = "admin",
    };

    [Fact]
    public async Task What_has_changed_here_since_it_was_seen_stays_and_what_only_has_another_health_goes()
    {
        var table = new TenantTable(new([], [], NullLogger<TenantChangeNotifier>.Instance));
        var seen = new TenantModel(Record, platform: null);
        await table.SwapAsync(seen, TenantSwap.Whole);
        var check = new TenantCheck(TenantHealth.Disabled, "by hand", DateTimeOffset.UnixEpoch.AddHours(1));
        Assert.NotNull(await table.SetStoredCheckAsync(seen, check));
        var stored = Record with
        {
            Config = new() { Id = "shop", Name = "Stored" },
            Version = 3,
        };
        await table.ResetAsync(seen, new(stored, platform: null), TenantSwap.Whole);
        Assert.Equal("Stored", table.Get("shop")!.Config.Name);

        seen = table.Get("shop")!;
        await table.SwapAsync(
            new(
                Record with
                {
                    Config = new() { Id = "shop", Name = "Later" },
                    Version = 6,
                },
                platform: null
            ),
            TenantSwap.Whole
        );
        await table.ResetAsync(seen, new(stored, platform: null), TenantSwap.Whole);
        Assert.False(await table.ResetAsync(TenantId.Parse("shop"), seen, version: 4));
        Assert.Equal("Later", table.Get("shop")!.Config.Name);
    }
}

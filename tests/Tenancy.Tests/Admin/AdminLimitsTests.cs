using System.Globalization;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Admin;
using Tenancy.Configuration;

namespace Tenancy.Tests.Admin;

/// <summary>What keys ask for, and what addresses fail with, is counted apart.</summary>
public sealed class AdminLimitsTests
{
    private const int Addresses = 10_000;
    private static readonly AdminKey Known = new("known", Tenant: null, ReadsOnly: false);

    [Fact]
    public void However_many_addresses_fail_a_valid_key_is_let_in_that_was_not_seen_before()
    {
        var limits = new AdminLimits(Options.Create(new TenancyOptions()), new FakeTimeProvider());
        for (var i = 0; i < Addresses; i++)
        {
            Assert.Null(limits.Failure(i.ToString(CultureInfo.InvariantCulture)));
        }

        Assert.Equal(TimeSpan.FromMinutes(1), limits.Failure("one more"));
        Assert.Null(limits.Call(Known));
    }

    [Fact]
    public void A_flood_of_addresses_is_over_when_their_minute_is()
    {
        var time = new FakeTimeProvider();
        var limits = new AdminLimits(Options.Create(new TenancyOptions()), time);
        for (var i = 0; i <= Addresses; i++)
        {
            limits.Failure(i.ToString(CultureInfo.InvariantCulture));
        }

        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(limits.Failure("one more"));
    }
}

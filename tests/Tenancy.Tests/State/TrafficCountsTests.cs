using Microsoft.Extensions.Time.Testing;
using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Tests.State;

/// <summary>What is counted of calls in memory, and how it is kept.</summary>
public sealed class TrafficCountsTests
{
    private static readonly TenantId Acme = TenantId.Parse("acme");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Percentiles_are_the_steps_up_to_which_so_many_calls_took_and_outlive_being_kept()
    {
        var quarter = new Quarter(7);
        for (var i = 0; i < 98; i++)
        {
            quarter.Add(CallEnd.Good, 4_000);
        }

        quarter.Add(CallEnd.Error, 250_000);
        quarter.Add(CallEnd.Failed, 90_000_000);
        var kept = Quarter.Read(7, quarter.ToText())!;
        Assert.Equal((5, 300, (int?)null), (kept.Percentile(0.5), kept.Percentile(0.99), kept.Percentile(1)));
        Assert.Equal(
            (98L, 1L, 1L, 0L),
            (kept.Of(CallEnd.Good), kept.Of(CallEnd.Error), kept.Of(CallEnd.Failed), kept.Of(CallEnd.Cancelled))
        );
        Assert.Null(new Quarter(1).Percentile(0.99));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1,2,3")]
    [InlineData("1,2,3,4 99:1")]
    [InlineData("1,2,3,4 1")]
    [InlineData("1,2,3,4 1:x")]
    [InlineData("1,2,3,4 -1:1")]
    [InlineData("1,2,3,4 limits:1,2,3,4,5,6,7")]
    [InlineData("1,2,3,4 limits:1,2,x")]
    [InlineData("1,2,3,4 limits:-1,2,3")]
    public void What_another_release_keeps_in_another_form_is_left_alone(string kept) => Assert.Null(Quarter.Read(1, kept));

    [Fact]
    public void Of_a_limit_the_most_that_was_spent_is_kept_and_of_several_nodes_the_most_of_any()
    {
        var counts = new TrafficCounts(_time);
        foreach (var spent in new[] { 0, 20, 90, 40 })
        {
            counts.NotePeak(Acme, 1, LimitPeak.Rate, spent);
        }

        counts.AddRefused(Acme, 1);
        var quarter = Assert.Single(counts.Take()).Quarter;
        counts.NotePeak(Acme, 1, LimitPeak.Rate, 90);
        Assert.Empty(counts.Take());

        var kept = Quarter.Read(quarter.Number, quarter.ToText())!;
        var other = new Quarter(quarter.Number);
        other.NotePeak(LimitPeak.Rate, 30);
        other.NotePeak(LimitPeak.Calls, 50);
        other.AddRefused();
        kept.Add(other);
        Assert.Equal((90, 50, 2L), (kept.PeakOf(LimitPeak.Rate), kept.PeakOf(LimitPeak.Calls), kept.Refused));
        Assert.Null(kept.Percentile(0.99));
    }

    [Fact]
    public void Of_limits_that_an_earlier_release_did_not_look_at_nothing_is_known_and_the_others_count()
    {
        var kept = Quarter.Read(1, "1,2,3,4 limits:5,60,70")!;
        Assert.Equal((5L, 60, 70), (kept.Refused, kept.PeakOf(LimitPeak.Rate), kept.PeakOf(LimitPeak.Calls)));
        Assert.Equal(0, kept.PeakOf(LimitPeak.Documents));
    }

    [Fact]
    public void Only_what_changed_is_taken_and_a_tenant_that_is_idle_takes_no_memory_when_its_quarter_is_over()
    {
        var counts = new TrafficCounts(_time);
        counts.Add(Acme, 1, CallEnd.Good, 1);
        Assert.Single(counts.Take());
        Assert.Empty(counts.Take());
        counts.Add(Acme, 1, CallEnd.Good, 1);
        var (life, quarter) = Assert.Single(counts.Take());
        Assert.Equal((new TenantLife(Acme, 1), 2L), (life, quarter.Of(CallEnd.Good)));

        _time.Advance(TimeSpan.FromMinutes(16));
        Assert.Empty(counts.Take());
        Assert.Equal(0, counts.Count);
    }

    [Fact]
    public void A_quarter_that_is_over_is_taken_once_more_with_what_came_last()
    {
        var counts = new TrafficCounts(_time);
        counts.Add(Acme, 1, CallEnd.Good, 1);
        _time.Advance(TimeSpan.FromMinutes(15));
        counts.Add(Acme, 1, CallEnd.Error, 1);
        var taken = counts.Take().Select(one => (one.Quarter.Start.Minute, one.Quarter.Of(CallEnd.Good), one.Quarter.Of(CallEnd.Error)));
        Assert.Equal([(0, 1L, 0L), (15, 0L, 1L)], taken.Order());
    }

    [Fact]
    public void A_call_of_a_tenant_that_was_called_in_the_quarter_before_allocates_nothing()
    {
        var counts = new TrafficCounts(TimeProvider.System);
        counts.Add(Acme, 1, CallEnd.Good, 1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            counts.Add(Acme, 1, CallEnd.Good, 1);
            counts.NotePeak(Acme, 1, LimitPeak.Calls, i);
            counts.NotePeak(Acme, 1, LimitPeak.Rate, i);
            counts.AddRefused(Acme, 1);
        }

        // The quarter may have ended meanwhile.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2000);
    }
}

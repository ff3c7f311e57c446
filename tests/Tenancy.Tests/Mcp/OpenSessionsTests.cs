using Microsoft.Extensions.Time.Testing;
using Tenancy.Configuration;
using Tenancy.Mcp.Sessions;

namespace Tenancy.Tests.Mcp;

public sealed class OpenSessionsTests
{
    [Fact]
    public void Where_many_sessions_are_in_use_they_are_not_all_looked_at_for_each_new_one()
    {
        var clock = new CountingClock();
        var sessions = new OpenSessions(clock);
        var tenant = TenantId.Parse("acme");
        for (var i = 0; i < 30_000; i++)
        {
            sessions.Add(tenant, $"session-{i}", "2025-11-25");
        }

        Assert.Equal(30_000, sessions.Count);
        Assert.InRange(clock.Looks, 1, 200_000);
    }

    [Fact]
    public void A_session_that_is_used_or_has_calls_is_not_idle()
    {
        var clock = new FakeTimeProvider();
        var sessions = new OpenSessions(clock);
        var tenant = TenantId.Parse("acme");
        var lifetime = TimeSpan.FromHours(1);
        var session = sessions.Enter(tenant, "one");
        clock.Advance(2 * lifetime);
        Assert.True(session.IsIdle(lifetime));

        // A request that goes the way of the SDK comes by here alone.
        Assert.Same(session, sessions.Enter(tenant, "one"));
        Assert.False(session.IsIdle(lifetime));

        var call = session.Begin("1");
        clock.Advance(2 * lifetime);
        Assert.False(session.IsIdle(lifetime));
        session.End("1", call);
        Assert.False(session.IsIdle(lifetime));
        clock.Advance(2 * lifetime);
        Assert.True(session.IsIdle(lifetime));
    }

    private sealed class CountingClock : TimeProvider
    {
        public long Looks { get; private set; }

        public override long GetTimestamp()
        {
            Looks++;
            return base.GetTimestamp();
        }
    }
}

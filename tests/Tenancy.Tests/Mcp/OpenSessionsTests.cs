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

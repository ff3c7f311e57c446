namespace Tenancy.Tests.Hosting;

/// <summary>What a class of tests needs to run, and so how long it takes: <c>bash tests/run TIER</c> runs the classes of one.</summary>
public enum Tier
{
    /// <summary>Nothing. A class without <see cref="TierAttribute"/> is of this tier.</summary>
    Unit,

    /// <summary>A server or a store inside the test's process.</summary>
    Server,

    /// <summary>Other processes: redis-server, a Redis Cluster, an example, a shell.</summary>
    Process,
}

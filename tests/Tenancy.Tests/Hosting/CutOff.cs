using StackExchange.Redis;
using StackExchange.Redis.Profiling;

namespace Tenancy.Tests.Hosting;

/// <summary>Lets so many commands through to a store and none after them, as if the node or its way to the store ended there.</summary>
internal sealed class CutOff
{
    private int _left = int.MaxValue;

    /// <summary>Lets so many more commands through.</summary>
    public void After(int commands) => Volatile.Write(ref _left, commands);

    public void Mend() => After(int.MaxValue);

    /// <summary>What the connection asks before each command.</summary>
    public ProfilingSession? Next() => Interlocked.Decrement(ref _left) >= 0 ? null : throw new RedisException("It is cut off.");
}

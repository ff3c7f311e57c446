using StackExchange.Redis;

namespace Tenancy.State;

/// <summary>A server that speaks the protocol of Redis and runs in this process; used where no Redis is configured.</summary>
internal interface IEmbeddedStore
{
    /// <summary>Starts the server, once, and says how to reach it.</summary>
    ConfigurationOptions Start();
}

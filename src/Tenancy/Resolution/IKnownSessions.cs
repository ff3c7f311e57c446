using Tenancy.Configuration;

namespace Tenancy.Resolution;

/// <summary>Says whether a session of a tenant is open on this node. Nobody is asked for it.</summary>
internal interface IKnownSessions
{
    /// <summary>Whether there is such a session.</summary>
    bool Knows(TenantId tenant, string sessionId);
}

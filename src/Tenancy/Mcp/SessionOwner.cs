using Tenancy.Authentication;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>Whose a session is: one caller's, and only as long as its tenant is neither suspended nor moved to another platform.</summary>
internal static class SessionOwner
{
    public static string Of(TenantModel tenant, CallerIdentity caller) => $"{tenant.Record.SessionEpoch}|{caller.Value}";
}

using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>Which members of a request may differ when it is sent again with its idempotency key.</summary>
internal static class AdcpRequestHash
{
    /// <summary>
    /// Gets AdCP's closed list of members that count for nothing. Anything else that differs, null in place of absent included, makes
    /// another request.
    /// </summary>
    public static OmittedMember[] Omitted { get; } =
    [
        new("idempotency_key"),
        new("context"),
        new("governance_context"),
        new("push_notification_config", new OmittedMember("authentication", new OmittedMember("credentials"))),
    ];
}

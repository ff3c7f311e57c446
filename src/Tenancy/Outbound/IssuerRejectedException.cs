namespace Tenancy.Outbound;

/// <summary>An issuer's documents were read, and they do not vouch for what the tenant's configuration says.</summary>
internal sealed class IssuerRejectedException(string reason) : Exception(reason);

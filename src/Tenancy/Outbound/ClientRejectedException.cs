namespace Tenancy.Outbound;

/// <summary>A client's metadata document was read, and it does not vouch for the client.</summary>
internal sealed class ClientRejectedException(string reason) : Exception(reason);

using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>Where a document was read from. No handler can make one up.</summary>
internal sealed record DocumentOrigin(TenantId Tenant, string AccountHash)
{
    /// <summary>
    /// Gets the document's place in the index, which no document that is created later under the same id has again; null for one that this
    /// call itself wrote. Two readings of one document are equal without it.
    /// </summary>
    public string? Place { get; init; }

    public bool Equals(DocumentOrigin? other) => other is not null && Tenant == other.Tenant && AccountHash == other.AccountHash;

    public override int GetHashCode() => HashCode.Combine(Tenant, AccountHash);
}

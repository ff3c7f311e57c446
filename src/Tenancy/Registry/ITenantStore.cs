using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>Where tenants are kept. Every change is one step: it happens whole, with the next version, or not at all.</summary>
internal interface ITenantStore
{
    /// <summary>All tenants, tombstones left out.</summary>
    IAsyncEnumerable<TenantRecord> LoadAsync(CancellationToken cancellationToken);

    /// <summary>Registers a tenant whose id and URLs are free.</summary>
    Task<TenantWrite> CreateAsync(TenantConfig tenant, DateTimeOffset createdAt, CancellationToken cancellationToken);

    /// <summary>Takes a tenant away and frees its URLs; a tombstone keeps the version. Null where there is no such tenant.</summary>
    Task<long?> RemoveAsync(TenantId id, CancellationToken cancellationToken);
}

/// <summary>What became of a write.</summary>
internal abstract record TenantWrite
{
    private TenantWrite()
    {
    }

    /// <summary>It happened.</summary>
    public sealed record Written(TenantRecord Record) : TenantWrite;

    /// <summary>The id is taken by this tenant.</summary>
    public sealed record Exists(TenantRecord Record) : TenantWrite;

    /// <summary>A URL is taken by another tenant.</summary>
    public sealed record UrlTaken(string Url, string Owner) : TenantWrite;

    /// <summary>The data of an earlier tenant with this id is still being deleted.</summary>
    public sealed record BeingPurged : TenantWrite;
}

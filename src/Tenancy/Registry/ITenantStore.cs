using Tenancy.Audit;
using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>Where tenants are kept. Every change is one step: it happens whole, with the next version, or not at all.</summary>
/// <remarks>
/// A registration takes several steps, and may be cut off between them. The store finishes it before it gives the tenant to anybody, so
/// that every tenant that it gives has a generation.
/// </remarks>
internal interface ITenantStore
{
    /// <summary>All tenants, tombstones left out.</summary>
    IAsyncEnumerable<TenantRecord> LoadAsync(CancellationToken cancellationToken);

    /// <summary>Registers a tenant whose id and URLs are free.</summary>
    /// <param name="tenant">The tenant; its version is given by the store.</param>
    /// <param name="creation">What is done where the id was used before.</param>
    /// <param name="principals">The principals that it begins with.</param>
    /// <param name="audit">The entry of the audit, which is written with it.</param>
    Task<TenantWrite> CreateAsync(TenantRecord tenant, TenantCreation creation, IReadOnlyList<DuePrincipal> principals, AuditEntry audit);

    /// <summary>Finds a tenant, or its tombstone.</summary>
    Task<StoredTenantState> FindAsync(TenantId id);

    /// <summary>Where the history of changes is now.</summary>
    Task<ChangePosition> GetPositionAsync();

    /// <summary>The tenants that changed after a position; null where the store has another history than the one that led there.</summary>
    Task<TenantChangeList?> ListChangesAsync(ChangePosition after);

    /// <summary>Claims the scheduled check of a tenant for this node.</summary>
    /// <param name="tenant">The tenant, with the last check that this node knows.</param>
    /// <param name="longest">The longest that a check takes: after that the claim is gone, because its node has died.</param>
    Task<RecheckClaim> ClaimRecheckAsync(TenantRecord tenant, TimeSpan longest);

    /// <summary>Gives back a claim whose check has not ended here.</summary>
    Task ReleaseRecheckAsync(TenantId id);

    /// <summary>Some of the tenants whose registration or deletion was begun and is not complete.</summary>
    Task<IReadOnlyList<TenantId>> ListUnfinishedAsync();

    /// <summary>Changes a tenant that is still at the version of the record that is given.</summary>
    /// <param name="tenant">The tenant as it shall be.</param>
    /// <param name="keepCheck">Whether the health stays as the store has it, whatever the record says.</param>
    /// <param name="audit">The entry of the audit, which is written with it.</param>
    Task<TenantWrite> UpdateAsync(TenantRecord tenant, bool keepCheck, AuditEntry audit);

    /// <summary>Keeps the result of a check, if the tenant is still at this version.</summary>
    Task WriteCheckAsync(TenantId id, long version, TenantCheck check);

    /// <summary>Takes a tenant away and frees its URLs; a tombstone keeps the version.</summary>
    /// <param name="id">The tenant.</param>
    /// <param name="purge">Whether its data is to be deleted: until that is done, nobody can have the id.</param>
    /// <param name="audit">The entry of the audit, which is written with it.</param>
    Task<TenantRemoval> RemoveAsync(TenantId id, bool purge, AuditEntry audit);
}

/// <summary>What the store has of a tenant.</summary>
/// <param name="Record">The tenant; null where there is none.</param>
/// <param name="Tombstone">The version at which it went; null where there is no trace of it.</param>
internal sealed record StoredTenantState(TenantRecord? Record, long? Tombstone);

/// <summary>A place in the history of all changes.</summary>
/// <param name="Version">The version of the last change before it.</param>
/// <param name="Tag">What tells that change from another with the same version, after the store has lost some.</param>
internal readonly record struct ChangePosition(long Version, string Tag);

/// <summary>Some of the tenants that changed.</summary>
/// <param name="Tenants">The tenants, each once, with the versions of their last changes.</param>
/// <param name="UpTo">The position after these changes.</param>
/// <param name="HasMore">Whether there are later changes.</param>
internal sealed record TenantChangeList(IReadOnlyList<(TenantId Id, long Version)> Tenants, ChangePosition UpTo, bool HasMore);

/// <summary>Whether a node may run the scheduled check of a tenant.</summary>
/// <param name="IsClaimed">Whether it may.</param>
/// <param name="Later">The check that another node made meanwhile, with the tenant's version; null where there is none.</param>
internal sealed record RecheckClaim(bool IsClaimed, (long Version, TenantCheck Check)? Later);

/// <summary>What became of a removal.</summary>
/// <param name="Existed">Whether there was such a tenant.</param>
/// <param name="Version">The version of the tombstone; null where there never was a tenant with this id.</param>
internal sealed record TenantRemoval(bool Existed, long? Version);

/// <summary>What became of a write.</summary>
internal abstract record TenantWrite
{
    private TenantWrite() { }

    /// <summary>It happened, with this version; that is also the generation of a tenant that was registered.</summary>
    public sealed record Written(long Version) : TenantWrite
    {
        /// <summary>What the tenant has of an unregistered one; null where there was none.</summary>
        public AdoptedData? Adopted { get; init; }
    }

    /// <summary>What an unregistered tenant left has a principal with the token of this one already.</summary>
    public sealed record TokenTaken(int Principal) : TenantWrite;

    /// <summary>With what an unregistered tenant left there would be too many principals.</summary>
    public sealed record TooManyPrincipals(int Kept) : TenantWrite;

    /// <summary>An unregistered tenant with this id left data behind, and its source does not say that it is the same one's.</summary>
    public sealed record HasDataOfAnother : TenantWrite;

    /// <summary>The id is taken by this tenant; or, for a change, the tenant is at another version than was thought.</summary>
    public sealed record Exists(TenantRecord Record) : TenantWrite;

    /// <summary>A URL is taken by another tenant.</summary>
    public sealed record UrlTaken(string Url, string Owner) : TenantWrite;

    /// <summary>Another tenant has the same issuer and this audience.</summary>
    public sealed record AudienceTaken(string Audience, string Owner) : TenantWrite;

    /// <summary>
    /// Other tenants of the issuer, whose clients stand for the audience, too, find them by another claim; empty for the usual ones.
    /// </summary>
    public sealed record ClientsFoundOtherwise(string ClientClaim) : TenantWrite;

    /// <summary>There is no such tenant; the version is that of its tombstone, null where there never was one.</summary>
    public sealed record Missing(long? Version) : TenantWrite;

    /// <summary>An unregistered tenant with this id left data behind.</summary>
    public sealed record HasKeptData : TenantWrite;

    /// <summary>The store has lost what became of an earlier tenant with this id, and not what that one keeps.</summary>
    public sealed record IsBehindItsData : TenantWrite;

    /// <summary>The id was used before, and the tenant was to be seeded only.</summary>
    public sealed record WasUsed : TenantWrite;

    /// <summary>The data of an earlier tenant with this id is still being deleted.</summary>
    public sealed record BeingPurged : TenantWrite;
}

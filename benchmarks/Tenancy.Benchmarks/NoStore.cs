using System.Globalization;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Benchmarks;

/// <summary>
/// Keeps no tenant and says yes to everything at once; only what a tenant's own slot begins with is kept, where there is one.
/// </summary>
internal sealed class NoStore(RedisTenantStore? slots = null) : ITenantStore
{
    private long _version;

    public IAsyncEnumerable<TenantRecord> LoadAsync(CancellationToken cancellationToken) => AsyncEnumerable.Empty<TenantRecord>();

    public async Task<TenantWrite> CreateAsync(
        TenantRecord tenant,
        TenantCreation creation,
        IReadOnlyList<DuePrincipal> principals,
        AuditEntry audit
    )
    {
        var version = ++_version;
        if (slots is not null && principals.Count > 0)
        {
            var due = DueBeginning.Of([.. principals]);
            await slots.BeginAsync(TenantId.Parse(tenant.Config.Id), version.ToString(CultureInfo.InvariantCulture), due);
        }

        return new TenantWrite.Written(version);
    }

    public Task<StoredTenantState> FindAsync(TenantId id) => throw new StoreUnavailableException(new NotSupportedException());

    public Task<ChangePosition> GetPositionAsync() => Task.FromResult(new ChangePosition(0, ""));

    public Task<TenantChangeList?> ListChangesAsync(ChangePosition after) =>
        Task.FromResult<TenantChangeList?>(new([], after, HasMore: false));

    public Task<RecheckClaim> ClaimRecheckAsync(TenantRecord tenant, TimeSpan longest) =>
        Task.FromResult(new RecheckClaim(IsClaimed: true, Later: null));

    public Task ReleaseRecheckAsync(TenantId id) => Task.CompletedTask;

    public Task<IReadOnlyList<TenantId>> ListUnfinishedAsync() => Task.FromResult<IReadOnlyList<TenantId>>([]);

    public Task<TenantWrite> UpdateAsync(TenantRecord tenant, bool keepCheck, AuditEntry audit) =>
        Task.FromResult<TenantWrite>(new TenantWrite.Written(++_version));

    public Task WriteCheckAsync(TenantId id, long version, TenantCheck check) => Task.CompletedTask;

    public Task<TenantRemoval> RemoveAsync(TenantId id, bool purge, AuditEntry audit) =>
        Task.FromResult(new TenantRemoval(Existed: true, ++_version));
}

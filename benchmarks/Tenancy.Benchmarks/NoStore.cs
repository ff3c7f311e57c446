using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Benchmarks;

/// <summary>Keeps no tenant and says yes to everything at once: what is measured is memory.</summary>
internal sealed class NoStore : ITenantStore
{
    private long _version;

    public IAsyncEnumerable<TenantRecord> LoadAsync(CancellationToken cancellationToken) => AsyncEnumerable.Empty<TenantRecord>();

    public Task<TenantWrite> CreateAsync(TenantRecord tenant, TenantCreation creation, IReadOnlyList<DuePrincipal> principals) =>
        UpdateAsync(tenant);

    public Task<TenantRecord?> FindAsync(TenantId id) => Task.FromResult<TenantRecord?>(null);

    public Task<IReadOnlyList<TenantId>> ListUnfinishedAsync() => Task.FromResult<IReadOnlyList<TenantId>>([]);

    public Task<TenantWrite> UpdateAsync(TenantRecord tenant) => Task.FromResult<TenantWrite>(new TenantWrite.Written(++_version));

    public Task WriteCheckAsync(TenantId id, long version, TenantCheck check) => Task.CompletedTask;

    public Task<TenantRemoval> RemoveAsync(TenantId id, bool purge) => Task.FromResult(new TenantRemoval(Existed: true, ++_version));
}

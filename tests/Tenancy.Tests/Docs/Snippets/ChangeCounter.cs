using Tenancy.Registry;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class ChangeCounter : ITenantChangeListener
{
    private int _changes;

    public int Changes => Volatile.Read(ref _changes);

    // On a thread of its own, one change after the other: who is slow hears of later changes later.
    public void OnTenantChanged(TenantChange change) => Interlocked.Increment(ref _changes);
}

using System.Collections.Concurrent;
using Tenancy.Tests.Hosting;

[assembly: AssemblyFixture(typeof(TestStores))]

namespace Tenancy.Tests.Hosting;

/// <summary>
/// One store of each kind for the whole run, started when a test first asks for it. Tests share it, and each has tenants of its own.
/// </summary>
public sealed class TestStores : IAsyncDisposable
{
    private readonly ConcurrentDictionary<StoreKind, Lazy<Task<RunningStore>>> _stores = new();

    internal async Task<TestStore> GetAsync(StoreKind kind, TimeProvider? time = null)
    {
        var running = await _stores.GetOrAdd(kind, static kind => new(() => RunningStore.StartAsync(kind))).Value;
        return new(running.Settings, time ?? TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores.Values.Where(store => store is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }))
        {
            await (await store.Value).DisposeAsync();
        }
    }
}

namespace Tenancy.Tests.Hosting;

/// <summary>A store that a test shares with no other, for what concerns all tenants of a store.</summary>
internal sealed class OwnStore : IAsyncDisposable
{
    private readonly RunningStore _running;

    private OwnStore(RunningStore running) => (_running, Store) = (running, new(running.Settings, TimeProvider.System));

    public TestStore Store { get; }

    public static async Task<OwnStore> StartAsync(StoreKind kind) => new(await RunningStore.StartAsync(kind));

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await _running.DisposeAsync();
    }
}

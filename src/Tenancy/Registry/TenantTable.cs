using System.Collections.Concurrent;
using Tenancy.Configuration;
using Tenancy.Validation;

namespace Tenancy.Registry;

/// <summary>
/// The models that requests see, by id and by URL. Readers take no lock; the one writer swaps whole models, and only for newer ones.
/// </summary>
internal sealed class TenantTable
{
    private readonly ConcurrentDictionary<string, TenantState> _tenants = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TenantState>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly TenantRoutes _routes = new();
    private readonly TenantIndex _index = new();
    private readonly Lock _writer = new();
    private readonly TenantChangeNotifier _changes;
    private int _count;

    public TenantTable(TenantChangeNotifier changes)
    {
        _bySpan = _tenants.GetAlternateLookup<ReadOnlySpan<char>>();
        _changes = changes;
    }

    public int Count => Volatile.Read(ref _count);

    /// <summary>The ids of the tenants that are here, by their health.</summary>
    public TenantIndex Index => _index;

    /// <summary>The ids of the tenants that are here, and of those that were.</summary>
    public IEnumerable<TenantId> Ids => _tenants.Keys.Select(TenantId.Parse);

    public IEnumerable<TenantModel> Models => _tenants.Values.Select(state => state.Model).OfType<TenantModel>();

    public TenantModel? Get(ReadOnlySpan<char> tenantId) => _bySpan.TryGetValue(tenantId, out var state) ? state.Model : null;

    /// <summary>The place of a tenant; null where there never was one with this id.</summary>
    public TenantState? Find(TenantId tenantId) => _tenants.GetValueOrDefault(tenantId.Value);

    /// <summary>Finds the tenant URL that is the longest prefix of a canonical host and a path, whatever its tenant's status.</summary>
    public bool TryFindUrl(ReadOnlySpan<char> host, ReadOnlySpan<char> path, out TenantRoutes.Match match) =>
        _routes.TryFind(host, path, out match);

    /// <summary>Whether a tenant that is not suspended has a URL at this canonical host.</summary>
    public bool HasActiveHost(ReadOnlySpan<char> host) => _routes.HasActiveHost(host);

    /// <summary>
    /// Puts a model in place, unless a newer change is there already, and lets go of the platform that is not used any more.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="swap">What stays as it is at this moment, whatever the model says.</param>
    public Task SwapAsync(TenantModel model, TenantSwap swap) => SwapAsync(model, swap, state => state.AppliedVersion < model.Version);

    /// <summary>
    /// Puts a model in place whose version cannot be compared with what is here, because the store has lost the history of that. Where the
    /// tenant has changed here since it was seen, that stays.
    /// </summary>
    public Task ResetAsync(TenantModel? seen, TenantModel model, TenantSwap swap) =>
        SwapAsync(model, swap, state => IsUnchanged(state.Model, seen));

    private async Task SwapAsync(TenantModel model, TenantSwap swap, Func<TenantState, bool> mayChange)
    {
        PlatformInstance? unused;
        CancellationTokenSource? ended = null;
        lock (_writer)
        {
            var state = _tenants.GetOrAdd(model.Id.Value, static _ => new());
            var before = state.Model;
            if (!mayChange(state))
            {
                unused = ReferenceEquals(model.Platform, before?.Platform) ? null : model.Platform;
            }
            else
            {
                // The id may have gone and come back, as somebody else's, since this node looked.
                var isAnother = before is not null && !before.Record.IsSameLife(model.Record);
                if (swap != TenantSwap.Whole && before is not null && !isAnother)
                {
                    model = model.With(swap == TenantSwap.KeepCheck ? before.Record.Check : model.Record.Check, before.Platform);
                }

                state.AppliedVersion = model.Version;
                Put(state, model);
                _routes.Replace(before, model, state);
                _count += before is null ? 1 : 0;
                unused = ReferenceEquals(model.Platform, before?.Platform) ? null : before?.Platform;
                if (isAnother)
                {
                    _changes.Enqueue(new(TenantChangeKind.Removed, model.Id, before, After: null));
                }

                _changes.Enqueue(
                    isAnother
                        ? new(TenantChangeKind.Registered, model.Id, Before: null, model)
                        : new(KindOf(before, model), model.Id, before, model)
                );
                if (before is not null && (isAnother || (model.IsSuspended && !before.IsSuspended)))
                {
                    ended = state.TakePresence();
                }
            }
        }

        await PublishAsync(unused, ended).ConfigureAwait(false);
    }

    /// <summary>Takes a tenant away, unless a newer change is there already.</summary>
    /// <returns>Whether it was there.</returns>
    public Task<bool> RemoveAsync(TenantId id, long version) => RemoveAsync(id, version, state => state.AppliedVersion < version);

    /// <summary>
    /// Takes a tenant away that the store has lost, and begins the count of its changes anew. Where it has changed here since it was seen,
    /// it stays.
    /// </summary>
    public Task<bool> ResetAsync(TenantId id, TenantModel? seen, long version) =>
        RemoveAsync(id, version, state => IsUnchanged(state.Model, seen));

    private async Task<bool> RemoveAsync(TenantId id, long version, Func<TenantState, bool> mayChange)
    {
        TenantModel? before = null;
        CancellationTokenSource? ended = null;
        lock (_writer)
        {
            // The empty state stays, so that an older change that arrives late cannot bring the tenant back.
            var state = _tenants.GetOrAdd(id.Value, static _ => new());
            if (mayChange(state))
            {
                before = state.Model;
                state.AppliedVersion = version;
                Put(state, model: null);
                if (before is not null)
                {
                    _routes.Replace(before, after: null, state);
                    _count--;
                    _changes.Enqueue(new(TenantChangeKind.Removed, id, before, After: null));
                    ended = state.TakePresence();
                }
            }
        }

        await PublishAsync(before?.Platform, ended).ConfigureAwait(false);
        return before is not null;
    }

    /// <summary>Gives a tenant the health that another node found, if that is later than what is known here.</summary>
    /// <returns>The model after it; null where nothing changed.</returns>
    public async Task<TenantModel?> SetStoredCheckAsync(TenantModel stored, TenantCheck check)
    {
        TenantModel? after = null;
        lock (_writer)
        {
            if (
                _tenants.GetValueOrDefault(stored.Id.Value) is { Model: { } current } state
                && current.Version == stored.Version
                && check.CheckedAt is { } checkedAt
                && !(current.Record.Check.CheckedAt >= checkedAt)
            )
            {
                Put(state, after = current.With(check, current.Platform));
                if (after.Health != current.Health || after.Record.Check.Reason != current.Record.Check.Reason)
                {
                    _changes.Enqueue(new(TenantChangeKind.Health, current.Id, current, after));
                }
            }
        }

        await PublishAsync(unused: null, ended: null).ConfigureAwait(false);
        return after;
    }

    /// <summary>
    /// Gives a tenant the health that a check found, unless its configuration is not the one that was checked any more. The health that a
    /// later check of another node found stays.
    /// </summary>
    /// <returns>The models before and after; null where the result was dropped.</returns>
    public Task<(TenantModel Before, TenantModel After)?> SetCheckAsync(
        TenantState state,
        TenantModel isChecked,
        TenantProbeResult result,
        DateTimeOffset began
    ) =>
        SetAsync(
            state,
            isChecked,
            result.Platform,
            current =>
                current.Record.Check != isChecked.Record.Check && current.Record.Check.CheckedAt > began
                    ? current.Record.Check
                    : Next(current, result.Validation, began),
            isNews: true
        );

    /// <summary>
    /// Gives a stored tenant the platform that was built for it, or the health that follows where that failed, unless its configuration has
    /// changed meanwhile.
    /// </summary>
    /// <returns>The models before and after; null where the result was dropped.</returns>
    public Task<(TenantModel Before, TenantModel After)?> SetPlatformAsync(
        TenantState state,
        TenantModel stored,
        PlatformInstance? platform,
        TenantValidation? failure,
        DateTimeOffset now
    ) =>
        SetAsync(
            state,
            stored,
            platform,
            current => failure is null ? current.Record.Check : Next(current, failure, now),
            isNews: failure is not null
        );

    private async Task<(TenantModel Before, TenantModel After)?> SetAsync(
        TenantState state,
        TenantModel isChecked,
        PlatformInstance? platform,
        Func<TenantModel, TenantCheck> next,
        bool isNews
    )
    {
        (TenantModel Before, TenantModel After)? swapped = null;
        PlatformInstance? unused = null;
        lock (_writer)
        {
            var current = state.Model;
            if (current is null || current.Version != isChecked.Version || !ReferenceEquals(current.Platform, isChecked.Platform))
            {
                unused = ReferenceEquals(platform, isChecked.Platform) ? null : platform;
            }
            else
            {
                // Where another could not be built, the one that was there goes on: whether the tenant is served is for its health to say.
                var after = current.With(next(current), platform ?? current.Platform);
                Put(state, after);
                unused = ReferenceEquals(after.Platform, current.Platform) ? null : current.Platform;
                swapped = (current, after);
                if (
                    isNews
                    && (
                        after.Health != current.Health
                        || after.Record.Check.Reason != current.Record.Check.Reason
                        || !ReferenceEquals(after.Platform, current.Platform)
                    )
                )
                {
                    _changes.Enqueue(new(TenantChangeKind.Health, current.Id, current, after));
                }
            }
        }

        await PublishAsync(unused, ended: null).ConfigureAwait(false);
        return swapped;
    }

    private void Put(TenantState state, TenantModel? model)
    {
        _index.Replace(state.Model, model);
        state.Model = model;
    }

    /// <summary>
    /// After the lock: tells of the change, ends the checks of a tenant that is not served any more, and lets go of a platform that is not
    /// used any more.
    /// </summary>
    private async ValueTask PublishAsync(PlatformInstance? unused, CancellationTokenSource? ended)
    {
        _changes.Publish();

        // Not awaited: what is registered with it is the code of others, and may block.
        _ = ended?.CancelAsync();
        if (unused is not null)
        {
            await unused.ReleaseAsync().ConfigureAwait(false);
        }
    }

    // Whether a tenant has the configuration that was seen before. Checks may have found another health meanwhile, or built another
    // platform: that is no change of the tenant.
    private static bool IsUnchanged(TenantModel? here, TenantModel? seen) =>
        here is null ? seen is null : here.Version == seen?.Version && ReferenceEquals(here.Config, seen.Config);

    private static TenantCheck Next(TenantModel current, TenantValidation validation, DateTimeOffset now) =>
        TenantHealthPolicy.Next(current.Record.Check, validation, now);

    private static TenantChangeKind KindOf(TenantModel? before, TenantModel after) =>
        before is null ? TenantChangeKind.Registered
        : after.IsSuspended && !before.IsSuspended ? TenantChangeKind.Suspended
        : TenantChangeKind.Updated;
}

using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Validation;

namespace Tenancy.Registry;

/// <summary>
/// Makes this node have what the store has: all tenants at the start, and then each that another node, or a call whose answer was lost, has
/// registered, changed or taken away.
/// </summary>
internal sealed class StoredTenants(
    TenantTable table,
    ITenantStore store,
    TenantProbe probe,
    PlatformBuilds builds,
    TimeProvider time,
    ILogger logger
)
{
    private const int MaxAtOnce = 16;

    // How many tenants may be behind those that followed them: their platforms are foreign code, which may block threads.
    private const int MaxSlow = 64;

    private int _slow;

    // The tenants that the last tries to follow them failed for. They are tried again each time, so that nothing is missed for good.
    private readonly ConcurrentDictionary<TenantId, bool> _missed = new();

    /// <summary>How long a tenant goes on as it was while the platform for its change is built. It is not served after that.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a tenant that changed may keep those behind it waiting. What is built for it after that changes nothing of the others.
    /// </summary>
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(20);

    /// <summary>Puts all tenants of the store in place, with the health that they had. Their platforms are yet to be built.</summary>
    /// <returns>Where the history of changes was before: what came later may not be among them.</returns>
    public async Task<ChangePosition> LoadAsync(CancellationToken cancellationToken)
    {
        var position = await store.GetPositionAsync().ConfigureAwait(false);
        var records = await store.LoadAsync(cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (var record in records)
        {
            var known = IsOutdated(record.Check, records.Count)
                ? record with
                {
                    Check = record.Check with { Health = TenantHealth.Unverified },
                }
                : record;
            await table.SwapAsync(new TenantModel(known, platform: null), TenantSwap.Whole).ConfigureAwait(false);
        }

        return position;
    }

    /// <summary>Builds the platforms of the tenants that have none now. One that hangs keeps no other waiting.</summary>
    public Task BuildAsync(CancellationToken cancellationToken) => builds.BuildAllAsync(cancellationToken);

    /// <summary>Asks the store for a tenant, and makes this node have it as it is there.</summary>
    /// <returns>The tenant; null where it is gone.</returns>
    /// <remarks>Who asks may leave: the tenant is put in place all the same.</remarks>
    public Task<TenantModel?> FollowAsync(TenantId id, CancellationToken cancellationToken) =>
        FollowAsync(id, isReset: false).WaitAsync(cancellationToken);

    /// <summary>Makes this node have the tenants that changed after a position.</summary>
    /// <returns>The position that it has now; null where the store has another history than the one that led there.</returns>
    public async Task<ChangePosition?> FollowAsync(ChangePosition position, CancellationToken cancellationToken)
    {
        while (await store.ListChangesAsync(position).ConfigureAwait(false) is { } changes)
        {
            // What this node has changed itself is not asked for again.
            var news = changes
                .Tenants.Where(change => !(table.Find(change.Id)?.AppliedVersion >= change.Version))
                .Select(change => change.Id);
            var missed = _missed.Keys.ToArray();
            await ForEachAsync(news.Union(missed), id => id, FollowInTurnAsync, cancellationToken).ConfigureAwait(false);
            position = changes.UpTo;
            if (!changes.HasMore)
            {
                return position;
            }
        }

        return null;
    }

    /// <summary>
    /// Makes this node have what the store has, whatever was here: the store has lost some of what it had, and versions are used again.
    /// </summary>
    /// <returns>The position that the node has then, and how many tenants the store does not have any more.</returns>
    public async Task<(ChangePosition Position, int Gone)> ResetAsync(CancellationToken cancellationToken)
    {
        // What changes here while all of it is read is later than what is read.
        var seen = table.Models.ToDictionary(model => model.Id);
        var position = await store.GetPositionAsync().ConfigureAwait(false);
        var there = new HashSet<TenantId>();
        var records = await store.LoadAsync(cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        there.UnionWith(records.Select(record => TenantId.Parse(record.Config.Id)));

        // What is gone first: it must not be served a moment longer. Each is asked for once more, because it may have been registered while
        // the others were read.
        var gone = table.Ids.Where(id => !there.Contains(id)).ToArray();
        var before = table.Count;
        await ForEachAsync(gone, id => id, id => FollowAsync(id, isReset: true), cancellationToken).ConfigureAwait(false);
        var lost = before - table.Count;
        await ForEachAsync(
                records,
                record => TenantId.Parse(record.Config.Id),
                record => ApplyAsync(record, seen.GetValueOrDefault(TenantId.Parse(record.Config.Id)), isReset: true),
                cancellationToken
            )
            .ConfigureAwait(false);
        return (position, lost);
    }

    /// <summary>Completes a registration that was cut off, and serves the tenant.</summary>
    public async Task CompleteAsync(TenantId id, CancellationToken cancellationToken)
    {
        if ((await store.FindAsync(id).ConfigureAwait(false)).Record is { } record && table.Get(id.Value) is null)
        {
            await PlaceAsync(record, wait: false, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Puts a tenant in place that another node has registered.</summary>
    public async Task PlaceAsync(TenantRecord record, bool wait, CancellationToken cancellationToken)
    {
        await table.SwapAsync(new TenantModel(record, platform: null), TenantSwap.Whole).ConfigureAwait(false);
        await BuildAsync(TenantId.Parse(record.Config.Id), wait, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes this node have a tenant as the store has it, unless it has a later change.</summary>
    public Task ApplyAsync(TenantRecord record, CancellationToken cancellationToken) =>
        ApplyAsync(record, table.Get(record.Config.Id), isReset: false).WaitAsync(cancellationToken);

    /// <summary>
    /// Takes a tenant away here that the store does not have any more: it went just now, or with a call whose answer was lost.
    /// </summary>
    /// <param name="id">The tenant.</param>
    /// <param name="seen">What was here before the store was asked.</param>
    /// <param name="removal">
    /// What the store says. Where the store has lost the tombstone, too, the model that was seen goes, and no later one.
    /// </param>
    /// <returns>False when there was no such tenant, neither there nor here.</returns>
    public async Task<bool> RemoveAsync(TenantId id, TenantModel? seen, TenantRemoval removal)
    {
        if ((removal.Version ?? seen?.Version + 1) is not { } version)
        {
            return false;
        }

        // A tombstone that is older than what was here is of another history: versions cannot be compared then. What is here may be of that
        // history, too, by now, and then they can.
        var isGone = version <= seen?.Version && await table.ResetAsync(id, seen, version).ConfigureAwait(false);
        isGone |= await table.RemoveAsync(id, version).ConfigureAwait(false);
        if (!isGone && !removal.Existed)
        {
            return false;
        }

        logger.TenantUnregistered(id.Value, version);
        return true;
    }

    private async Task<TenantModel?> FollowAsync(TenantId id, bool isReset)
    {
        await (await BeginToFollowAsync(id, isReset).ConfigureAwait(false)).ConfigureAwait(false);
        return table.Get(id.Value);
    }

    /// <summary>Makes this node have a tenant as the store has it. What a platform takes to be built is waited for a moment only.</summary>
    private async Task FollowInTurnAsync(TenantId id)
    {
        var applying = await BeginToFollowAsync(id, isReset: false).ConfigureAwait(false);
        await applying.WaitAsync(Turn, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (applying.IsCompleted)
        {
            await applying.ConfigureAwait(false);
        }
        else if (Interlocked.Increment(ref _slow) <= MaxSlow)
        {
            _ = FollowBehindAsync(id, applying);
        }
        else
        {
            Interlocked.Decrement(ref _slow);
            await applying.ConfigureAwait(false);
        }
    }

    // A later change of the tenant may have been missed meanwhile: that this one ended well says nothing of it.
    private async Task FollowBehindAsync(TenantId id, Task applying)
    {
        try
        {
            await applying.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            NoteMissed(id, exception);
        }
        finally
        {
            Interlocked.Decrement(ref _slow);
        }
    }

    // Said once, and not each time that it is tried again.
    private void NoteMissed(TenantId id, Exception exception)
    {
        if (_missed.TryAdd(id, true))
        {
            logger.TenantNotFollowed(exception, id.Value);
        }
    }

    /// <summary>Asks the store for a tenant, and begins to make this node have it as it is there.</summary>
    /// <returns>Ends when the node has it.</returns>
    private async Task<Task> BeginToFollowAsync(TenantId id, bool isReset)
    {
        var seen = table.Get(id.Value);
        var (record, tombstone) = await store.FindAsync(id).ConfigureAwait(false);
        return record is not null ? ApplyAsync(record, seen, isReset || IsOfAnotherHistory(seen?.Record, record))
            : isReset ? table.ResetAsync(id, seen, tombstone ?? 0)
            : RemoveAsync(id, seen, new(Existed: false, tombstone));
    }

    /// <param name="record">The tenant as the store has it.</param>
    /// <param name="current">What was here before the store was asked.</param>
    /// <param name="isReset">Whether the store has another history, so that versions do not tell which of the two is later.</param>
    private async Task ApplyAsync(TenantRecord record, TenantModel? current, bool isReset)
    {
        var id = TenantId.Parse(record.Config.Id);
        if (current is not null && IsSame(current.Record, record))
        {
            if (await table.SetStoredCheckAsync(current, record.Check).ConfigureAwait(false) is { Platform: null })
            {
                await BuildAsync(id, wait: false, CancellationToken.None).ConfigureAwait(false);
            }

            return;
        }

        Func<TenantModel, TenantSwap, Task> put = isReset ? (model, swap) => table.ResetAsync(current, model, swap) : table.SwapAsync;
        if (
            current is not null
            && current.Record.IsSameLife(record)
            && current.Config.EffectsTo(record.Config).HasFlag(ChangeEffects.NewPlatform)
        )
        {
            await ReplaceAsync(record, put).ConfigureAwait(false);
            return;
        }

        await put(new(record, platform: null), TenantSwap.KeepPlatform).ConfigureAwait(false);
        if (table.Get(id.Value) is { Platform: null })
        {
            await BuildAsync(id, wait: false, CancellationToken.None).ConfigureAwait(false);
        }
    }

    // Versions only grow while the store loses nothing. The record here was here before the store was asked.
    private static bool IsOfAnotherHistory(TenantRecord? seen, TenantRecord there) =>
        seen is not null && (there.Version < seen.Version || (there.Version == seen.Version && !IsSame(seen, there)));

    // Where a version came twice, because the store has lost the first change with it, the version alone does not tell.
    private static bool IsSame(TenantRecord here, TenantRecord there) =>
        here.IsUnreadable == there.IsUnreadable
        && here.Version == there.Version
        && here.SessionEpoch == there.SessionEpoch
        && here.Config.Equals(there.Config);

    /// <summary>Puts a change in place that needs another platform, when that is built: the old one serves until then.</summary>
    private async Task ReplaceAsync(TenantRecord record, Func<TenantModel, TenantSwap, Task> put)
    {
        if (record.Check.Health == TenantHealth.Disabled)
        {
            await put(new(record, platform: null), TenantSwap.Whole).ConfigureAwait(false);
            return;
        }

        var began = time.GetUtcNow();
        var building = probe.BuildAsync(record.Config, CancellationToken.None);
        if (await Task.WhenAny(building, Task.Delay(Patience, time)).ConfigureAwait(false) != building)
        {
            // What the change takes away, such as a caller's right to call, must not wait for a platform that may never be there.
            var waiting = new TenantModel(record, platform: null);
            await put(waiting, TenantSwap.Whole).ConfigureAwait(false);
            _ = FinishAsync(waiting, building, began);
            return;
        }

        var (platform, failure) = await building.ConfigureAwait(false);
        if (failure is not null)
        {
            record = record with { Check = TenantHealthPolicy.Next(record.Check, failure, began) };
        }

        await put(new(record, platform), TenantSwap.Whole).ConfigureAwait(false);
    }

    private async Task FinishAsync(
        TenantModel waiting,
        Task<(PlatformInstance? Platform, TenantValidation? Failure)> building,
        DateTimeOffset began
    )
    {
        var (platform, failure) = await building.ConfigureAwait(false);
        await table.SetPlatformAsync(table.Find(waiting.Id)!, waiting, platform, failure, began).ConfigureAwait(false);
    }

    private async Task BuildAsync(TenantId id, bool wait, CancellationToken cancellationToken)
    {
        var (state, progress) = (table.Find(id)!, new CheckProgress());
        var built = state.CheckAsync(() => builds.BuildAsync(state, CancellationToken.None, progress), progress);
        await (wait ? built.WaitAsync(cancellationToken) : progress.SettleAsync(built)).ConfigureAwait(false);
    }

    /// <summary>
    /// Does something for each tenant, for some at once: one whose platform is slow does not keep the others waiting, and one that fails
    /// does not keep them from being followed.
    /// </summary>
    private Task ForEachAsync<T>(IEnumerable<T> all, Func<T, TenantId> idOf, Func<T, Task> one, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            all,
            new ParallelOptions { MaxDegreeOfParallelism = MaxAtOnce, CancellationToken = cancellationToken },
            (item, _) => new(TryAsync(idOf(item), () => one(item)))
        );

    private async Task TryAsync(TenantId id, Func<Task> follow)
    {
        try
        {
            await follow().ConfigureAwait(false);
            _missed.TryRemove(id, out bool _);
        }
        catch (Exception exception)
        {
            NoteMissed(id, exception);
        }
    }

    /// <summary>Whether a tenant was healthy so long ago that it has to be shown again; it is served meanwhile.</summary>
    private bool IsOutdated(TenantCheck check, int tenants) =>
        check.Health == TenantHealth.Healthy
        && probe.HasValidators
        && time.GetUtcNow() - check.CheckedAt > 2 * RecheckInterval.Healthy(tenants);
}

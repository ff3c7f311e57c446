using System.Globalization;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>Deletes all that a deleted tenant kept, by its indexes and in batches. Cut off anywhere, it can be begun again.</summary>
/// <remarks>
/// First the tombstone notes that the deletion is due, so that no crash can lose it. Then the generation of the tenant is ended, so that
/// nothing that began before can still be written. Only then is anything deleted. Each batch names the tombstone: a late batch deletes
/// nothing of a tenant that was registered anew under the id.
/// </remarks>
internal sealed class TenantPurge(RedisConnection redis, AuditLog? audit = null, UsageStore? usage = null)
{
    private const int BatchSize = 500;
    private const int MaxListed = 20;

    // Registrations that are not complete are listed among the deletions.
    private const int MaxLookedAt = 100;

    /// <summary>How long a node that dies keeps others from going on.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan WaitInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>How far the deletion of what a tenant kept is; null where none is due.</summary>
    public async Task<PurgeProgress?> FindAsync(TenantId tenant) =>
        await redis.GetFieldsAsync(FleetKeyspace.Metadata(tenant), "purging", "purged").ConfigureAwait(false)
            is [{ IsNull: false }, var purged]
            ? new(purged.IsNull ? 0 : long.Parse(purged.ToString(), CultureInfo.InvariantCulture))
            : null;

    /// <summary>The first tenants that are deleted and whose data is not gone yet, by the time at which their deletion began.</summary>
    public async Task<IReadOnlyList<(TenantId Tenant, PurgeProgress Progress)>> ListAsync()
    {
        var unfinished = await redis.GetFirstAsync(FleetKeyspace.Unfinished, MaxLookedAt).ConfigureAwait(false);
        var found = await Task.WhenAll(
                unfinished.Select(async entry =>
                {
                    var tenant = TenantId.Parse(entry.ToString());
                    return (Tenant: tenant, Progress: await FindAsync(tenant).ConfigureAwait(false));
                })
            )
            .ConfigureAwait(false);
        return [.. found.Where(one => one.Progress is not null).Take(MaxListed).Select(one => (one.Tenant, one.Progress!))];
    }

    /// <summary>Deletes what a tenant kept that was deleted, where that is not done yet.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="waits">Whether to wait for another one that does it; else it is left to that.</param>
    /// <param name="cancellationToken">Cuts it off.</param>
    /// <returns>False where nothing was to be done, or another one does it.</returns>
    public async Task<bool> RunAsync(TenantId tenant, bool waits, CancellationToken cancellationToken)
    {
        var run = new Run(redis, tenant, audit, usage);
        var isDue = false;
        while (true)
        {
            switch (await run.ClaimAsync(Lease).ConfigureAwait(false))
            {
                case PurgeClaim.NothingDue:
                    return isDue;
                case PurgeClaim.Mine:
                    await run.DeleteAsync(cancellationToken).ConfigureAwait(false);
                    return true;
                case PurgeClaim.Anothers when !waits:
                    return false;
            }

            // The machine's clock, which no test moves: another node's purge takes real time.
            isDue = true;
            await Task.Delay(WaitInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    private enum PurgeClaim
    {
        NothingDue,
        Mine,
        Anothers,
    }

    /// <summary>One node's part of a purge.</summary>
    private sealed class Run(RedisConnection redis, TenantId tenant, AuditLog? audit, UsageStore? usage)
    {
        private readonly TenantKeyspace _keys = new(tenant);
        private readonly string _purger = Guid.NewGuid().ToString("N");
        private RedisValue _tombstone;

        public async Task<PurgeClaim> ClaimAsync(TimeSpan lease, int deleted = 0)
        {
            var answer = (RedisResult[])
                (
                    await redis
                        .EvaluateAsync(
                            StoreScript.PurgeClaim,
                            [FleetKeyspace.Metadata(tenant)],
                            [_purger, (long)lease.TotalMilliseconds, deleted, redis.ClockOffset, _tombstone.IsNull ? "" : _tombstone]
                        )
                        .ConfigureAwait(false)
                )!;
            if ((int)answer[0] != 1)
            {
                return (int)answer[0] == 0 ? PurgeClaim.NothingDue : PurgeClaim.Anothers;
            }

            _tombstone = (RedisValue)answer[1];
            return PurgeClaim.Mine;
        }

        public async Task DeleteAsync(CancellationToken cancellationToken)
        {
            try
            {
                if (!await TryEndAsync().ConfigureAwait(false))
                {
                    return;
                }

                await DeleteAllAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (StoreUnavailableException exception) when (exception.InnerException is GenerationEndedException)
            {
                // Another node took over and completed it, and the id was registered anew.
                return;
            }
            catch (OperationCanceledException)
            {
                await ClaimAsync(TimeSpan.Zero).ConfigureAwait(false);
                throw;
            }

            await redis
                .EvaluateAsync(
                    StoreScript.TenantPurged,
                    [FleetKeyspace.Metadata(tenant), FleetKeyspace.Unfinished],
                    [tenant.Value, _tombstone]
                )
                .ConfigureAwait(false);
        }

        /// <summary>Ends the generation: from then on nothing is written any more that began before.</summary>
        /// <returns>False where another node has completed the deletion.</returns>
        private async Task<bool> TryEndAsync()
        {
            while ((int)await redis.EvaluateAsync(StoreScript.TenantEnd, [_keys.Generation], [_tombstone]).ConfigureAwait(false) != 1)
            {
                var later = (string?)
                    await redis
                        .EvaluateAsync(
                            StoreScript.TenantCatchUp,
                            [
                                FleetKeyspace.Metadata(tenant),
                                FleetKeyspace.Version,
                                FleetKeyspace.Changes,
                                FleetKeyspace.Unfinished,
                                FleetKeyspace.History,
                            ],
                            [tenant.Value, _tombstone, await redis.GetAsync(_keys.Generation).ConfigureAwait(false)]
                        )
                        .ConfigureAwait(false);
                if (string.IsNullOrEmpty(later))
                {
                    return false;
                }

                _tombstone = later;
            }

            return true;
        }

        private async Task DeleteAllAsync(CancellationToken cancellationToken)
        {
            // What was done to the tenant, and what it used, stays known when it is gone.
            await (audit?.BringAsync(tenant) ?? Task.CompletedTask).ConfigureAwait(false);
            await (usage?.KeepAsync(tenant, (long)_tombstone, () => KeepClaimAsync()) ?? Task.CompletedTask).ConfigureAwait(false);
            await DeleteIndexAsync(_keys.UsageDays, day => [_keys.Usage(day.ToString())], cancellationToken).ConfigureAwait(false);
            await DeleteIndexAsync(
                    _keys.Documents,
                    member =>
                        member.ToString().Split(':') is [var account, var collection, _, var id]
                            ? [_keys.Document(new(account, collection, id))]
                            : [],
                    cancellationToken
                )
                .ConfigureAwait(false);
            await DeleteIndexAsync(_keys.DocumentIds, _ => [], cancellationToken).ConfigureAwait(false);
            await DeleteIndexAsync(_keys.Idempotencies, member => [_keys.Idempotency(member.ToString())], cancellationToken)
                .ConfigureAwait(false);
            await DeleteIndexAsync(
                    _keys.IdempotencyCallers,
                    caller => [_keys.CallerIdempotencies(caller.ToString()), _keys.CallerIdempotencySizes(caller.ToString())],
                    cancellationToken
                )
                .ConfigureAwait(false);
            await DeleteIndexAsync(
                    _keys.Sessions,
                    member => member.ToString().Split('.') is [_, _, var hash] ? [_keys.Session(hash)] : [],
                    cancellationToken
                )
                .ConfigureAwait(false);
            await DeleteIndexAsync(_keys.Clients, entry => [_keys.Client(ClientStore.HandleOf(entry.ToString()))], cancellationToken)
                .ConfigureAwait(false);
            await DeleteIndexAsync(_keys.Migrated, name => [_keys.MigratedKey((byte[])name!)], cancellationToken).ConfigureAwait(false);
            await DeletePrincipalsAsync(cancellationToken).ConfigureAwait(false);
            await DeleteAsync(_keys.Principals, [.. _keys.Indexes, _keys.Life], "HDEL", []).ConfigureAwait(false);
        }

        private async Task DeleteIndexAsync(StoreKey index, Func<RedisValue, StoreKey[]> keys, CancellationToken cancellationToken)
        {
            while (await redis.GetFirstAsync(index, BatchSize).ConfigureAwait(false) is { Length: > 0 } members)
            {
                cancellationToken.ThrowIfCancellationRequested();
                StoreKey[] named = [.. members.SelectMany(keys)];
                await DeleteAsync(index, named, "ZREM", members).ConfigureAwait(false);
            }
        }

        private async Task DeletePrincipalsAsync(CancellationToken cancellationToken)
        {
            foreach (var batch in (await redis.GetHashAsync(_keys.Principals).ConfigureAwait(false)).Chunk(BatchSize))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var tokens = batch.SelectMany(principal => PrincipalStore.Hashes(principal.Value.ToString()));
                await DeleteAsync(
                        _keys.Principals,
                        [.. tokens.Select(_keys.Principal)],
                        "HDEL",
                        Array.ConvertAll(batch, principal => principal.Name)
                    )
                    .ConfigureAwait(false);
            }
        }

        private async Task DeleteAsync(StoreKey index, StoreKey[] named, string command, RedisValue[] entries)
        {
            await redis
                .EvaluateFencedAsync(StoreScript.Purge, [_keys.Generation, index, .. named], [_tombstone, command, .. entries])
                .ConfigureAwait(false);

            await KeepClaimAsync(entries.Length).ConfigureAwait(false);
        }

        // Where this node has lost its lease, two nodes delete the same for a while. That does no harm: a batch that was deleted is deleted
        // again. Where the deletion is complete, the next one of the id is not this node's: it would begin in its middle.
        private async Task KeepClaimAsync(int deleted = 0)
        {
            if (await ClaimAsync(Lease, deleted).ConfigureAwait(false) == PurgeClaim.NothingDue)
            {
                throw new StoreUnavailableException(new GenerationEndedException());
            }
        }
    }
}

/// <summary>How far the deletion of what a tenant kept is.</summary>
/// <param name="Deleted">How many records were deleted.</param>
internal sealed record PurgeProgress(long Deleted);

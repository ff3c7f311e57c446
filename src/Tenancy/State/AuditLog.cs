using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>Keeps what was done and what was refused, of all tenants, within bounds.</summary>
/// <remarks>
/// What changes a tenant as all tenants see it is written by the change's own script. What changes something in the tenant's own slot, such
/// as a principal, is noted there by its own script, and brought here after that: a note that is made before the change, and goes when its
/// entry is here, has another node bring it where this one died in between.
/// </remarks>
internal sealed class AuditLog(RedisConnection redis, IOptions<TenancyOptions> options, TimeProvider time)
{
    private const int BatchSize = 100;
    private const int MaxDue = 200;

    // Longer than a change may take that was noted before it.
    private static readonly TimeSpan DueAfter = TimeSpan.FromSeconds(30);

    private static readonly StoreKey[] Entries = [FleetKeyspace.Audit, FleetKeyspace.AuditPlaces, FleetKeyspace.AuditSizes];
    private static readonly StoreKey[] Changes = [.. Entries, FleetKeyspace.Events, FleetKeyspace.EventNumber];
    private static readonly StoreKey[] Refusals = [FleetKeyspace.Refusals, FleetKeyspace.RefusalPlaces, FleetKeyspace.RefusalSizes];

    /// <summary>Makes a change in a tenant's own slot, whose script notes its entry there, and brings the entry here.</summary>
    public async Task<T> ChangeAsync<T>(TenantId tenant, Func<Task<T>> change)
    {
        RedisValue note = $"{tenant.Value} {Convert.ToHexString(RandomNumberGenerator.GetBytes(8))}";
        await redis.AddAsync(FleetKeyspace.AuditDue, note, time.GetUtcNow().ToUnixTimeMilliseconds()).ConfigureAwait(false);
        try
        {
            return await change().ConfigureAwait(false);
        }
        finally
        {
            await TryBringAsync(tenant, [note]).ConfigureAwait(false);
        }
    }

    /// <summary>Keeps entries of what is no change of the store.</summary>
    public Task WriteAsync(IReadOnlyList<AuditEntry> entries) =>
        KeepAsync(Changes, "now", entries.Select(entry => (RedisValue)entry.ToText()));

    /// <summary>Keeps entries that were prepared. Done again with the same ones it changes nothing.</summary>
    /// <remarks>
    /// They are no events: an application may open scopes as often as it likes, and would push out of these all that changed.
    /// </remarks>
    public Task WritePreparedAsync(IReadOnlyList<string> entries) =>
        KeepAsync(Entries, "then", entries.Select(static entry => (RedisValue)entry));

    /// <summary>Keeps counts of refused requests that were prepared. Done again with the same ones it changes nothing.</summary>
    public async Task WriteRefusalsAsync(IReadOnlyList<string> refusals)
    {
        foreach (var batch in refusals.Chunk(BatchSize))
        {
            await redis
                .EvaluateAsync(StoreScript.AuditKeep, Refusals, [RefusalTerms, "then", .. batch.Select(static one => (RedisValue)one)])
                .ConfigureAwait(false);
        }
    }

    /// <summary>Makes of an entry what is kept of it.</summary>
    public static string Prepare(AuditEntry entry, DateTimeOffset at) => $"{LoggedEntry.Time(at)}.{entry.ToText()}";

    /// <summary>Makes of a count what is kept of it: each node writes its own counts of a minute.</summary>
    public static string Prepare(RefusedAccess refusal)
    {
        var tag = Convert.ToHexString(RandomNumberGenerator.GetBytes(6));
        var json = JsonSerializer.Serialize(refusal, AuditJson.Wire.RefusedAccess);
        return $"{LoggedEntry.Time(refusal.Minute)}.{tag} {refusal.Tenant ?? "-"} {json}";
    }

    /// <summary>Brings what a tenant's own slot notes, all of it.</summary>
    public async Task BringAsync(TenantId tenant)
    {
        var queue = new TenantKeyspace(tenant).Audit;
        while (await redis.GetFirstAsync(queue, BatchSize).ConfigureAwait(false) is { Length: > 0 } entries)
        {
            await KeepAsync(Changes, "then", entries).ConfigureAwait(false);
            await redis.RemoveAsync(queue, entries).ConfigureAwait(false);
        }
    }

    /// <summary>Brings what nodes noted that died, or lost the store, before they had brought it.</summary>
    /// <exception cref="StoreUnavailableException">
    /// The store, or a part of it, is away: the entries of the tenants that are there were brought.
    /// </exception>
    public async Task BringDueAsync()
    {
        var until = (time.GetUtcNow() - DueAfter).ToUnixTimeMilliseconds();
        var (left, away) = (0, (StoreUnavailableException?)null);
        while (await redis.GetUpToAsync(FleetKeyspace.AuditDue, until, left, MaxDue).ConfigureAwait(false) is { Length: > 0 } notes)
        {
            foreach (var of in notes.GroupBy(note => note.ToString().Split(' ')[0], StringComparer.Ordinal))
            {
                // In a cluster only the slot of this tenant may be away: those of the others are brought.
                if (await TryBringAsync(TenantId.Parse(of.Key), [.. of]).ConfigureAwait(false) is { } failure)
                {
                    (left, away) = (left + of.Count(), failure);
                }
            }
        }

        if (away is not null)
        {
            throw new StoreUnavailableException(away);
        }
    }

    /// <summary>Lists entries, the latest first.</summary>
    /// <param name="tenant">The tenant; null for all that ever were.</param>
    /// <param name="before">What all come before: an entry's id or a time; null for the first.</param>
    /// <param name="since">The earliest time; null for any.</param>
    /// <param name="take">The most entries.</param>
    public async Task<IReadOnlyList<LoggedEntry<AuditEntry>>> ListAsync(TenantId? tenant, string? before, string? since, int take)
    {
        // What the tenant's own slot still notes is read first: what is brought meanwhile is then found twice, and not missed.
        var noted = tenant is { } id ? await redis.GetFirstAsync(new TenantKeyspace(id).Audit, MaxDue).ConfigureAwait(false) : [];
        var kept = await ReadAsync(Entries, tenant, before, since, take).ConfigureAwait(false);
        return
        [
            .. noted
                .Select(entry => entry.ToString())
                .Where(entry => IsWithin(entry, before, since))
                .Union(kept, StringComparer.Ordinal)
                .OrderByDescending(entry => entry, StringComparer.Ordinal)
                .Take(take)
                .Select(entry => LoggedEntry.Read(entry, AuditJson.Wire.AuditEntry)),
        ];
    }

    /// <inheritdoc cref="ListAsync"/>
    public async Task<IReadOnlyList<LoggedEntry<RefusedAccess>>> ListRefusalsAsync(
        TenantId? tenant,
        string? before,
        string? since,
        int take
    ) =>
        [
            .. (await ReadAsync(Refusals, tenant, before, since, take).ConfigureAwait(false)).Select(entry =>
                LoggedEntry.Read(entry, AuditJson.Wire.RefusedAccess)
            ),
        ];

    /// <summary>Since when entries of an id are those of the tenant that has it now; null where an older release registered it.</summary>
    public async Task<string?> BeginOfAsync(TenantId tenant) =>
        (await redis.GetFieldsAsync(FleetKeyspace.Metadata(tenant), "begun").ConfigureAwait(false))[0];

    /// <summary>The terms under which a script keeps an entry of the audit.</summary>
    public static string Terms(RedisConnection redis, AuditOptions bounds) =>
        Terms(redis, bounds, bounds.MaxEntries, bounds.MaxEntriesPerTenant);

    private string RefusalTerms => Terms(redis, options.Value.Audit, options.Value.Audit.MaxRefusals, options.Value.Audit.MaxRefusals);

    // One tenant has the same share of the bytes as of the entries: with few large ones its admins could push out all others' else.
    private static string Terms(RedisConnection redis, AuditOptions bounds, int most, int mostOfTenant)
    {
        var bytesOfTenant = (long)(bounds.MaxBytes * Math.Min(1, (double)mostOfTenant / most));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{most} {mostOfTenant} {bounds.MaxBytes} {bytesOfTenant} {bounds.Days * 86_400_000L} {redis.ClockOffset}"
        );
    }

    private async Task<StoreUnavailableException?> TryBringAsync(TenantId tenant, RedisValue[] notes)
    {
        try
        {
            await BringAsync(tenant).ConfigureAwait(false);
            await redis.RemoveAsync(FleetKeyspace.AuditDue, notes).ConfigureAwait(false);
            return null;
        }
        catch (StoreUnavailableException exception)
        {
            // The notes have any node bring it later.
            return exception;
        }
    }

    private async Task KeepAsync(StoreKey[] keys, RedisValue when, IEnumerable<RedisValue> entries)
    {
        foreach (var batch in entries.Chunk(BatchSize))
        {
            await redis
                .EvaluateAsync(StoreScript.AuditKeep, keys, [Terms(redis, options.Value.Audit), when, .. batch])
                .ConfigureAwait(false);
        }
    }

    private async Task<string[]> ReadAsync(StoreKey[] log, TenantId? tenant, string? before, string? since, int take) =>
        [
            .. (
                (RedisResult[])
                    (
                        await redis
                            .ReadAsync(StoreScript.AuditList, [log[0], log[1]], [tenant?.Value ?? "", before ?? "", since ?? "", take])
                            .ConfigureAwait(false)
                    )!
            ).Select(entry => (string)entry!),
        ];

    private static bool IsWithin(string entry, string? before, string? since) =>
        (before is null || string.CompareOrdinal(entry, before) < 0) && (since is null || string.CompareOrdinal(entry, since) >= 0);
}

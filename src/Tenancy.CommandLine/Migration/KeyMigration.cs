using System.Text.Json.Nodes;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.CommandLine.Migration;

/// <summary>
/// Brings the keys of another deployment to a server, a page after the other. What was brought before is found there, so that it can be cut
/// off anywhere and begun again.
/// </summary>
/// <param name="source">Where the keys are.</param>
/// <param name="target">Where they go.</param>
/// <param name="report">Is told what becomes of each.</param>
/// <param name="isTrial">Whether nothing is written.</param>
/// <param name="rate">The most keys of a second, so that servers that others call meanwhile keep room for these.</param>
/// <param name="time">The clock.</param>
internal sealed class KeyMigration(
    MigrationSource source,
    MigrationTarget target,
    MigrationReport report,
    bool isTrial,
    int rate,
    TimeProvider time
)
{
    /// <summary>The most keys of a second, where nobody says another number.</summary>
    public const int DefaultRate = 2000;

    /// <summary>The most keys that one script writes.</summary>
    public const int MaxBatch = 100;

    /// <summary>The most bytes that one script writes, while which its server answers nobody else; a single key may be larger.</summary>
    public const long MaxBatchBytes = 4 * 1024 * 1024;

    /// <summary>The largest key that is copied: both servers answer nobody else while they read and write it.</summary>
    public const long MaxKeyBytes = 64 * 1024 * 1024;

    /// <summary>What is larger is no record of a tenant or a client.</summary>
    private const long MaxRecordBytes = 64 * 1024;

    /// <summary>Brings the keys of one pattern.</summary>
    /// <param name="pattern">The pattern, as SCAN takes it.</param>
    /// <param name="read">Says what a key is; null for one that another pattern has.</param>
    /// <param name="onPage">Is told after each page how much of the source was looked at, from 0 to 1.</param>
    /// <param name="cancellationToken">Cuts it off between two pages.</param>
    public async Task RunAsync(string pattern, Func<RedisKey, OldKey?> read, Action<double> onPage, CancellationToken cancellationToken)
    {
        await foreach (var (keys, share) in source.ScanAsync(pattern, cancellationToken))
        {
            var began = time.GetTimestamp();
            OldKey[] wanted = [.. keys.Select(read).OfType<OldKey>()];
            await MigrateAsync(wanted, cancellationToken);
            onPage(share);
            var early = TimeSpan.FromSeconds((double)wanted.Length / rate) - time.GetElapsedTime(began);
            if (early > TimeSpan.Zero)
            {
                await Task.Delay(early, time, cancellationToken);
            }
        }
    }

    private async Task MigrateAsync(OldKey[] keys, CancellationToken cancellationToken)
    {
        List<OldKey> wanted = [];
        foreach (var key in keys)
        {
            switch (key.Kind)
            {
                case OldKeyKind.Session:
                    report.Add(MigrationOutcome.Session);
                    break;
                case OldKeyKind.LeftAlone:
                    report.Add(MigrationOutcome.Ignored, key.Key, key.Reason!);
                    break;
                case OldKeyKind.NoTenant:
                    report.Add(MigrationOutcome.Homeless, key.Key, key.Reason!);
                    break;
                default:
                    wanted.Add(key);
                    break;
            }
        }

        List<Sized> others = [];
        foreach (var (key, measured) in wanted.Zip(await source.MeasureAsync([.. wanted.Select(key => key.Key)])))
        {
            if (!await TryRecordAsync(key, measured.Type, measured.Size, cancellationToken))
            {
                others.Add(new(key, measured.Size));
            }
        }

        foreach (var batch in Batches(others))
        {
            await CopyAsync(batch);
        }
    }

    /// <summary>Brings a tenant or a client.</summary>
    /// <returns>False where the key is to be copied as it is.</returns>
    private async Task<bool> TryRecordAsync(OldKey key, RedisType type, long size, CancellationToken cancellationToken)
    {
        if (key.Kind == OldKeyKind.Tenant)
        {
            await RegisterAsync(key, size <= MaxRecordBytes ? type : RedisType.Unknown, cancellationToken);
            return true;
        }

        if (target.IsAnother(key.Tenant))
        {
            report.Add(
                MigrationOutcome.Homeless,
                key.Key,
                $"the tenant '{key.Tenant}' here is not the one that it is there; where it is, say --same {key.Tenant}"
            );
            return true;
        }

        if (await target.FindAsync(key.Tenant) is not { } tenant)
        {
            report.Add(MigrationOutcome.Homeless, key.Key, $"there is no tenant '{key.Tenant}': register it, and run this again");
            return true;
        }

        if (key.Kind != OldKeyKind.Client || size > MaxRecordBytes || await source.ReadAsync(key.Key, type) is not { } old)
        {
            return false;
        }

        if (await source.TimeToLiveAsync(key.Key) is not { } timeToLive)
        {
            report.Add(MigrationOutcome.Gone);
            return true;
        }

        if (OldRecords.ReadClient(key.ClientId, old, timeToLive) is not { } client)
        {
            return false;
        }

        Tell(key, await target.AddClientAsync(tenant, client, cancellationToken));
        return true;
    }

    private async Task RegisterAsync(OldKey key, RedisType type, CancellationToken cancellationToken)
    {
        var old = await source.ReadAsync(key.Key, type);
        JsonObject tenant;
        try
        {
            tenant = OldRecords.ReadTenant(key.Tenant, old ?? throw new ToolException("it is neither a JSON object nor a hash"));
        }
        catch (ToolException exception)
        {
            report.Add(MigrationOutcome.Failed, key.Key, exception.Message);
            target.Distrust(key.Tenant);
            return;
        }

        Tell(key, await target.RegisterAsync(key.Tenant, tenant, cancellationToken));
    }

    private void Tell(OldKey key, (MigrationOutcome Outcome, string? Reason) result)
    {
        if (result.Reason is { } reason)
        {
            report.Add(result.Outcome, key.Key, reason);
        }
        else
        {
            report.Add(result.Outcome);
        }
    }

    /// <summary>Divides keys so that no script takes long, and little is in memory at once.</summary>
    private IEnumerable<List<OldKey>> Batches(List<Sized> keys)
    {
        List<OldKey> batch = [];
        var bytes = 0L;
        foreach (var (key, size) in keys)
        {
            if (size > MaxKeyBytes)
            {
                report.Add(
                    MigrationOutcome.Failed,
                    key.Key,
                    $"it has about {size:N0} bytes, and {MaxKeyBytes:N0} are the most: copy it by hand"
                );
                continue;
            }

            if (batch.Count == MaxBatch || (batch.Count > 0 && bytes + size > MaxBatchBytes))
            {
                yield return batch;
                (batch, bytes) = ([], 0);
            }

            batch.Add(key);
            bytes += size;
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    private async Task CopyAsync(List<OldKey> batch)
    {
        var dumps = await Task.WhenAll(batch.Select(key => source.DumpAsync(key.Key)));
        List<(OldKey Key, KeyCopy Copy)> copies = [];
        foreach (var (key, read) in batch.Zip(dumps))
        {
            if (read is { } found)
            {
                copies.Add((key, new(key.Name, found.TimeToLive, found.Dump)));
            }
            else
            {
                report.Add(MigrationOutcome.Gone);
            }
        }

        var groups = copies.ToLookup(copy => copy.Key.Tenant);
        var answers = await Task.WhenAll(groups.Select(group => CopyAsync(group.Key, [.. group.Select(copy => copy.Copy)])));
        foreach (var (group, results) in groups.Zip(answers))
        {
            foreach (var ((key, _), result) in group.Zip(results))
            {
                Tell(key, Outcome(result));
            }
        }
    }

    private async Task<IReadOnlyList<KeyCopyResult>> CopyAsync(TenantId id, KeyCopy[] copies)
    {
        try
        {
            return (await target.FindAsync(id))?.Keys is { } keys
                ? await keys.CopyAsync(copies, isTrial)
                : Array.ConvertAll(copies, _ => new KeyCopyResult(KeyCopyOutcome.Copied, null));
        }
        catch (StoreUnavailableException exception) when (exception.InnerException is GenerationEndedException)
        {
            return Array.ConvertAll(copies, _ => new KeyCopyResult(KeyCopyOutcome.Refused, "the tenant was deleted meanwhile"));
        }
    }

    private static (MigrationOutcome Outcome, string? Reason) Outcome(KeyCopyResult result) =>
        result.Outcome switch
        {
            KeyCopyOutcome.Copied => (MigrationOutcome.Copied, null),
            KeyCopyOutcome.WasCopied => (MigrationOutcome.There, null),
            KeyCopyOutcome.IsTaken => (
                MigrationOutcome.Collided,
                "something else was brought there under this name, or it had another value then"
            ),
            _ => (MigrationOutcome.Failed, result.Reason),
        };

    private readonly record struct Sized(OldKey Key, long Size);
}

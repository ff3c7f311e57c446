using Microsoft.Extensions.Logging;
using Tenancy.Audit;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Fleet;

/// <summary>
/// Writes each second what requests left in memory for the audit: scopes that were opened, and how many requests were refused in minutes
/// that are over. It also tells those who watch what was refused in the last second, and brings entries that other nodes could not.
/// </summary>
internal sealed class AuditWriter(
    AuditQueue queue,
    RefusalCounts refusals,
    RefusalFeed feed,
    AuditLog log,
    TimeProvider time,
    ILogger<AuditWriter> logger
) : RepeatedWork(Interval, time, logger)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private const int BatchSize = 100;
    private const int TurnsBetweenSearches = 15;

    // What was taken out of memory and is not known to be written, because the store was away or its answer was lost.
    private string[] _entries = [];
    private string[] _refused = [];
    private int _turns;

    /// <summary>Writes what there is.</summary>
    /// <param name="all">Whether the counts of the present minute are written, too.</param>
    public Task WriteAsync(bool all) => DoAloneAsync(() => WriteAloneAsync(all));

    protected override async Task DoAsync(CancellationToken stopping)
    {
        // First: what is written is counted no more, and while the store is away those at this node watch on.
        feed.Tell(refusals.TakeNews());
        await WriteAsync(all: false).ConfigureAwait(false);
        if (_turns++ % TurnsBetweenSearches == 0)
        {
            await log.BringDueAsync().ConfigureAwait(false);
        }
    }

    protected override Task EndAsync() => WriteAsync(all: true);

    private async Task WriteAloneAsync(bool all)
    {
        do
        {
            _entries = _entries.Length > 0 ? _entries : [.. queue.Take(BatchSize).Select(one => AuditLog.Prepare(one.Entry, one.At))];
            if (_entries.Length > 0)
            {
                await log.WritePreparedAsync(_entries).ConfigureAwait(false);
                _entries = [];
            }
        } while (!queue.IsEmpty);

        _refused = _refused.Length > 0 ? _refused : [.. refusals.Take(all).Select(AuditLog.Prepare)];
        if (_refused.Length > 0)
        {
            await log.WriteRefusalsAsync(_refused).ConfigureAwait(false);
            _refused = [];
        }

        if (queue.TakeDropped() is > 0 and var dropped)
        {
            logger.AuditEntriesDropped(dropped);
        }
    }
}

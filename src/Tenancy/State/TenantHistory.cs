using System.Globalization;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>
/// The history of all changes of tenants, as the store has it: what came after a change, and whether the store still has that one.
/// </summary>
internal sealed class TenantHistory(RedisConnection redis)
{
    private const int PageSize = 200;

    private OwnChange? _own;
    private volatile bool _isOwnLost;

    /// <summary>Gets the last change that this node has made, as scripts take it: its version and its tag.</summary>
    public RedisValue[] Own => Volatile.Read(ref _own) is { } own ? [Text(own.Version), own.Tag] : ["", ""];

    /// <summary>Where the history is now. What this node changed before does not matter any more.</summary>
    public async Task<ChangePosition> GetPositionAsync()
    {
        Volatile.Write(ref _own, null);
        _isOwnLost = false;
        return (await ReadAsync("", "", own: null).ConfigureAwait(false))!.UpTo;
    }

    /// <summary>The tenants that changed after a position; null where the store has another history than the one that led there.</summary>
    public async Task<TenantChangeList?> ListAsync(ChangePosition after)
    {
        if (_isOwnLost)
        {
            return null;
        }

        var own = Volatile.Read(ref _own);
        var changes = await ReadAsync(Text(after.Version), after.Tag, own?.Version > after.Version ? own : null).ConfigureAwait(false);
        if (own?.Version <= changes?.UpTo.Version)
        {
            // The history up to the new position has this node's own change in it: to know that position again is enough from now on.
            Interlocked.CompareExchange(ref _own, null, own);
        }

        return changes;
    }

    /// <summary>
    /// Remembers the last change that this node has made. The node applies its own change at once, although it may not yet have followed
    /// the changes that others made before it. If the store loses this change afterwards, the position that the node has followed to is an
    /// earlier one and looks right: only by the change that is remembered here the node can notice the loss.
    /// </summary>
    /// <param name="written">
    /// What the script gave: its second value is the version, then the tag and whether the change before it is there come last.
    /// </param>
    /// <returns>The version.</returns>
    public long NoteOwn(RedisResult[] written)
    {
        if ((string?)written[^1] == "0")
        {
            _isOwnLost = true;
        }

        var own = new OwnChange(Number(written[1]), (string)written[^2]!);
        for (var last = Volatile.Read(ref _own); last is null || last.Version < own.Version; last = Volatile.Read(ref _own))
        {
            if (Interlocked.CompareExchange(ref _own, own, last) == last)
            {
                break;
            }
        }

        return own.Version;
    }

    private async Task<TenantChangeList?> ReadAsync(string version, string tag, OwnChange? own)
    {
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateAsync(
                        StoreScript.TenantChanges,
                        [FleetKeyspace.Version, FleetKeyspace.Changes, FleetKeyspace.History],
                        [version, tag, PageSize, own is null ? "" : Text(own.Version), own?.Tag ?? ""]
                    )
                    .ConfigureAwait(false)
            )!;
        return answer is [_, var last, var lastTag, .. var tenants]
            ? new(
                [.. tenants.Chunk(2).Select(change => (TenantId.Parse((string)change[0]!), Number(change[1])))],
                new(Number(last), (string)lastTag!),
                HasMore: tenants.Length == 2 * PageSize
            )
            : null;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long Number(RedisResult result) => long.Parse((string)result!, CultureInfo.InvariantCulture);

    private sealed record OwnChange(long Version, string Tag);
}

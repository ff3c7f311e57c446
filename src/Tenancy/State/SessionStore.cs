using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using StackExchange.Redis;
using Tenancy.Audit;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>The MCP sessions of one tenant: which caller each belongs to, until when, and how many there are.</summary>
internal sealed class SessionStore(RedisConnection redis, TenantId tenant, long generation)
{
    /// <summary>How long a session lives after its last use: two hours, as long as the MCP SDK keeps it.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(2);

    /// <summary>How long one lives whose client has done nothing but begin it: many begin several, and use one.</summary>
    public static readonly TimeSpan UnusedLifetime = TimeSpan.FromMinutes(5);

    /// <summary>How long nobody must have used a session that ends for another where all callers are one.</summary>
    public static readonly TimeSpan Abandonment = TimeSpan.FromMinutes(10);

    /// <summary>How long a session counts as one with a stream after that was last heard of, because its node died meanwhile.</summary>
    private static readonly TimeSpan StreamLifetime = TimeSpan.FromMinutes(2.5);

    // Others of the same caller may begin and end meanwhile. Who finds no place after that is refused, as if there were none.
    private const int MaxTries = 5;

    /// <summary>How long a place is kept for a session that does not begin, because its node died meanwhile.</summary>
    private static readonly TimeSpan ReservationLifetime = TimeSpan.FromMinutes(1);

    private readonly TenantKeyspace _keys = new(tenant);

    /// <summary>
    /// Keeps a place for a session that is about to begin. Where its caller has as many as it may, the one of them that it did not use for
    /// longest ends, unless that is in use: it has a stream, or a call runs in it.
    /// </summary>
    /// <param name="owner">Whose it will be.</param>
    /// <param name="maxSessions">The most sessions of the tenant.</param>
    /// <param name="maxPerCaller">The most sessions of the caller.</param>
    /// <param name="onEnded">Is told the handle of each session that ended for it; null where none may.</param>
    /// <param name="idle">How long nobody must have used a session that ends for it.</param>
    /// <param name="keepAsync">
    /// Is asked of each session that could end whether a call runs in it, and has noted that then, so that it is not named again.
    /// </param>
    /// <returns>The place; null where there is none left.</returns>
    public async Task<string?> ReserveAsync(
        SessionOwner owner,
        int maxSessions,
        int maxPerCaller,
        Action<string>? onEnded = null,
        TimeSpan idle = default,
        Func<string, Task<bool>>? keepAsync = null
    )
    {
        // A session hash never begins like this, so that a place that is only kept is told from a session.
        var reservation = owner.Entry("~" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12)));
        for (var ended = 0; ended < MaxTries; )
        {
            var answer = (string?)
                await redis
                    .EvaluateFencedAsync(
                        StoreScript.SessionReserve,
                        [_keys.Sessions, _keys.SessionCounts, _keys.SessionUses, _keys.Generation],
                        [
                            owner.Epoch,
                            owner.CallerHash,
                            reservation,
                            (long)ReservationLifetime.TotalMilliseconds,
                            maxSessions,
                            maxPerCaller,
                            redis.ClockOffset,
                            generation,
                            Milliseconds(idle),
                        ]
                    )
                    .ConfigureAwait(false);
            if (answer == "1")
            {
                return reservation;
            }

            if (answer is null or "0" || onEnded is null)
            {
                return null;
            }

            // There are no more of those than calls that may run at a time.
            if (keepAsync is not null && await keepAsync(answer).ConfigureAwait(false))
            {
                continue;
            }

            ended++;
            await EndAsync(answer).ConfigureAwait(false);
            onEnded(answer);
        }

        return null;
    }

    /// <summary>Gives a place back whose session did not begin.</summary>
    public Task ReleaseAsync(string reservation) =>
        redis.EvaluateFencedAsync(
            StoreScript.SessionRelease,
            [_keys.Sessions, _keys.SessionCounts, _keys.Generation],
            [reservation, generation]
        );

    /// <summary>Begins a session in a place that was kept for it. Until it is used it lives a few minutes only.</summary>
    /// <returns>False where the place was kept too long ago.</returns>
    public Task<bool> CreateAsync(string sessionId, SessionOwner owner, string reservation)
    {
        var hash = TenantKeyspace.Hash(sessionId);
        return IsDoneAsync(
            StoreScript.SessionCreate,
            [_keys.Session(hash), _keys.Sessions, _keys.SessionUses, _keys.Generation],
            [owner.Entry(hash), reservation, owner.Text, Milliseconds(UnusedLifetime), redis.ClockOffset, generation]
        );
    }

    /// <summary>Keeps what the client of a session said when it began, so that another node or the next start can go on with it.</summary>
    /// <remarks>
    /// A client that is told that its session is gone should begin another one, and the official ones do not:
    /// findings/mcp-typescript-clients-lost-session.sh.
    /// </remarks>
    public Task<bool> DescribeAsync(string sessionId, SessionOwner owner, string client) =>
        IsDoneAsync(
            StoreScript.SessionDescribe,
            [_keys.Session(TenantKeyspace.Hash(sessionId)), _keys.Generation],
            [owner.Text, "client", client, generation]
        );

    /// <summary>Keeps the log level that the client of a session asked for.</summary>
    public Task<bool> KeepLogLevelAsync(string sessionId, SessionOwner owner, string level) =>
        IsDoneAsync(
            StoreScript.SessionDescribe,
            [_keys.Session(TenantKeyspace.Hash(sessionId)), _keys.Generation],
            [owner.Text, "level", level, generation]
        );

    /// <summary>
    /// What the client of this caller's session said when it began; null where the session is not its, or nothing was kept.
    /// </summary>
    public Task<string?> FindClientAsync(string sessionId, SessionOwner owner) => FindAsync(sessionId, owner, "client");

    /// <summary>The log level of this caller's session; null where the session is not its, or its client asked for none.</summary>
    public Task<string?> FindLogLevelAsync(string sessionId, SessionOwner owner) => FindAsync(sessionId, owner, "level");

    /// <summary>Whether the session is this caller's; if so it lives its time again.</summary>
    public Task<bool> TouchAsync(string sessionId, SessionOwner owner) => IsTouchedAsync(sessionId, owner, lifetime: "");

    /// <summary>Notes that the session is used: from now on it lives its full time.</summary>
    /// <returns>Whether it is this caller's.</returns>
    public Task<bool> UseAsync(string sessionId, SessionOwner owner) => IsTouchedAsync(sessionId, owner, Milliseconds(Lifetime));

    /// <summary>Notes that a stream of the session begins, and is its only one from now on; the session lives its time again.</summary>
    /// <returns>Whether it is this caller's, and whether another stream was there, which is to end.</returns>
    public async Task<(bool IsOwn, bool HadOther)> BeginStreamAsync(string sessionId, SessionOwner owner, string stream)
    {
        var answer = await TouchAsync(sessionId, owner, lifetime: "", Milliseconds(StreamLifetime), stream, isNew: true)
            .ConfigureAwait(false);
        return (answer > 0, answer == 2);
    }

    /// <summary>Notes that the session still has its stream, which is to be said again every minute; it lives its time again.</summary>
    /// <returns>Whether it is this caller's, and the stream is its.</returns>
    public async Task<bool> NoteStreamAsync(string sessionId, SessionOwner owner, string stream) =>
        await TouchAsync(sessionId, owner, lifetime: "", Milliseconds(StreamLifetime), stream).ConfigureAwait(false) > 0;

    /// <summary>Notes that a stream of the session has ended: where it was the last, the session was used until now.</summary>
    public Task EndStreamAsync(string sessionId, SessionOwner owner, string stream) =>
        TouchAsync(sessionId, owner, lifetime: "", left: 0, stream);

    /// <summary>Notes that a call runs in a session, whoever's it is. It lives no longer for that.</summary>
    /// <param name="handle">The hash of its id.</param>
    /// <param name="time">How long it counts as one in use from now on.</param>
    /// <returns>Whether there is such a session.</returns>
    public Task<bool> NoteCallsAsync(string handle, TimeSpan time) =>
        IsDoneAsync(
            StoreScript.SessionCalls,
            [_keys.Session(handle), _keys.SessionUses, _keys.Generation],
            [Milliseconds(time), redis.ClockOffset, generation]
        );

    /// <summary>Ends a session of this caller.</summary>
    public Task<bool> DeleteAsync(string sessionId, SessionOwner owner) => EndAsync(TenantKeyspace.Hash(sessionId), owner.Text);

    /// <summary>Ends a session, whoever's it is.</summary>
    /// <param name="handle">The session.</param>
    /// <param name="audit">The entry of the audit; null for none.</param>
    public Task<bool> EndAsync(string handle, AuditEntry? audit = null) => EndAsync(handle, "", audit);

    /// <summary>Lists the sessions of an epoch, those that were used last first; one that has a stream is in use.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="take">The most sessions.</param>
    /// <param name="cursor">The cursor of the page before; null for the first page. See <see cref="IsCursor"/>.</param>
    /// <returns>The sessions, how many there are in all, and where the next page begins.</returns>
    /// <remarks>A session that is used meanwhile goes to the first page: none that is not used is missed.</remarks>
    public async Task<(IReadOnlyList<StoredSession> Sessions, int Count, string? NextCursor)> ListAsync(
        string epoch,
        int take,
        string? cursor = null
    )
    {
        var (use, entry) = cursor?.Split('.', 2) is [var time, var last] ? (time, last) : ("", "");
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateAsync(
                        StoreScript.SessionList,
                        [_keys.Sessions, _keys.SessionUses],
                        [epoch, take, redis.ClockOffset, use, entry]
                    )
                    .ConfigureAwait(false)
            )!;
        var places = answer[1..].Chunk(2).Select(place => $"{place[0]}.{place[1]}").ToArray();
        var sessions = await Task.WhenAll(places.Take(take).Select(place => ReadAsync(place[(place.LastIndexOf('.') + 1)..])))
            .ConfigureAwait(false);
        return ([.. sessions.OfType<StoredSession>()], (int)answer[0], places.Length > take ? places[take - 1] : null);
    }

    /// <summary>Whether a text has the form of a cursor: when the last session of a page was used, and its entry.</summary>
    public static bool IsCursor(string text) =>
        text.Split('.') is [{ Length: > 0 and <= 16 } use, { Length: > 0 }, var caller, var session]
        && caller.Length + session.Length == 2 * TenantKeyspace.HashLength
        && use.All(char.IsAsciiDigit)
        && text.All(static character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_');

    private async Task<bool> IsTouchedAsync(string sessionId, SessionOwner owner, RedisValue lifetime) =>
        await TouchAsync(sessionId, owner, lifetime, left: "", stream: "").ConfigureAwait(false) > 0;

    // "left" is for how long the session has the stream.
    private async Task<int> TouchAsync(
        string sessionId,
        SessionOwner owner,
        RedisValue lifetime,
        RedisValue left,
        string stream,
        bool isNew = false
    )
    {
        var hash = TenantKeyspace.Hash(sessionId);
        return (int)
            await redis
                .EvaluateFencedAsync(
                    StoreScript.SessionTouch,
                    [_keys.Session(hash), _keys.Sessions, _keys.SessionUses, _keys.Generation],
                    [
                        owner.Entry(hash),
                        owner.Text,
                        lifetime,
                        left,
                        Milliseconds(Lifetime),
                        redis.ClockOffset,
                        generation,
                        stream,
                        isNew ? "1" : "",
                    ]
                )
                .ConfigureAwait(false);
    }

    private async Task<string?> FindAsync(string sessionId, SessionOwner owner, string field) =>
        await redis.GetFieldsAsync(_keys.Session(TenantKeyspace.Hash(sessionId)), "owner", field).ConfigureAwait(false)
            is [var stored, { IsNull: false } kept]
        && stored == (RedisValue)StoreText.Encode(owner.Text)
            ? kept.ToString()
            : null;

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;

    private Task<bool> EndAsync(string handle, string owner, AuditEntry? audit = null) =>
        IsDoneAsync(
            StoreScript.SessionDelete,
            [_keys.Session(handle), _keys.Sessions, _keys.SessionCounts, _keys.SessionUses, _keys.Generation, _keys.Audit],
            [owner, generation, audit is null ? "" : (audit with { Subject = handle }).ToText(), redis.ClockOffset]
        );

    private async Task<StoredSession?> ReadAsync(string handle) =>
        await redis.GetFieldsAsync(_keys.Session(handle), "owner", "begun", "expiry").ConfigureAwait(false)
            is [{ IsNull: false } owner, var begun, var expiry]
            ? new(handle, SessionOwner.CallerOf(owner.ToString()), Time(begun), Time(expiry))
            : null;

    private static DateTimeOffset Time(RedisValue milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(milliseconds.ToString(), CultureInfo.InvariantCulture));

    private async Task<bool> IsDoneAsync(StoreScript script, StoreKey[] keys, RedisValue[] arguments) =>
        (int)await redis.EvaluateFencedAsync(script, keys, arguments).ConfigureAwait(false) == 1;
}

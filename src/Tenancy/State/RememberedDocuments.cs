using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Caching.Memory;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>
/// Documents that this node remembers, each under the version that the documents of its account had when it was read. The store raises that
/// version with each change. What this node knows of it is at most a second old, and the commit of a call that used a document asks whether
/// that is still the same.
/// </summary>
internal sealed class RememberedDocuments(RedisConnection redis, TimeProvider time) : IDisposable
{
    /// <summary>The most accounts whose versions one trip asks for.</summary>
    private const int MaxAsked = 200;

    private const long MaxBytes = 64 * 1024 * 1024;
    private const long MaxBytesOfOne = 1024 * 1024;

    // What a document takes up beside its JSON.
    private const int Overhead = 512;

    private const int Stripes = 64;

    /// <summary>
    /// How long a document is remembered at most. A node of an older release raises no version, so that for so long others do not see what
    /// it changes.
    /// </summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private readonly ExpiringTable<RememberedAccount, Known> _versions = new(sweepSize: 10_000, static (known, now) =>
        known.AskedAt + Lifetime <= now
    );
    private readonly ExpiringTable<TenantId, Used> _used = new(sweepSize: 10_000, static (used, now) => used.At + Lifetime <= now);
    private readonly MemoryCache _documents = new(new MemoryCacheOptions { SizeLimit = MaxBytes });
    private readonly long[] _changes = new long[Stripes];

    private TimeSpan Now => time.GetElapsedTime(0);

    /// <summary>Gives what is remembered of an account, under the version that it had within the last second.</summary>
    public bool TryGet(RememberedAccount account, string what, out RememberedList found)
    {
        var now = Now;
        (_used.TryGet(account.Tenant, out var used) ? used : _used.GetOrAdd(account.Tenant, new(now), now)).Add(account, now);
        if (_versions.TryGet(account, out var known) && now < known.AskedAt + LimitSlice.Lifetime)
        {
            return TryGet(account, known.Version, what, out found);
        }

        found = default;
        return false;
    }

    /// <summary>Gives what is remembered of an account at a version.</summary>
    public bool TryGet(RememberedAccount account, long version, string what, out RememberedList found)
    {
        var isThere = _documents.TryGetValue((account, version, what), out IReadOnlyList<StoredDocument>? documents);
        found = new(version, documents ?? []);
        return isThere;
    }

    /// <summary>Keeps documents as they are at a version. What is large is not kept, and is read each time.</summary>
    public void Add(RememberedAccount account, string what, RememberedList read)
    {
        var bytes = read.Documents.Sum(static document => (long)document.Json.Length + Overhead) + Overhead;
        if (read.Version == 0 || bytes > MaxBytesOfOne)
        {
            return;
        }

        using var entry = _documents.CreateEntry((account, read.Version, what));
        entry.Size = bytes;
        entry.AbsoluteExpirationRelativeToNow = Lifetime;
        entry.Value = read.Documents;
    }

    /// <summary>Reads the version of an account and, at the same moment, one of its documents.</summary>
    /// <param name="account">The account.</param>
    /// <param name="place">The document; null for the version alone.</param>
    /// <returns>
    /// The version, 0 where nothing may be remembered; the document, where there is one; and the commit that wrote it.
    /// </returns>
    /// <exception cref="Registry.StoreUnavailableException">The store is away.</exception>
    public async Task<(long Version, StoredDocument? Document)> ReadAsync(RememberedAccount account, DocumentPlace? place)
    {
        var (keys, now, changes) = (new TenantKeyspace(account.Tenant), Now, ChangesOf(account));
        StoreKey[] named = [keys.Generation, keys.DocumentVersions];
        var answer = (StackExchange.Redis.RedisResult[])
            (
                await redis
                    .EvaluateFencedAsync(
                        StoreScript.DocumentVersion,
                        place is { } wanted ? [.. named, keys.Document(wanted)] : named,
                        [account.Generation, account.Account, redis.ClockOffset],
                        isLarge: true
                    )
                    .ConfigureAwait(false)
            )!;
        var version = (long)answer[0];
        Note(account, version, now, changes);
        return answer is [_, var json, var revision, var commit, var indexPlace]
            ? (version, new(place!.Value, (byte[])json!, (long)revision) { Commit = (string)commit!, IndexPlace = (string)indexPlace! })
            : (version, null);
    }

    /// <summary>Takes the accounts of a tenant that were used since they were taken last: their versions are to be looked at.</summary>
    public IReadOnlyList<RememberedAccount> TakeUsed(TenantId tenant) =>
        _used.Count > 0 && _used.TryGet(tenant, out var used) ? used.Take() : [];

    /// <summary>Keeps what the store said of a version.</summary>
    /// <param name="account">The account.</param>
    /// <param name="version">The version; 0 where none stands any more.</param>
    /// <param name="askedAt">When the store was asked.</param>
    /// <param name="changes"><see cref="ChangesOf"/> from then.</param>
    public void Note(RememberedAccount account, long version, TimeSpan askedAt, long changes)
    {
        if (_versions.TryGet(account, out var known) && known.AskedAt > askedAt)
        {
            return;
        }

        if (version != 0)
        {
            _versions.Set(account, new(version, askedAt), askedAt);
        }

        // Compared after the answer was kept: a change may come between the question and now. Whichever comes second, this line or the
        // change, removes the answer.
        if (version == 0 || ChangesOf(account) != changes)
        {
            _versions.Remove(account);
        }
    }

    /// <summary>Looks at the version anew when it is needed next: something has changed, or may have.</summary>
    public void Forget(RememberedAccount account)
    {
        Interlocked.Increment(ref ChangesAt(account));
        _versions.Remove(account);
    }

    /// <summary>
    /// How many changes are known of, of this account and of those that share its place: an answer from before the last is not kept.
    /// </summary>
    public long ChangesOf(RememberedAccount account) => Volatile.Read(ref ChangesAt(account));

    public void Dispose() => _documents.Dispose();

    private ref long ChangesAt(RememberedAccount account) => ref _changes[(uint)account.GetHashCode() % Stripes];

    private sealed record Known(long Version, TimeSpan AskedAt);

    /// <summary>The accounts of a tenant that were used lately.</summary>
    private sealed class Used(TimeSpan at)
    {
        private ConcurrentDictionary<RememberedAccount, bool> _accounts = new();
        private long _at = at.Ticks;

        public TimeSpan At => new(Volatile.Read(ref _at));

        public void Add(RememberedAccount account, TimeSpan now)
        {
            Volatile.Write(ref _at, now.Ticks);
            var accounts = Volatile.Read(ref _accounts);
            if (!accounts.ContainsKey(account) && accounts.Count < MaxAsked)
            {
                accounts.TryAdd(account, true);
            }
        }

        public IReadOnlyList<RememberedAccount> Take() =>
            Volatile.Read(ref _accounts).IsEmpty ? [] : [.. Interlocked.Exchange(ref _accounts, new()).Keys];
    }
}

/// <summary>Documents that lie together; see <see cref="DocumentSpace"/>.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Generation">Its generation: the next tenant with this id has other documents.</param>
/// <param name="Account">The account, or the caller itself, in the form that enters a key.</param>
internal readonly record struct RememberedAccount(TenantId Tenant, long Generation, string Account)
{
    /// <summary>Gets it as a message between nodes says it, which names the tenant by itself.</summary>
    public string Text => string.Create(CultureInfo.InvariantCulture, $"{Generation}.{Account}");

    public static bool TryRead(TenantId tenant, string text, out RememberedAccount account)
    {
        account = default;
        if (text.Split('.') is not [var generation, var hash] || !long.TryParse(generation, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        account = new(tenant, number, hash);
        return true;
    }
}

/// <summary>Documents as they were at a version of their account.</summary>
internal readonly record struct RememberedList(long Version, IReadOnlyList<StoredDocument> Documents);

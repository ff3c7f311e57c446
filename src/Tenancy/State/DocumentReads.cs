using System.Globalization;
using System.Runtime.CompilerServices;

namespace Tenancy.State;

/// <summary>What a call reads of the documents of one type: what is stored, as the call has changed it.</summary>
internal sealed class DocumentReads<T>(DocumentScope scope, string collection)
    where T : TenantDocument
{
    /// <summary>Where a page ends, whatever its limit. The documents that are read for it at once may be 4 MiB more.</summary>
    private const int MaxPageBytes = 1024 * 1024;

    private const int MaxPageSize = 200;

    /// <summary>What the documents that ids name, or that are listed at once, may have together.</summary>
    private const int MaxReadBytes = 8 * 1024 * 1024;

    private DocumentReader Reader => new(scope.Redis, scope.Keys, collection);

    public async Task<IReadOnlyList<T>> GetAllAsync(IEnumerable<string> ids, CancellationToken cancellationToken)
    {
        var accounts = await scope.GetReadableHashesAsync(cancellationToken).ConfigureAwait(false);
        string[] hashes = [.. ids.Distinct().Select(id => TenantKeyspace.Hash(id))];
        var places =
            accounts.Count > 1 ? await FindAsync(hashes, accounts).ConfigureAwait(false)
            : accounts.Count == 1 ? hashes.Select(hash => new DocumentPlace(accounts[0], collection, hash))
            : [];
        List<T> found = [];
        var bytes = 0;
        await foreach (var (document, size) in ReadAsync([.. places], cancellationToken).ConfigureAwait(false))
        {
            bytes += size;
            if (bytes > MaxReadBytes)
            {
                throw new ReadTooLargeException(collection, MaxReadBytes);
            }

            if (document is not null)
            {
                found.Add(document);
            }
        }

        return found;
    }

    public async Task<DocumentPage<T>> ListAsync(string? cursor, int limit, CancellationToken cancellationToken)
    {
        var accounts = await scope.GetReadableHashesAsync(cancellationToken).ConfigureAwait(false);
        if (accounts.Count > 1)
        {
            // Whoever finds a caller's accounts may find them in another order the next time.
            accounts = [.. accounts.Order(StringComparer.Ordinal)];
        }

        var (first, position) = DocumentCursor.Read(cursor, accounts);

        // One more than asked for tells whether there is a next page.
        var places = await Reader.ListAsync(accounts, first, position, limit + 1).ConfigureAwait(false);
        List<T> items = [];
        var (read, bytes) = (0, 0);
        await foreach (var (document, size) in ReadAsync([.. places.Take(limit).Select(ToPlace)], cancellationToken).ConfigureAwait(false))
        {
            read++;
            bytes += size;

            // What was deleted is not listed, and what is new comes last.
            if (document is not null && scope.Work?.Find(ToPlace(places[read - 1])) is not { IsNew: true })
            {
                items.Add(document);
            }

            if (bytes >= MaxPageBytes)
            {
                break;
            }
        }

        var isLast = read == places.Count;
        if (isLast && scope.Work?.FindNew(collection, accounts) is { Length: > 0 } created)
        {
            // A cursor points at what is stored: what is new comes with the last stored ones or, where that is too much, after them.
            isLast = items.Count + created.Length <= limit || places.Count == 0;
            items.AddRange(isLast ? created.Select(Read) : []);
        }

        return new(items, isLast ? null : DocumentCursor.Write(places[read - 1], isOneOfMany: accounts.Count > 1));
    }

    /// <summary>Reads a document that the node may remember; null where there is none.</summary>
    /// <param name="place">Where it lies.</param>
    /// <param name="refresh">Whether it is read from the store, whatever is remembered.</param>
    public async Task<T?> GetCachedAsync(DocumentPlace place, bool refresh)
    {
        if (scope.Work?.Find(place) is not null)
        {
            return await ReadAsync(place).ConfigureAwait(false);
        }

        var (memory, account, what) = (scope.Redis.Remembered, scope.Remembered(place.Account), $"{collection}:{place.IdHash}");
        if (refresh || !memory.TryGet(account, what, out var found))
        {
            var (version, document) = await memory.ReadAsync(account, place).ConfigureAwait(false);

            // That there is none is not remembered: it may be created in the next moment, on another node.
            if (document is null)
            {
                return await ReadAsync(place).ConfigureAwait(false);
            }

            found = new(version, [document]);
            memory.Add(account, what, found);
        }

        scope.BeginWork().Expect(new(account, place), found.Documents[0].Commit, isNew: refresh);
        return Read(found.Documents[0]);
    }

    /// <summary>Reads the first documents of the account, which the node may remember.</summary>
    public async Task<IReadOnlyList<T>> ListCachedAsync(string accountHash, int most, CancellationToken cancellationToken)
    {
        if (scope.Work?.HasWritten(collection, accountHash) is true)
        {
            return await ListAllAsync(most, cancellationToken).ConfigureAwait(false);
        }

        var (memory, account) = (scope.Redis.Remembered, scope.Remembered(accountHash));
        var what = string.Create(CultureInfo.InvariantCulture, $"{collection}:{most}");
        if (!memory.TryGet(account, what, out var found))
        {
            var (version, _) = await memory.ReadAsync(account, place: null).ConfigureAwait(false);
            if (!memory.TryGet(account, version, what, out found))
            {
                found = new(version, await ReadStoredAsync(accountHash, most, cancellationToken).ConfigureAwait(false));
                memory.Add(account, what, found);
            }
        }

        scope.BeginWork().Expect(new(account), found.Version.ToString(CultureInfo.InvariantCulture));
        return [.. found.Documents.Select(Read)];
    }

    /// <summary>Reads a document; null where there is none.</summary>
    public async Task<T?> ReadAsync(DocumentPlace place)
    {
        await foreach (var (document, _) in ReadAsync([place], CancellationToken.None).ConfigureAwait(false))
        {
            return document;
        }

        return null;
    }

    public T Read(StoredDocument stored) => Read(stored.Json.Span, stored.Revision, stored.Place, stored.IndexPlace);

    public T Read(DocumentWrite write) => Read(write.Json, write.Revision, write.Place, write.IsNew ? null : write.Expected.IndexPlace);

    private async Task<IReadOnlyList<T>> ListAllAsync(int most, CancellationToken cancellationToken)
    {
        List<T> all = [];
        string? cursor = null;
        do
        {
            var page = await ListAsync(cursor, Math.Min(MaxPageSize, most - all.Count), cancellationToken).ConfigureAwait(false);
            all.AddRange(page.Items);
            cursor = page.NextCursor;
        } while (cursor is not null && all.Count < most);
        return [.. all.Take(most)];
    }

    private async Task<List<StoredDocument>> ReadStoredAsync(string accountHash, int most, CancellationToken cancellationToken)
    {
        var places = await Reader.ListAsync([accountHash], 0, "", most).ConfigureAwait(false);
        List<StoredDocument> documents = [];
        var bytes = 0;
        await foreach (var document in Reader.ReadAsync(places.Select(ToPlace)).ConfigureAwait(false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            bytes += document?.Json.Length ?? 0;
            if (bytes > MaxReadBytes)
            {
                throw new ReadTooLargeException(collection, MaxReadBytes);
            }

            if (document is not null)
            {
                documents.Add(document);
            }
        }

        return documents;
    }

    // What the call wrote is read as it wrote it, and with it how large each is.
    private async IAsyncEnumerable<(T? Document, int Size)> ReadAsync(
        DocumentPlace[] places,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var writes = Array.ConvertAll(places, place => scope.Work?.Find(place));
        var stored = Reader.ReadAsync(places.Where((_, i) => writes[i] is null)).GetAsyncEnumerator(cancellationToken);
        await using var reading = stored.ConfigureAwait(false);
        foreach (var write in writes)
        {
            if (write is not null)
            {
                yield return (write.Json is null ? null : Read(write), write.Json?.Length ?? 0);
                continue;
            }

            cancellationToken.ThrowIfCancellationRequested();
            await stored.MoveNextAsync().ConfigureAwait(false);
            yield return stored.Current is { } found ? (Read(found), found.Json.Length) : (null, 0);
        }
    }

    // Several accounts may have one id: the first account's counts, as where one is read.
    private async Task<IEnumerable<DocumentPlace>> FindAsync(string[] hashes, IReadOnlyList<string> accounts)
    {
        var stored = await Reader.FindAsync(hashes, accounts).ConfigureAwait(false);
        var created = scope.Work?.FindNew(collection, accounts).Select(write => write.Place).ToHashSet() ?? [];
        return hashes.SelectMany(hash =>
            accounts
                .Where(account => created.Contains(new(account, collection, hash)))
                .Concat(stored[hash])
                .Select(account => new DocumentPlace(account, collection, hash))
                .Where(place => scope.Work?.Find(place) is not { Json: null })
                .Take(1)
        );
    }

    private static DocumentPlace ToPlace(string member) =>
        member.Split(':') is [var account, var collection, _, var idHash]
            ? new(account, collection, idHash)
            : throw new InvalidOperationException("The index of documents has a member of an unknown form.");

    private T Read(ReadOnlySpan<byte> json, long revision, DocumentPlace place, string? indexPlace) =>
        (T)(DocumentJson.Read<T>(json) with { Revision = revision, Origin = scope.Origin(place.Account) with { Place = indexPlace } });
}

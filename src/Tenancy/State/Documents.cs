using System.Text.Json;
using StackExchange.Redis;

namespace Tenancy.State;

/// <summary>
/// The documents of one type, of one tenant and one account; for a call that names no account, those of all accounts of the caller, to be
/// read only. It ends with the call that it was got from.
/// </summary>
/// <remarks>
/// What a call writes is committed when its handler has returned, all of it or nothing; a handler that throws writes nothing. Until then
/// the call itself reads what it wrote, and nobody else does. A call commits at most 128 documents and 4 MiB
/// (<see cref="CommitTooLargeException"/>); one that has more to write, or that calls out in between, commits what there is with
/// <c>ToolContext.FlushAsync</c>.
/// </remarks>
/// <typeparam name="T">A record with a <see cref="DocumentAttribute"/>.</typeparam>
public sealed class Documents<T>
    where T : TenantDocument
{
    // A page of documents is read in one trip for the index and one for the documents.
    private const int MaxPageSize = 200;

    // What is read by many ids, or in many accounts, is read so many at once: a request that names a lot takes longer, and takes nothing
    // from others.
    private const int MaxReads = 32;
    private static readonly DocumentAttribute Kind = DocumentKind.Of(typeof(T));
    private readonly DocumentScope _scope;
    private readonly DocumentPlace? _owner;

    internal Documents(DocumentScope scope, DocumentPlace? owner = null) => (_scope, _owner) = (scope, owner);

    /// <summary>Gets the documents that belong to another one: they lie in its account, whichever account this call is for.</summary>
    /// <param name="owner">A document that was read from the store, or just written to it; one that a handler made up is refused.</param>
    /// <exception cref="InvalidOperationException"><paramref name="owner"/> was not read from this tenant's documents.</exception>
    public Documents<T> Of(TenantDocument owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        var scope = _scope.Of(owner);
        return new(scope, new(scope.AccountHash, DocumentKind.Of(owner.GetType()).Collection, TenantKeyspace.Hash(owner.Id)));
    }

    /// <summary>Creates a document, once: when the call is a retry, the document that the first try created is given back.</summary>
    /// <remarks>
    /// It asks the store nothing, because nobody else makes this id. The commit fails where the tenant keeps as much as it may (<see
    /// cref="StorageBudgetExceededException"/>), where the document that it belongs to is gone, or where an earlier try has flushed it
    /// (<see cref="DocumentChangedException"/>). In the last case a handler with an idempotency key is run again, and gets what the earlier
    /// try created.
    /// </remarks>
    /// <param name="document">The document; its id is made here.</param>
    /// <param name="name">Tells apart several documents of one type that one call creates. Default: none, for a single one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="InvalidOperationException">The call has no account: documents are written for an account only.</exception>
    /// <exception cref="DocumentChangedException">This call deleted the document that it belongs to; see <see cref="Of"/>.</exception>
    /// <exception cref="CommitTooLargeException">The call has written too much for one commit.</exception>
    public async Task<T> CreateAsync(T document, string name = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(name);
        cancellationToken.ThrowIfCancellationRequested();
        var id = Kind.IdPrefix + _scope.DeriveId(Kind.Collection, name);
        var (work, place) = (_scope.BeginWork(), Place(_scope.AccountHash, id));
        return !work.ReadsFirst && work.Find(place) is null
            ? Create(work, place, id, document, before: null, DocumentExpectation.Absent)
            : await CreateOnceAsync(work, place, id, document).ConfigureAwait(false)
                ?? throw new InvalidOperationException("A document that another operation created has this operation's id.");
    }

    /// <summary>Creates a document under an id that the caller chose, such as its own name for it.</summary>
    /// <remarks>
    /// It reads whether the id is taken. At the commit it may turn out that somebody else took it meanwhile, that the document which it
    /// belongs to is gone (<see cref="DocumentChangedException"/>), or that the tenant keeps as much as it may
    /// (<see cref="StorageBudgetExceededException"/>).
    /// </remarks>
    /// <param name="id">The id, any text; documents of other accounts may have the same.</param>
    /// <param name="document">The document.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The document, also when the call is a retry that created it before; null where the id is taken.</returns>
    /// <exception cref="InvalidOperationException">The call has no account: documents are written for an account only.</exception>
    /// <exception cref="DocumentChangedException">This call deleted the document that it belongs to; see <see cref="Of"/>.</exception>
    /// <exception cref="CommitTooLargeException">The call has written too much for one commit.</exception>
    public Task<T?> CreateWithIdAsync(string id, T document, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        ArgumentNullException.ThrowIfNull(document);
        cancellationToken.ThrowIfCancellationRequested();
        return CreateOnceAsync(_scope.BeginWork(), Place(_scope.AccountHash, id), id, document);
    }

    /// <summary>Reads a document; null where this tenant and account have none with this id, whoever else may have one.</summary>
    public async Task<T?> GetAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        cancellationToken.ThrowIfCancellationRequested();
        return await _scope.GetReadableHashesAsync(cancellationToken).ConfigureAwait(false) is [var account]
                ? await ReadAsync(Place(account, id)).ConfigureAwait(false)
            : await GetAllAsync([id], cancellationToken).ConfigureAwait(false) is [var found] ? found
            : null;
    }

    /// <summary>Reads those of the ids that there are, each once and in the order of the ids, however often an id is named.</summary>
    /// <remarks>
    /// They are read a few at a time. How many ids a request may name is for the request to say: all documents are in memory at the end.
    /// </remarks>
    public async Task<IReadOnlyList<T>> GetAllAsync(IEnumerable<string> ids, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        List<T> found = [];
        var accounts = await _scope.GetReadableHashesAsync(cancellationToken).ConfigureAwait(false);
        var places = from id in ids.Distinct() from account in accounts select Place(account, id);
        foreach (var few in places.Chunk(MaxReads))
        {
            cancellationToken.ThrowIfCancellationRequested();
            found.AddRange((await Task.WhenAll(few.Select(ReadAsync)).ConfigureAwait(false)).OfType<T>());
        }

        // Several accounts may have one id: the first account's counts, as where one is read.
        return [.. found.DistinctBy(document => document.Id)];
    }

    /// <summary>Reads a page of documents in the order in which they were created.</summary>
    /// <remarks>
    /// What this call created and is not committed comes last, and in one piece: the last page may have more than <paramref name="limit"/>.
    /// </remarks>
    /// <param name="cursor">The cursor of the page before; null for the first page.</param>
    /// <param name="limit">The most documents, 1 to 200.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<DocumentPage<T>> ListAsync(string? cursor = null, int limit = 50, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPageSize);
        cancellationToken.ThrowIfCancellationRequested();
        // One more than asked for tells whether there is a next page.
        var accounts = await _scope.GetReadableHashesAsync(cancellationToken).ConfigureAwait(false);
        var (account, position) = DocumentCursor.Read(cursor, accounts);
        List<string> places = [];
        for (; account < accounts.Count && places.Count <= limit; account++, position = "")
        {
            var prefix = $"{accounts[account]}:{Kind.Collection}:";
            var page = await _scope
                .Redis.GetRangeByMemberAsync(_scope.Keys.Documents, prefix + position, prefix + "\u007f", limit + 1 - places.Count)
                .ConfigureAwait(false);
            places.AddRange(page.Select(place => place.ToString()));
        }

        var stored = await Task.WhenAll(places.Take(limit).Select(place => ReadListedAsync(ToPlace(place)))).ConfigureAwait(false);
        List<T> items = [.. stored.OfType<T>()];
        var isLast = places.Count <= limit;
        if (isLast && _scope.Work?.FindNew(Kind.Collection, accounts) is { Length: > 0 } created)
        {
            // A cursor points at what is stored: what is new comes with the last stored ones or, where that is too much, after them.
            isLast = items.Count + created.Length <= limit || places.Count == 0;
            items.AddRange(isLast ? created.Select(Read) : []);
        }

        return new(items, isLast ? null : DocumentCursor.Write(places[Math.Min(limit, places.Count) - 1], isOneOfMany: accounts.Count > 1));
    }

    /// <summary>Replaces a document, unless it was written or deleted since it was read.</summary>
    /// <remarks>
    /// At the commit it may turn out that somebody else was faster (<see cref="DocumentChangedException"/>): then a handler with an
    /// idempotency key is run again, to read and to decide again; or that the document grew and the tenant keeps as much as it may
    /// (<see cref="StorageBudgetExceededException"/>).
    /// </remarks>
    /// <param name="document">What was read from here, with changes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The document with its new revision.</returns>
    /// <exception cref="DocumentChangedException">This call itself wrote or deleted it since.</exception>
    /// <exception cref="CommitTooLargeException">The call has written too much for one commit.</exception>
    /// <exception cref="InvalidOperationException">The document was not read from this tenant and account.</exception>
    public Task<T> ReplaceAsync(T document, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(document);
        cancellationToken.ThrowIfCancellationRequested();
        if (document.Origin != _scope.Origin(_scope.AccountHash))
        {
            throw new InvalidOperationException(
                $"This {typeof(T).Name} was not read from this tenant and account: read it first; see Of for what belongs to another "
                    + "document."
            );
        }

        var (work, place) = (_scope.BeginWork(), Place(_scope.AccountHash, document.Id));
        var before = work.Find(place);
        if (before is not null && (before.Json is null || before.Revision != document.Revision))
        {
            throw new DocumentChangedException(Kind.Collection);
        }

        var replaced = (T)(document with { Revision = document.Revision + 1 });
        var write = before ?? new(place, DocumentExpectation.OfRevision(document.Revision), Json: null);
        work.Put(write with { Json = Write(replaced), Revision = replaced.Revision }, before);
        return Task.FromResult(replaced);
    }

    /// <summary>Deletes a document, whatever its revision.</summary>
    /// <remarks>
    /// It reads whether the document is there. At the commit it may turn out that somebody else deleted it meanwhile
    /// (<see cref="DocumentChangedException"/>).
    /// </remarks>
    /// <returns>Whether this tenant and account had it.</returns>
    /// <exception cref="InvalidOperationException">The call has no account: documents are written for an account only.</exception>
    /// <exception cref="CommitTooLargeException">The call has written too much for one commit.</exception>
    public async Task<bool> DeleteAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        cancellationToken.ThrowIfCancellationRequested();
        var place = Place(_scope.AccountHash, id);
        if (_scope.Work?.Find(place) is { } before)
        {
            if (before.Json is not null)
            {
                _scope.BeginWork().Put(before with { Json = null, IsNew = false }, before);
            }

            return before.Json is not null;
        }

        var fields = await _scope.Redis.GetFieldsAsync(_scope.Keys.Document(place), "place").ConfigureAwait(false);
        if (fields[0].IsNull)
        {
            return false;
        }

        _scope.BeginWork().Put(new(place, DocumentExpectation.OfPlace(fields[0].ToString()), Json: null), before: null);
        return true;
    }

    private async Task<T?> CreateOnceAsync(DocumentWork work, DocumentPlace place, string id, T document)
    {
        var before = work.Find(place);
        if (before is { IsNew: true })
        {
            return before.OperationHash == _scope.OperationHash ? Read(before) : null;
        }

        if (before is { Json: null })
        {
            return Create(work, place, id, document, before, before.Expected);
        }

        var fields = await _scope.Redis.GetFieldsAsync(_scope.Keys.Document(place), "json", "revision", "operation").ConfigureAwait(false);
        return fields[0].IsNull && before is null ? Create(work, place, id, document, before, DocumentExpectation.Absent)
            : fields[2] != _scope.OperationHash ? null
            : before is null ? Read(fields[0].ToString(), (long)fields[1], place.Account)
            : Read(before);
    }

    private T Create(DocumentWork work, DocumentPlace place, string id, T document, DocumentWrite? before, DocumentExpectation expected)
    {
        if (_owner is { } owner && work.Find(owner) is { Json: null })
        {
            throw new DocumentChangedException(Kind.Collection);
        }

        var created = (T)(document with { Id = id, Revision = 1, Origin = _scope.Origin(place.Account) });
        work.Put(new(place, expected, Write(created), created.Revision, IsNew: true, _scope.OperationHash, _owner), before);
        return created;
    }

    // What was deleted is not listed, and what is new comes last.
    private Task<T?> ReadListedAsync(DocumentPlace place) =>
        _scope.Work?.Find(place) is { Json: null } or { IsNew: true } ? Task.FromResult<T?>(null) : ReadAsync(place);

    private async Task<T?> ReadAsync(DocumentPlace place)
    {
        if (_scope.Work?.Find(place) is { } written)
        {
            return written.Json is null ? null : Read(written);
        }

        var fields = await _scope.Redis.GetFieldsAsync(_scope.Keys.Document(place), "json", "revision").ConfigureAwait(false);
        return fields[0].IsNull ? null : Read(fields[0].ToString(), (long)fields[1], place.Account);
    }

    private static DocumentPlace Place(string accountHash, string id) => new(accountHash, Kind.Collection, TenantKeyspace.Hash(id));

    private static DocumentPlace ToPlace(string member) =>
        member.Split(':') is [var account, var collection, _, var idHash]
            ? new(account, collection, idHash)
            : throw new InvalidOperationException("The index of documents has a member of an unknown form.");

    private T Read(string json, long revision, string accountHash) =>
        (T)(JsonSerializer.Deserialize<T>(json, DocumentJson.Options)! with { Revision = revision, Origin = _scope.Origin(accountHash) });

    private T Read(DocumentWrite write) =>
        (T)(
            JsonSerializer.Deserialize<T>(write.Json!, DocumentJson.Options)! with
            {
                Revision = write.Revision,
                Origin = _scope.Origin(write.Place.Account),
            }
        );

    private static byte[] Write(T document) => JsonSerializer.SerializeToUtf8Bytes(document, DocumentJson.Options);
}

/// <summary>A page of documents.</summary>
/// <param name="Items">The documents.</param>
/// <param name="NextCursor">Where the next page begins; null on the last.</param>
public sealed record DocumentPage<T>(IReadOnlyList<T> Items, string? NextCursor);

internal static class DocumentJson
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);
}

internal static class DocumentCursor
{
    private const int PositionLength = 60;
    private const int AccountLength = 43;

    /// <summary>Where the next page begins. A cursor that is none of ours begins at the first.</summary>
    public static (int Account, string Position) Read(string? cursor, IReadOnlyList<string> accounts)
    {
        if (IsPosition(cursor))
        {
            return (0, cursor!);
        }

        if (
            cursor is { Length: AccountLength + 1 + PositionLength }
            && cursor[AccountLength] == ':'
            && IsPosition(cursor[(AccountLength + 1)..])
        )
        {
            for (var account = 0; account < accounts.Count; account++)
            {
                if (cursor.StartsWith(accounts[account], StringComparison.Ordinal))
                {
                    return (account, cursor[(AccountLength + 1)..]);
                }
            }
        }

        return (0, "");
    }

    /// <summary>The cursor after a member of the index: <c>account:collection:creation time:id hash</c>.</summary>
    public static string Write(string member, bool isOneOfMany) =>
        isOneOfMany ? $"{member[..AccountLength]}:{member[^PositionLength..]}" : member[^PositionLength..];

    // The end of an index member: 16 digits, a colon, a hash.
    private static bool IsPosition(string? cursor) =>
        cursor is { Length: PositionLength }
        && cursor[16] == ':'
        && cursor.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '-' or '_');
}

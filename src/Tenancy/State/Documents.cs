namespace Tenancy.State;

/// <summary>
/// The documents of one type, of one tenant and one account; for a call that names no account, those of all accounts of the caller, to be
/// read only. It ends with the call that it was got from.
/// </summary>
/// <remarks>
/// What a call writes is committed when its handler has returned, all of it or nothing; a handler that throws writes nothing. Until then
/// the call itself reads what it wrote, and nobody else does. A document has at most 256 KiB, unless the tenant's limits say otherwise, and
/// 48 levels (<see cref="DocumentTooLargeException"/>). A call commits at most 128 documents and 4 MiB
/// (<see cref="CommitTooLargeException"/>); one that has more to write, or that calls out in between, commits what there is with
/// <c>ToolContext.FlushAsync</c>.
/// </remarks>
/// <typeparam name="T">A record with a <see cref="DocumentAttribute"/>.</typeparam>
public sealed class Documents<T>
    where T : TenantDocument
{
    private const int MaxPageSize = 200;
    private const int MaxCachedList = 1001;
    private static readonly DocumentAttribute Kind = DocumentKind.Of(typeof(T));
    private readonly DocumentScope _scope;
    private readonly DocumentPlace? _owner;
    private readonly DocumentReads<T> _reads;

    internal Documents(DocumentScope scope, DocumentPlace? owner = null) =>
        (_scope, _owner, _reads) = (scope, owner, new(scope, Kind.Collection));

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
    /// <exception cref="DocumentTooLargeException">The document is larger, or nested deeper, than one may be.</exception>
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
    /// <exception cref="DocumentTooLargeException">The document is larger, or nested deeper, than one may be.</exception>
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
                ? await _reads.ReadAsync(Place(account, id)).ConfigureAwait(false)
            : await GetAllAsync([id], cancellationToken).ConfigureAwait(false) is [var found] ? found
            : null;
    }

    /// <summary>
    /// Reads a document that is read often and changes seldom: from this node's memory, where no document of the account has changed since.
    /// </summary>
    /// <remarks>
    /// What was changed on this node is seen at once; what was changed on another one in a moment, and at the latest after a second. A
    /// commit of this call is refused where the document has changed since (<see cref="DocumentChangedException"/>), so that nothing is
    /// written by what is no longer true; what a handler does elsewhere before it commits is not held back by that. That there is no
    /// document is never remembered.
    /// </remarks>
    /// <param name="id">The document's id.</param>
    /// <param name="refresh">
    /// Whether to read it from the store and to remember that, such as before somebody is refused for what is remembered.
    /// </param>
    /// <param name="cancellationToken">Refuses to begin.</param>
    /// <exception cref="InvalidOperationException">The call is for several accounts, or for none, or its handler has returned.</exception>
    public Task<T?> GetCachedAsync(string id, bool refresh = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        cancellationToken.ThrowIfCancellationRequested();
        return _reads.GetCachedAsync(Place(_scope.AccountHash, id), refresh);
    }

    /// <summary>
    /// Reads the documents of the account, the first ones where there are more than <paramref name="limit"/>, in the order in which they
    /// were created; from this node's memory as <see cref="GetCachedAsync"/>, where they have 1 MiB at most. A commit of this call is
    /// refused where any document of the account has changed since.
    /// </summary>
    /// <param name="limit">The most documents, 1 to 1,001.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="InvalidOperationException">The call is for several accounts, or for none, or its handler has returned.</exception>
    /// <exception cref="ReadTooLargeException">They have more than 8 MiB: read them page by page.</exception>
    public Task<IReadOnlyList<T>> ListCachedAsync(int limit, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxCachedList);
        cancellationToken.ThrowIfCancellationRequested();
        return _reads.ListCachedAsync(_scope.AccountHash, limit, cancellationToken);
    }

    /// <summary>Reads those of the ids that there are, each once and in the order of the ids, however often an id is named.</summary>
    /// <remarks>They are read a few at a time, and 8 MiB in all at most.</remarks>
    /// <exception cref="ReadTooLargeException">They have more: read fewer at once.</exception>
    public Task<IReadOnlyList<T>> GetAllAsync(IEnumerable<string> ids, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        cancellationToken.ThrowIfCancellationRequested();
        return _reads.GetAllAsync(ids, cancellationToken);
    }

    /// <summary>Reads a page of documents in the order in which they were created.</summary>
    /// <remarks>
    /// A page ends at 1 MiB, so that it may have fewer documents than <paramref name="limit"/>, though one at least; whether there are more
    /// says <see cref="DocumentPage{T}.NextCursor"/>. What this call created and is not committed comes last, and in one piece: the last
    /// page may have more than <paramref name="limit"/>.
    /// </remarks>
    /// <param name="cursor">The cursor of the page before; null for the first page.</param>
    /// <param name="limit">The most documents, 1 to 200.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<DocumentPage<T>> ListAsync(string? cursor = null, int limit = 50, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPageSize);
        cancellationToken.ThrowIfCancellationRequested();
        return _reads.ListAsync(cursor, limit, cancellationToken);
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
    /// <exception cref="DocumentTooLargeException">The document is larger, or nested deeper, than one may be.</exception>
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
        var write = before ?? new(place, DocumentExpectation.OfRevision(document.Revision, document.Origin?.Place), Json: null);
        work.Put(write with { Json = DocumentJson.Write(replaced), Revision = replaced.Revision }, before);
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
            return before.OperationHash == _scope.OperationHash ? _reads.Read(before) : null;
        }

        if (before is { Json: null })
        {
            return Create(work, place, id, document, before, before.Expected);
        }

        var found = await _scope
            .Redis.GetFieldsAsync([_scope.Keys.Document(place)], "json", "revision", "operation", "place")
            .ConfigureAwait(false);
        var fields = found[0];
        return fields[0].IsNull && before is null ? Create(work, place, id, document, before, DocumentExpectation.Absent)
            : fields[2] != _scope.OperationHash ? null
            : before is null ? _reads.Read(new StoredDocument(place, fields[0], (long)fields[1]) { IndexPlace = fields[3] })
            : _reads.Read(before);
    }

    private T Create(DocumentWork work, DocumentPlace place, string id, T document, DocumentWrite? before, DocumentExpectation expected)
    {
        if (_owner is { } owner && work.Find(owner) is { Json: null })
        {
            throw new DocumentChangedException(Kind.Collection);
        }

        var created = (T)(document with { Id = id, Revision = 1, Origin = _scope.Origin(place.Account) });
        work.Put(new(place, expected, DocumentJson.Write(created), created.Revision, IsNew: true, _scope.OperationHash, _owner), before);
        return created;
    }

    private static DocumentPlace Place(string accountHash, string id) => new(accountHash, Kind.Collection, TenantKeyspace.Hash(id));
}

using System.Text.Json;
using StackExchange.Redis;

namespace Tenancy.State;

/// <summary>
/// The documents of one type, of one tenant and one account; for a call that names no account, those of all accounts of the caller, to be
/// read
/// only. It ends with the call that it was got from.
/// </summary>
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
    private readonly StoreKey? _owner;

    internal Documents(DocumentScope scope, StoreKey? owner = null) => (_scope, _owner) = (scope, owner);

    /// <summary>Gets the documents that belong to another one: they lie in its account, whichever account this call is for.</summary>
    /// <param name="owner">A document that was read from the store, or just written to it; one that a handler made up is refused.</param>
    /// <exception cref="InvalidOperationException"><paramref name="owner"/> was not read from this tenant's documents.</exception>
    public Documents<T> Of(TenantDocument owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        var scope = _scope.Of(owner);
        return new(
            scope,
            scope.Keys.Document(new(scope.AccountHash, DocumentKind.Of(owner.GetType()).Collection, TenantKeyspace.Hash(owner.Id)))
        );
    }

    /// <summary>Creates a document, once: when the call is a retry, the document that the first try created is given back.</summary>
    /// <param name="document">The document; its id is made here.</param>
    /// <param name="name">Tells apart several documents of one type that one call creates. Default: none, for a single one.</param>
    /// <param name="cancellationToken">Ends the wait, not the write.</param>
    /// <exception cref="InvalidOperationException">The call has no account: documents are written for an account only.</exception>
    /// <exception cref="StorageBudgetExceededException">The tenant keeps as much as it may.</exception>
    /// <exception cref="DocumentChangedException">The document that it belongs to is gone; see <see cref="Of"/>.</exception>
    public async Task<T> CreateAsync(T document, string name = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        return await CreateAsync(Kind.IdPrefix + _scope.DeriveId(Kind.Collection, name), document, cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException("A document that another operation created has this operation's id.");
    }

    /// <summary>Creates a document under an id that the caller chose, such as a buyer's own name for it.</summary>
    /// <param name="id">The id, any text; documents of other accounts may have the same.</param>
    /// <param name="document">The document.</param>
    /// <param name="cancellationToken">Ends the wait, not the write.</param>
    /// <returns>The document, also when the call is a retry that created it before; null where the id is taken.</returns>
    /// <exception cref="InvalidOperationException">The call has no account: documents are written for an account only.</exception>
    /// <exception cref="StorageBudgetExceededException">The tenant keeps as much as it may.</exception>
    /// <exception cref="DocumentChangedException">The document that it belongs to is gone; see <see cref="Of"/>.</exception>
    public Task<T?> CreateWithIdAsync(string id, T document, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return CreateAsync(id, document, cancellationToken);
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

        var documents = await Task.WhenAll(places.Take(limit).Select(place => ReadAsync(ToPlace(place)))).ConfigureAwait(false);
        return new(
            [.. documents.OfType<T>()],
            places.Count > limit ? DocumentCursor.Write(places[limit - 1], isOneOfMany: accounts.Count > 1) : null
        );
    }

    /// <summary>Replaces a document, unless it was written or deleted since it was read.</summary>
    /// <param name="document">What was read from here, with changes.</param>
    /// <param name="cancellationToken">Ends the wait, not the write.</param>
    /// <returns>The document with its new revision.</returns>
    /// <exception cref="DocumentChangedException">Somebody else was faster: read it again, and decide again.</exception>
    /// <exception cref="StorageBudgetExceededException">The document grew, and the tenant keeps as much as it may.</exception>
    /// <exception cref="InvalidOperationException">The document was not read from this tenant and account.</exception>
    public async Task<T> ReplaceAsync(T document, CancellationToken cancellationToken = default)
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

        var json = Write(document);
        var answer = await _scope
            .Redis.EvaluateAsync(
                StoreScript.DocumentReplace,
                [_scope.Keys.Document(Place(_scope.AccountHash, document.Id)), _scope.Keys.DocumentStorage],
                [document.Revision, json, DocumentSize.Of(json), _scope.Budget]
            )
            .ConfigureAwait(false);
        return (int)answer switch
        {
            1 => (T)(document with { Revision = document.Revision + 1 }),
            3 => throw new StorageBudgetExceededException(_scope.Budget),
            _ => throw new DocumentChangedException(Kind.Collection),
        };
    }

    /// <summary>Deletes a document, whatever its revision.</summary>
    /// <returns>Whether this tenant and account had it.</returns>
    /// <exception cref="InvalidOperationException">The call has no account: documents are written for an account only.</exception>
    public async Task<bool> DeleteAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        cancellationToken.ThrowIfCancellationRequested();
        var answer = await _scope
            .Redis.EvaluateAsync(
                StoreScript.DocumentDelete,
                [_scope.Keys.Document(Place(_scope.AccountHash, id)), _scope.Keys.Documents, _scope.Keys.DocumentStorage],
                []
            )
            .ConfigureAwait(false);
        return (int)answer == 1;
    }

    private async Task<T?> CreateAsync(string id, T document, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(document);
        cancellationToken.ThrowIfCancellationRequested();
        var created = (T)(document with { Id = id, Revision = 1, Origin = _scope.Origin(_scope.AccountHash) });
        var json = Write(created);
        var place = Place(_scope.AccountHash, id);
        StoreKey[] keys = [_scope.Keys.Document(place), _scope.Keys.Documents, _scope.Keys.DocumentStorage];
        var answer = (RedisResult[])
            (
                await _scope
                    .Redis.EvaluateAsync(
                        StoreScript.DocumentCreate,
                        _owner is { } owner ? [.. keys, owner] : keys,
                        [
                            $"{place.Account}:{place.Collection}",
                            place.IdHash,
                            json,
                            _scope.OperationHash,
                            DocumentSize.Of(json),
                            _scope.Budget,
                            _scope.Redis.ClockOffset,
                        ]
                    )
                    .ConfigureAwait(false)
            )!;
        return (int)answer[0] switch
        {
            1 => created,
            2 => Read((string)answer[1]!, (long)answer[2], place.Account),
            3 => throw new StorageBudgetExceededException(_scope.Budget),
            4 => throw new DocumentChangedException(Kind.Collection),
            _ => null,
        };
    }

    private async Task<T?> ReadAsync(DocumentPlace place)
    {
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

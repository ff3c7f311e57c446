using System.Reflection;
using System.Text.Json;
using StackExchange.Redis;

namespace Tenancy.State;

/// <summary>The documents of one type, of one tenant and one account. It ends with the call that it was got from.</summary>
/// <typeparam name="T">A record with a <see cref="DocumentAttribute"/>.</typeparam>
public sealed class Documents<T>
    where T : TenantDocument
{
    // A page of documents is read in one trip for the index and one for the documents.
    private const int MaxPageSize = 200;
    private static readonly DocumentAttribute Kind = ReadKind();
    private readonly DocumentScope _scope;

    internal Documents(DocumentScope scope) => _scope = scope;

    /// <summary>Creates a document, once: when the call is a retry, the document that the first try created is given back.</summary>
    /// <param name="document">The document; its id is made here.</param>
    /// <param name="name">Tells apart several documents of one type that one call creates. Default: none, for a single one.</param>
    /// <param name="cancellationToken">Ends the wait, not the write.</param>
    /// <exception cref="InvalidOperationException">The call has no account: documents are written for an account only.</exception>
    public async Task<T> CreateAsync(T document, string name = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(document);
        cancellationToken.ThrowIfCancellationRequested();
        var id = Kind.IdPrefix + _scope.DeriveId(Kind.Collection, name);
        var created = (T)(document with { Id = id, Revision = 1 });
        var place = Place(id);
        var answer = (RedisResult[])(await _scope.Redis.EvaluateAsync(
            StoreScript.DocumentCreate,
            [_scope.Keys.Document(place), _scope.Keys.Documents],
            [$"{place.Account}:{place.Collection}", place.IdHash, JsonSerializer.Serialize(created, DocumentJson.Options), _scope.Redis.ClockOffset]).ConfigureAwait(false))!;
        return (int)answer[0] == 1 ? created : Read((string)answer[1]!, (long)answer[2]);
    }

    /// <summary>Reads a document; null where this tenant and account have none with this id, whoever else may have one.</summary>
    public async Task<T?> GetAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        cancellationToken.ThrowIfCancellationRequested();
        return _scope.HasAccount ? await ReadAsync(Place(id)).ConfigureAwait(false) : null;
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
        if (!_scope.HasAccount)
        {
            return new([], null);
        }

        // One more than asked for tells whether there is a next page.
        var prefix = $"{_scope.AccountHash}:{Kind.Collection}:";
        var from = prefix + (DocumentCursor.IsValid(cursor) ? cursor : "");
        var places = await _scope.Redis.GetRangeByMemberAsync(_scope.Keys.Documents, from, prefix + "\u007f", limit + 1).ConfigureAwait(false);
        var documents = await Task.WhenAll(places.Take(limit).Select(place => ReadAsync(ToPlace(place.ToString())))).ConfigureAwait(false);
        return new([.. documents.OfType<T>()], places.Length > limit ? places[limit - 1].ToString()[prefix.Length..] : null);
    }

    private async Task<T?> ReadAsync(DocumentPlace place)
    {
        var fields = await _scope.Redis.GetFieldsAsync(_scope.Keys.Document(place), "json", "revision").ConfigureAwait(false);
        return fields[0].IsNull ? null : Read(fields[0].ToString(), (long)fields[1]);
    }

    private DocumentPlace Place(string id) => new(_scope.AccountHash, Kind.Collection, TenantKeyspace.Hash(id));

    private static DocumentPlace ToPlace(string member) =>
        member.Split(':') is [var account, var collection, _, var idHash]
            ? new(account, collection, idHash)
            : throw new InvalidOperationException("The index of documents has a member of an unknown form.");

    private static T Read(string json, long revision) => (T)(JsonSerializer.Deserialize<T>(json, DocumentJson.Options)! with { Revision = revision });

    private static DocumentAttribute ReadKind()
    {
        var attribute = typeof(T).GetCustomAttribute<DocumentAttribute>()
            ?? throw new InvalidOperationException($"{typeof(T).Name} has no [Document(\"name\")]: say where its documents are kept.");
        return attribute.Collection.Length is > 0 and <= 40 && attribute.Collection.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_')
            ? attribute
            : throw new InvalidOperationException($"[Document(\"{attribute.Collection}\")] of {typeof(T).Name}: use 1 to 40 characters of a-z, 0-9 and '_'.");
    }
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
    /// <summary>A cursor is the end of an index member: 16 digits, a colon, a hash. Anything else begins at the first page.</summary>
    public static bool IsValid(string? cursor) =>
        cursor is { Length: 60 } && cursor[16] == ':' && cursor.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '-' or '_');
}

using StackExchange.Redis;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>
/// Reads what is stored of a collection. Bytes under way and look-ups are bounded, whatever a request names: a caller's accounts times its
/// ids, or a page of large documents, would be more than one request may take from others.
/// </summary>
internal sealed class DocumentReader(RedisConnection redis, TenantKeyspace keys, string collection)
{
    // So many documents of the largest size are 4 MiB.
    private const int MaxReads = 16;

    // An id that more accounts have than this is looked up in the caller's accounts instead.
    private const int MaxAccountsOfId = 64;

    // What a script goes through at once takes well below a millisecond.
    private const int MaxAccountsOfScript = 200;
    private const int MaxIdsOfScript = 200;

    /// <summary>Reads documents, a few at a time and in their order; null for what is not there.</summary>
    public async IAsyncEnumerable<StoredDocument?> ReadAsync(IEnumerable<DocumentPlace> places)
    {
        foreach (var few in places.Chunk(MaxReads))
        {
            var found = await redis
                .GetFieldsAsync(few.Select(place => keys.Document(place)), "json", "revision", "place")
                .ConfigureAwait(false);
            foreach (var (place, fields) in few.Zip(found))
            {
                yield return fields[0].IsNull ? null : new(place, fields[0], (long)fields[1]) { IndexPlace = fields[2] };
            }
        }
    }

    /// <summary>Finds the places of the next documents, in the order of the accounts and then of creation.</summary>
    /// <param name="accounts">The accounts.</param>
    /// <param name="first">The number of the account to begin in.</param>
    /// <param name="position">Where to begin in it; empty for its beginning.</param>
    /// <param name="most">The most places.</param>
    public async Task<List<string>> ListAsync(IReadOnlyList<string> accounts, int first, string position, int most)
    {
        List<string> places = [];
        for (; first < accounts.Count && places.Count < most; first += MaxAccountsOfScript, position = "")
        {
            places.AddRange(
                accounts.Count == 1
                    ? await ListAsync(accounts[0], position, most).ConfigureAwait(false)
                    : await ListAsync(accounts.Skip(first).Take(MaxAccountsOfScript), position, most - places.Count).ConfigureAwait(false)
            );
        }

        return places;
    }

    /// <summary>
    /// Finds where the documents of ids lie, each in the first of the accounts that has it, without a look into each account for each id.
    /// </summary>
    /// <returns>For each id hash the accounts that have it, in the order of <paramref name="accounts"/>.</returns>
    public async Task<Dictionary<string, List<string>>> FindAsync(IReadOnlyList<string> idHashes, IReadOnlyList<string> accounts)
    {
        var order = accounts.Index().DistinctBy(account => account.Item).ToDictionary(account => account.Item, account => account.Index);
        var found = new Dictionary<string, List<string>>();
        foreach (var some in idHashes.Chunk(MaxIdsOfScript))
        {
            var answers = await FindAsync(some).ConfigureAwait(false);
            foreach (var (id, answer) in some.Zip(answers))
            {
                var having =
                    answer.Length > MaxAccountsOfId
                        ? await FindInAsync(id, accounts).ConfigureAwait(false)
                        : answer.Where(order.ContainsKey);
                found[id] = [.. having.OrderBy(account => order[account])];
            }
        }

        return found;
    }

    private async Task<IEnumerable<string>> ListAsync(string account, string position, int most)
    {
        var prefix = $"{account}:{collection}:";
        var page = await redis.GetRangeByMemberAsync(keys.Documents, prefix + position, prefix + "\u007f", most).ConfigureAwait(false);
        return page.Select(place => place.ToString());
    }

    private async Task<IEnumerable<string>> ListAsync(IEnumerable<string> accounts, string position, int most) =>
        (string[])
            (
                await redis
                    .ReadAsync(
                        StoreScript.DocumentList,
                        [keys.Documents],
                        [most, collection, position, .. accounts.Select(account => (RedisValue)account)]
                    )
                    .ConfigureAwait(false)
            )!;

    private async Task<string[][]> FindAsync(string[] idHashes)
    {
        for (var attempt = 0; ; attempt++)
        {
            var answer = (RedisResult[])
                (
                    await redis
                        .ReadAsync(
                            StoreScript.DocumentFind,
                            [keys.Documents, keys.DocumentIds],
                            [MaxAccountsOfId + 1, collection, .. idHashes.Select(id => (RedisValue)id)]
                        )
                        .ConfigureAwait(false)
                )!;
            if ((int)answer[0] == 1)
            {
                return [.. answer[1..].Select(accounts => (string[])accounts!)];
            }

            if (attempt == 2)
            {
                throw new StoreUnavailableException(new InvalidOperationException("Another node changes documents and not their index."));
            }

            await DocumentIndex.CompleteAsync(redis, keys).ConfigureAwait(false);
        }
    }

    // An id that many have, such as a name that buyers give, costs what the caller has, and not what all have.
    private async Task<IEnumerable<string>> FindInAsync(string idHash, IReadOnlyList<string> accounts)
    {
        List<string> found = [];
        foreach (var some in accounts.Chunk(MaxAccountsOfScript))
        {
            var scores = await redis
                .GetScoresAsync(keys.DocumentIds, Array.ConvertAll(some, account => (RedisValue)$"{collection}:{idHash}:{account}"))
                .ConfigureAwait(false);
            found.AddRange(some.Where((_, i) => scores[i] is not null));
        }

        return found.Distinct();
    }
}

/// <summary>A document as it is stored.</summary>
internal sealed record StoredDocument(DocumentPlace Place, ReadOnlyMemory<byte> Json, long Revision)
{
    /// <summary>Gets the commit that wrote it last, where that was asked for.</summary>
    public string Commit { get; init; } = "";

    /// <summary>Gets its place in the index, which tells it from all that had its id before.</summary>
    public string? IndexPlace { get; init; }
}

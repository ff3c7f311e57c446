using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using StackExchange.Redis;

namespace Tenancy.CommandLine.Migration;

/// <summary>The Redis that another deployment keeps its keys in: a single one or a Cluster. It is only read.</summary>
internal sealed class MigrationSource : IAsyncDisposable
{
    /// <summary>About how many keys one SCAN looks at. Between two of them a server answers others.</summary>
    public const int PageSize = 500;

    /// <summary>How long a busy server is waited for: it may have others to answer first.</summary>
    private const string Patience = "asyncTimeout=30000,syncTimeout=30000,connectTimeout=10000";

    private readonly ConnectionMultiplexer _redis;
    private readonly IDatabase _database;

    private MigrationSource(ConnectionMultiplexer redis) => (_redis, _database) = (redis, redis.GetDatabase());

    /// <summary>Adds to a connection string what a run of minutes needs, unless it says so itself.</summary>
    public static string Patient(string connectionString) =>
        connectionString.Contains("Timeout", StringComparison.OrdinalIgnoreCase) ? connectionString : $"{connectionString},{Patience}";

    /// <exception cref="ToolException">It does not answer.</exception>
    public static async Task<MigrationSource> ConnectAsync(string connectionString)
    {
        try
        {
            return new(await ConnectionMultiplexer.ConnectAsync(Patient(connectionString)));
        }
        catch (Exception exception) when (exception is RedisException or ArgumentException)
        {
            // The text has the addresses, and never the password.
            throw new ToolException($"The source does not answer ({exception.GetType().Name}): is its connection string right?");
        }
    }

    /// <summary>Gives the keys of a pattern, a page after the other, with how much of the source was looked at, from 0 to 1.</summary>
    public async IAsyncEnumerable<(RedisKey[] Keys, double Share)> ScanAsync(
        string pattern,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var servers = _redis.GetServers().Where(server => !server.IsReplica).ToArray();
        if (servers.Any(server => !server.IsConnected))
        {
            throw new ToolException("A primary of the source does not answer: wait until it does, and run this again.");
        }

        for (var i = 0; i < servers.Length; i++)
        {
            var (cursor, seen) = ("0", 0L);
            var count = await servers[i].DatabaseSizeAsync(_database.Database);
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                var answer = (RedisResult[])
                    (await servers[i].ExecuteAsync(_database.Database, "SCAN", [cursor, "MATCH", pattern, "COUNT", PageSize]))!;
                cursor = (string)answer[0]!;
                seen += PageSize;
                var share = cursor == "0" ? 1 : Math.Min(0.99, (double)seen / Math.Max(1, count));
                yield return ([.. ((RedisKey[])answer[1]!).Distinct()], (i + share) / servers.Length);
            } while (cursor != "0");
        }
    }

    /// <summary>
    /// Says what type keys have and about how many bytes they take up, which costs a server nothing; 0 for those that are gone.
    /// </summary>
    public async Task<(RedisType Type, long Size)[]> MeasureAsync(IReadOnlyCollection<RedisKey> keys) =>
        await Task.WhenAll([
            .. keys.Select(async key =>
            {
                var (type, size) = (_database.KeyTypeAsync(key), _database.ExecuteAsync("MEMORY", "USAGE", key));
                return (await type, (await size) is { IsNull: false } bytes ? (long)bytes : 0);
            }),
        ]);

    /// <summary>Reads an object: a text that is JSON, or a hash. Null where it is neither.</summary>
    public async Task<JsonObject?> ReadAsync(RedisKey key, RedisType type) =>
        type switch
        {
            RedisType.String => (byte[]?)await _database.StringGetAsync(key) is { } json ? OldRecords.Parse(json) : null,
            RedisType.Hash => OldRecords.Join(
                (await _database.HashGetAllAsync(key)).Select(field => KeyValuePair.Create(field.Name.ToString(), field.Value.ToString()))
            ),
            _ => null,
        };

    /// <summary>Reads how long a key has yet, in milliseconds: 0 for one that does not end, and null for one that is gone.</summary>
    public async Task<long?> TimeToLiveAsync(RedisKey key) =>
        (long)await _database.ExecuteAsync("PTTL", key) switch
        {
            -2 => null,
            -1 => 0,
            // 0 would be one that does not end.
            var left => Math.Max(1, left),
        };

    /// <summary>Reads a key as it is; null where it is gone.</summary>
    public async Task<(long TimeToLive, byte[] Dump)?> DumpAsync(RedisKey key)
    {
        // In this order: a key that ends in between is gone, and does not stay for ever.
        var (left, dump) = (TimeToLiveAsync(key), _database.KeyDumpAsync(key));
        return (await left, await dump) is ({ } timeToLive, { } bytes) ? (timeToLive, bytes) : null;
    }

    public ValueTask DisposeAsync() => _redis.DisposeAsync();
}

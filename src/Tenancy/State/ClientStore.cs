using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using StackExchange.Redis;
using Tenancy.Audit;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>The OAuth clients of one tenant: those of its identity provider that may call it, where it lets no others.</summary>
/// <remarks>A client belongs to its issuer: the same id at another identity provider is somebody else.</remarks>
internal sealed class ClientStore(RedisConnection redis, TenantId tenant, long generation)
{
    private const int CreatedDigits = 15;
    private readonly TenantKeyspace _keys = new(tenant);

    /// <summary>Lists a client.</summary>
    /// <param name="client">The client.</param>
    /// <param name="lifetime">How long it lives after a use.</param>
    /// <param name="maxClients">The most clients.</param>
    /// <param name="audit">The entry of the audit; null for none.</param>
    /// <returns>The client, or why it is not listed.</returns>
    public async Task<(StoredClient? Client, ClientRefusal Refusal)> CreateAsync(
        ClientRecord client,
        TimeSpan lifetime,
        int maxClients,
        AuditEntry? audit = null
    )
    {
        var handle = HandleOf(client.Issuer, client.ClientId);
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateFencedAsync(
                        StoreScript.ClientCreate,
                        [_keys.Client(handle), _keys.Clients, _keys.Generation, _keys.Audit],
                        [
                            handle,
                            Serialize(client),
                            (long)lifetime.TotalMilliseconds,
                            maxClients,
                            redis.ClockOffset,
                            generation,
                            Text(audit, handle),
                        ]
                    )
                    .ConfigureAwait(false)
            )!;
        return (int)answer[0] == 1
            ? (new(handle, client, Time((long)answer[1]), Time((long)answer[2]), lifetime), ClientRefusal.None)
            : (null, (int)answer[0] == 0 ? ClientRefusal.IsListed : ClientRefusal.TooMany);
    }

    /// <summary>Finds a client that calls, which renews it.</summary>
    /// <returns>For how long it is listed; null where it is not.</returns>
    public async Task<TimeSpan?> UseAsync(string issuer, string clientId)
    {
        var left = (long)
            await redis
                .EvaluateFencedAsync(
                    StoreScript.ClientUse,
                    [_keys.Client(HandleOf(issuer, clientId)), _keys.Clients, _keys.Generation],
                    [redis.ClockOffset, generation]
                )
                .ConfigureAwait(false);
        return left > 0 ? TimeSpan.FromMilliseconds(left) : null;
    }

    /// <summary>Finds a client by its handle.</summary>
    public async Task<StoredClient?> FindAsync(string handle, DateTimeOffset now) =>
        await ReadAsync(handle).ConfigureAwait(false) is { } client && client.ExpiresAt > now ? client : null;

    /// <summary>Lists the clients, in the order in which they came.</summary>
    /// <param name="cursor">The cursor of the page before; null for the first page.</param>
    /// <param name="take">The most clients.</param>
    /// <returns>The clients, how many there are in all, and where the next page begins.</returns>
    public async Task<(IReadOnlyList<StoredClient> Clients, int Count, string? NextCursor)> ListAsync(string? cursor, int take)
    {
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateAsync(StoreScript.ClientList, [_keys.Clients], [cursor ?? "", take, redis.ClockOffset])
                    .ConfigureAwait(false)
            )!;
        var entries = answer[1..].Select(entry => (string)entry!).ToArray();
        var clients = await Task.WhenAll(entries.Take(take).Select(entry => ReadAsync(HandleOf(entry)))).ConfigureAwait(false);
        return ([.. clients.OfType<StoredClient>()], (int)answer[0], entries.Length > take ? entries[take - 1] : null);
    }

    /// <summary>Gives a client a new record and its full lifetime again.</summary>
    /// <returns>Null where the client that was read is gone.</returns>
    public async Task<StoredClient?> RefreshAsync(StoredClient client, ClientRecord record, AuditEntry? audit = null)
    {
        var expiry = (long)
            await redis
                .EvaluateFencedAsync(
                    StoreScript.ClientRefresh,
                    [_keys.Client(client.Handle), _keys.Clients, _keys.Generation, _keys.Audit],
                    [Created(client.CreatedAt), Serialize(record), redis.ClockOffset, generation, Text(audit, client.Handle)]
                )
                .ConfigureAwait(false);
        return expiry > 0 ? client with { Record = record, ExpiresAt = Time(expiry) } : null;
    }

    /// <summary>Takes a client out.</summary>
    /// <returns>False where it is not listed.</returns>
    public async Task<bool> DeleteAsync(string handle, AuditEntry? audit = null) =>
        (int)
            await redis
                .EvaluateFencedAsync(
                    StoreScript.ClientDelete,
                    [_keys.Client(handle), _keys.Clients, _keys.Generation, _keys.Audit],
                    [redis.ClockOffset, generation, Text(audit, handle)]
                )
                .ConfigureAwait(false) == 1;

    /// <summary>Whether a text has the form of a cursor, which is an entry of the index.</summary>
    public static bool IsCursor(string text) =>
        text.Length == CreatedDigits + 1 + TenantKeyspace.HashLength
        && text[CreatedDigits] == '.'
        && text.AsSpan(0, CreatedDigits).IndexOfAnyExceptInRange('0', '9') < 0
        && Base64Url.IsValid(text.AsSpan(CreatedDigits + 1));

    /// <summary>The handle in an entry of the index.</summary>
    internal static string HandleOf(string entry) => entry[(entry.IndexOf('.', StringComparison.Ordinal) + 1)..];

    /// <summary>The handle of a client.</summary>
    internal static string HandleOf(string issuer, string clientId) => TenantKeyspace.Hash(issuer, clientId);

    private async Task<StoredClient?> ReadAsync(string handle) =>
        await redis.GetFieldsAsync(_keys.Client(handle), "record", "created", "expiry", "lifetime").ConfigureAwait(false)
            is [{ IsNull: false } record, var created, var expiry, var lifetime]
            ? new(
                handle,
                JsonSerializer.Deserialize(record.ToString(), ClientJson.Default.ClientRecord)!,
                Time(Number(created)),
                Time(Number(expiry)),
                TimeSpan.FromMilliseconds(Number(lifetime))
            )
            : null;

    private static long Number(RedisValue value) => long.Parse(value.ToString(), CultureInfo.InvariantCulture);

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private static string Created(DateTimeOffset time) => time.ToUnixTimeMilliseconds().ToString("D15", CultureInfo.InvariantCulture);

    private static string Text(AuditEntry? audit, string handle) => audit is null ? "" : (audit with { Subject = handle }).ToText();

    private static string Serialize(ClientRecord client) => JsonSerializer.Serialize(client, ClientJson.Default.ClientRecord);
}

/// <summary>Why a client was not listed.</summary>
internal enum ClientRefusal
{
    None,
    IsListed,
    TooMany,
}

/// <summary>What is known of a client.</summary>
/// <param name="ClientId">Its id at the issuer (RFC 6749, section 2.2).</param>
/// <param name="Issuer">The issuer.</param>
internal sealed record ClientRecord(string ClientId, string Issuer)
{
    /// <summary>The name that people see; it identifies nobody.</summary>
    public string? Name { get; init; }

    /// <summary>What else is known of it, in the terms of RFC 7591, section 2.</summary>
    public JsonElement? Metadata { get; init; }

    /// <summary>When its metadata document was fetched; null for a client whose id names none.</summary>
    public DateTimeOffset? FetchedAt { get; init; }
}

/// <summary>A client as the store keeps it.</summary>
/// <param name="Handle">What names it in the admin API: ids may be URLs.</param>
/// <param name="Record">What is known of it.</param>
/// <param name="CreatedAt">When it was listed.</param>
/// <param name="ExpiresAt">When it ends unless it is used.</param>
/// <param name="Lifetime">How long it lives after a use.</param>
internal sealed record StoredClient(
    string Handle,
    ClientRecord Record,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    TimeSpan Lifetime
);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ClientRecord))]
internal sealed partial class ClientJson : JsonSerializerContext;

using System.Buffers.Binary;
using System.Security.Cryptography;
using StackExchange.Redis;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>
/// The keys of another deployment that were brought under a tenant as they are, because nothing here knows what they hold. Servers never
/// read them; a purge removes them.
/// </summary>
internal sealed class MigratedKeys(RedisConnection redis, TenantId tenant, long generation)
{
    private readonly TenantKeyspace _keys = new(tenant);

    /// <summary>Copies keys, all in one script. What was copied before, and where something else is, is left as it is.</summary>
    /// <param name="copies">The keys.</param>
    /// <param name="isTrial">Whether to say only what would be done.</param>
    /// <returns>What became of each.</returns>
    /// <exception cref="Registry.StoreUnavailableException">The store is away, or the tenant was deleted meanwhile.</exception>
    public async Task<IReadOnlyList<KeyCopyResult>> CopyAsync(IReadOnlyList<KeyCopy> copies, bool isTrial)
    {
        var answer = await redis
            .EvaluateFencedAsync(
                StoreScript.MigrateKeys,
                [_keys.Generation, _keys.Migrated, .. copies.Select(copy => _keys.MigratedKey(copy.Name))],
                [generation, isTrial ? 1 : 0, .. copies.SelectMany(copy => Arguments(copy, isTrial))],
                isLarge: true
            )
            .ConfigureAwait(false);
        return [.. ((string[])answer!).Select(Read)];
    }

    private static RedisValue[] Arguments(KeyCopy copy, bool isTrial) =>
        [(byte[])copy.Name!, copy.Checksum, copy.TimeToLive, isTrial ? RedisValue.EmptyString : copy.Dump];

    private static KeyCopyResult Read(string answer) =>
        answer switch
        {
            "0" => new(KeyCopyOutcome.Copied, null),
            "1" => new(KeyCopyOutcome.WasCopied, null),
            "2" => new(KeyCopyOutcome.IsTaken, null),
            _ => new(KeyCopyOutcome.Refused, answer),
        };
}

/// <summary>A key to be copied.</summary>
/// <param name="Name">The name that it has under the tenant.</param>
/// <param name="TimeToLive">How long it has yet, in milliseconds; 0 for one that does not end.</param>
/// <param name="Dump">What DUMP gave of it.</param>
internal sealed record KeyCopy(RedisKey Name, long TimeToLive, byte[] Dump)
{
    // The end of a dump is the version of its form and a checksum of both.
    private const int TrailerLength = 10;

    /// <summary>Gets 48 bits of the SHA-256 hash of the value, which the score of a sorted set holds exactly.</summary>
    public long Checksum => BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Dump.AsSpan()[..^TrailerLength])) >>> 16;
}

/// <summary>What became of a key that was to be copied.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Reason">What the server said against it.</param>
internal readonly record struct KeyCopyResult(KeyCopyOutcome Outcome, string? Reason);

/// <summary>What can become of a key that is to be copied.</summary>
internal enum KeyCopyOutcome
{
    Copied,

    /// <summary>It was copied before, and had the same value then.</summary>
    WasCopied,

    /// <summary>There is something else under its name: it was another deployment's, or had another value when it was copied.</summary>
    IsTaken,

    /// <summary>The server does not take it.</summary>
    Refused,
}

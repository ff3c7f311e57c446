using System.Buffers.Text;
using System.Security.Cryptography;
using StackExchange.Redis;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>The idempotency keys of one tenant: each request with one runs once, and its answer is replayed.</summary>
/// <remarks>
/// The rules are AdCP's. A request is claimed before it runs, for as long as its tool may take; success completes the claim, an error
/// releases it. Where a node dies between, the claim passes to the next try when the lease ends, under the same
/// <see cref="IdempotencyLease.OperationId"/>.
/// </remarks>
internal sealed class IdempotencyStore(RedisConnection redis, TenantId tenant, IdempotencyRules rules)
{
    private const int SecretBytes = 32;
    private const int TokenBytes = 16;

    // 132 bits.
    private const int OperationIdLength = 22;

    private readonly TenantKeyspace _keys = new(tenant);

    /// <summary>Claims a request, in one round trip.</summary>
    /// <param name="request">The request; it is valid, for a malformed one must leave no trace.</param>
    /// <param name="lease">How long it may run.</param>
    public async Task<IdempotencyClaim> ClaimAsync(IdempotentRequest request, TimeSpan lease)
    {
        var record = TenantKeyspace.Hash(request.Caller, request.Account, request.Key);
        var work = $"{request.Tool}:{request.Hash}";
        var token = Random(TokenBytes);
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateAsync(
                        StoreScript.IdempotencyClaim,
                        [
                            _keys.Idempotency(record),
                            _keys.Idempotencies,
                            _keys.RateLimit("inserts", TenantKeyspace.Hash(request.Caller, request.Account)),
                            _keys.Secret,
                            _keys.IdempotencySizes,
                        ],
                        [
                            record,
                            work,
                            token,
                            Milliseconds(lease),
                            Milliseconds(rules.ReplayTime),
                            Milliseconds(rules.Skew),
                            rules.MaxRecords,
                            rules.SustainedInserts * 60L,
                            rules.BurstInserts * 10L,
                            Random(SecretBytes),
                            redis.ClockOffset,
                            rules.MaxBytes,
                        ]
                    )
                    .ConfigureAwait(false)
            )!;
        return (int)answer[0] switch
        {
            1 => new IdempotencyClaim.Claimed(new(record, work, token, OperationId((string)answer[1]!, request, work))),
            2 => new IdempotencyClaim.Replay((byte[])answer[1]!),
            3 => new IdempotencyClaim.InFlight(Time(answer[1])),
            4 => new IdempotencyClaim.Conflict(),
            5 => new IdempotencyClaim.Expired(),
            6 => new IdempotencyClaim.TooManyInserts(Time(answer[1])),
            _ => new IdempotencyClaim.StorageFull(Time(answer[1])),
        };
    }

    /// <summary>Keeps the answer of a request that succeeded, unless its claim has passed to somebody else.</summary>
    /// <remarks>
    /// A lease that ended, but passed to nobody, still completes. It can be said again, where the store's answer was lost.
    /// </remarks>
    public async Task<IdempotencyCompletion> CompleteAsync(IdempotencyLease lease, ReadOnlyMemory<byte> response)
    {
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateAsync(
                        StoreScript.IdempotencyComplete,
                        [_keys.Idempotency(lease.RecordHash), _keys.Idempotencies, _keys.IdempotencySizes],
                        [
                            lease.RecordHash,
                            lease.Request,
                            lease.Token,
                            response,
                            Milliseconds(rules.ReplayTime),
                            Milliseconds(rules.Skew),
                            redis.ClockOffset,
                        ]
                    )
                    .ConfigureAwait(false)
            )!;
        return (int)answer[0] switch
        {
            1 => new(IsStored: true),
            2 => new(IsStored: false, (byte[])answer[1]!),
            _ => new(IsStored: false),
        };
    }

    /// <summary>Gives the key of a request that failed back.</summary>
    /// <returns>Whether the claim was still this lease's.</returns>
    public async Task<bool> ReleaseAsync(IdempotencyLease lease) =>
        (int)
            await redis
                .EvaluateAsync(
                    StoreScript.IdempotencyRelease,
                    [_keys.Idempotency(lease.RecordHash), _keys.Idempotencies],
                    [lease.RecordHash, lease.Token]
                )
                .ConfigureAwait(false) == 1;

    // Goes downstream in place of the caller's key. The tenant's secret lies in a key of its own until its encrypted record carries it.
    private static string OperationId(string secret, IdempotentRequest request, string work) =>
        Base64Url.EncodeToString(
            HMACSHA256.HashData(Base64Url.DecodeFromChars(secret), TenantKeyspace.Frame(request.Caller, request.Account, request.Key, work))
        )[..OperationIdLength];

    private static string Random(int bytes) => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(bytes));

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;

    private static TimeSpan Time(RedisResult milliseconds) => TimeSpan.FromMilliseconds((long)milliseconds);
}

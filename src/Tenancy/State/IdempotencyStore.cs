using System.Buffers.Text;
using System.Security.Cryptography;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>The idempotency keys of one tenant: each request with one runs once, and its answer is replayed.</summary>
/// <remarks>
/// A request is claimed before it runs, for as long as its tool may take; success completes the claim, an error releases it. Where a node
/// dies between, the claim passes to the next try when the lease ends, under the same <see cref="IdempotencyLease.OperationId"/>.
/// </remarks>
internal sealed class IdempotencyStore(RedisConnection redis, TenantId tenant, long generation, IdempotencyRules rules)
{
    private const int SecretBytes = 32;
    private const int TokenBytes = 16;
    private const int ClaimAttempts = 2;
    private const int ReleaseAttempts = 4;

    // 132 bits.
    private const int OperationIdLength = 22;

    private readonly TenantKeyspace _keys = new(tenant);

    /// <summary>Claims a request, in one round trip; the answer of one that was done before takes another where it is large.</summary>
    /// <param name="request">The request; it is valid, for a malformed one must leave no trace.</param>
    /// <param name="lease">How long it may run.</param>
    public async Task<IdempotencyClaim> ClaimAsync(IdempotentRequest request, TimeSpan lease)
    {
        var record = TenantKeyspace.Hash(request.Caller, request.Account, request.Key);
        var work = $"{request.Tool}:{request.Hash}";
        var caller = TenantKeyspace.Hash(request.Caller);
        var token = Random(TokenBytes);
        RedisResult[] answer;
        try
        {
            answer = await SendAsync(request, record, caller, work, token, Milliseconds(lease)).ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception) when (exception.InnerException is not GenerationEndedException)
        {
            _ = GiveBackAsync(new(record, caller, work, token, operationId: "", isTakenOver: false));
            throw;
        }

        return (int)answer[0] switch
        {
            1 => new IdempotencyClaim.Claimed(
                new(record, caller, work, token, OperationId((string)answer[1]!, request, work), isTakenOver: (int)answer[2] == 1)
            ),
            2 => await ReplayAsync(record, work, answer).ConfigureAwait(false),
            3 => new IdempotencyClaim.InFlight(Wait(lease, left: Time(answer[1]))),
            4 => new IdempotencyClaim.Conflict(),
            5 => new IdempotencyClaim.Expired(),
            6 => new IdempotencyClaim.TooManyInserts(Time(answer[1])),
            _ => new IdempotencyClaim.StorageFull(Time(answer[1]), IsShare: (int)answer[2] == 1),
        };
    }

    // Only the replies may be lost. Then the key is claimed and nothing runs under it: whoever asks again would wait in vain.
    private async Task GiveBackAsync(IdempotencyLease lease)
    {
        try
        {
            await StoreAttempts.RunAsync(ReleaseAttempts, _ => ReleaseAsync(lease)).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // Then the claim ends when its time is over.
        }
    }

    private async Task<IdempotencyClaim> ReplayAsync(string record, string work, RedisResult[] answer)
    {
        if (answer.Length > 1)
        {
            return new IdempotencyClaim.Replay((byte[])answer[1]!);
        }

        var stored = await redis.GetLargeFieldsAsync(_keys.Idempotency(record), "request", "response").ConfigureAwait(false);

        // Between the two trips its time may have ended, or the tenant.
        return stored[0] == work ? new IdempotencyClaim.Replay((byte[])stored[1]!) : new IdempotencyClaim.Expired();
    }

    // A timeout of the store is not a "no": the same claim is made again, and the store knows it by its token.
    private Task<RedisResult[]> SendAsync(IdempotentRequest request, string record, string caller, string work, string token, long lease) =>
        StoreAttempts.RunAsync(ClaimAttempts, async _ =>
            (RedisResult[])
                (
                    await redis
                        .EvaluateFencedAsync(
                            StoreScript.IdempotencyClaim,
                            [
                                _keys.Idempotency(record),
                                _keys.Idempotencies,
                                _keys.RateLimit("inserts", TenantKeyspace.Hash(request.Caller, request.Account)),
                                _keys.Secret,
                                _keys.IdempotencySizes,
                                _keys.Generation,
                                _keys.CallerIdempotencies(caller),
                                _keys.CallerIdempotencySizes(caller),
                                _keys.IdempotencyCallers,
                            ],
                            [
                                record,
                                work,
                                token,
                                lease,
                                Milliseconds(rules.ReplayTime),
                                Milliseconds(rules.Skew),
                                rules.MaxRecords,
                                rules.SustainedInserts * 60L,
                                rules.BurstInserts * 10L,
                                Random(SecretBytes),
                                redis.ClockOffset,
                                rules.MaxBytes,
                                generation,
                                caller,
                                rules.MaxRecordsPerCaller,
                                rules.MaxBytesPerCaller,
                                RedisConnection.LargeBytes,
                            ]
                        )
                        .ConfigureAwait(false)
                )!
        );

    // Most requests take milliseconds, and what took long already may take as long again.
    private static TimeSpan Wait(TimeSpan lease, TimeSpan left)
    {
        var age = lease - left;
        return age < left ? age : left;
    }

    /// <summary>
    /// Keeps the answer of a request that succeeded and commits what it wrote with it, unless its claim has passed to somebody else: then
    /// nothing is written.
    /// </summary>
    /// <remarks>
    /// A lease that ended, but passed to nobody, still completes. It can be said again, where the store's answer was lost.
    /// </remarks>
    /// <inheritdoc cref="DocumentCommit.FlushAsync" path="/exception"/>
    public Task<IdempotencyCompletion> CompleteAsync(
        IdempotencyLease lease,
        ReadOnlyMemory<byte> response,
        DocumentWork? work = null,
        CommittedUse? use = null
    ) => DocumentCommit.CompleteAsync(redis, _keys, generation, work, lease, new(response, rules, use));

    /// <summary>Gives the key of a request that failed back.</summary>
    /// <returns>Whether the claim was still this lease's.</returns>
    public async Task<bool> ReleaseAsync(IdempotencyLease lease) =>
        (int)
            await redis
                .EvaluateFencedAsync(
                    StoreScript.IdempotencyRelease,
                    [
                        _keys.Idempotency(lease.RecordHash),
                        _keys.Idempotencies,
                        _keys.Generation,
                        _keys.CallerIdempotencies(lease.CallerHash),
                    ],
                    [lease.RecordHash, lease.Token, generation]
                )
                .ConfigureAwait(false) == 1;

    // Goes downstream in place of the caller's key, which nobody there can compute from it without the tenant's secret.
    private static string OperationId(string secret, IdempotentRequest request, string work) =>
        Base64Url.EncodeToString(
            HMACSHA256.HashData(Base64Url.DecodeFromChars(secret), TenantKeyspace.Frame(request.Caller, request.Account, request.Key, work))
        )[..OperationIdLength];

    private static string Random(int bytes) => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(bytes));

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;

    private static TimeSpan Time(RedisResult milliseconds) => TimeSpan.FromMilliseconds((long)milliseconds);
}

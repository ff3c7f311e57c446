using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>The answers to requests of the admin API that carry an <c>Idempotency-Key</c>, so that each is done once.</summary>
/// <remarks>
/// An answer may hold a token, of which the store keeps nothing but hashes. So it is kept encrypted, under a key that is made of the
/// <c>Idempotency-Key</c> itself, of which the store has a hash only: who has not sent that key reads nothing.
/// </remarks>
internal sealed class AdminAnswers(RedisConnection redis, TimeProvider time)
{
    /// <summary>The keys that are known at once, over all nodes.</summary>
    public const int MaxKeys = 10_000;

    /// <summary>How long an answer is given again.</summary>
    public static readonly TimeSpan ReplayTime = TimeSpan.FromHours(24);

    /// <summary>How long a claim lasts that nobody holds: where its node has died, another try runs after that.</summary>
    internal static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    /// <summary>How often a claim is renewed while its request runs: twice may fail.</summary>
    private static readonly TimeSpan Renewal = Lease / 3;

    private static StoreKey[] Keys => [FleetKeyspace.AdminAnswers, FleetKeyspace.AdminAnswerIndex];

    /// <summary>Claims a key for a request.</summary>
    /// <param name="owner">Whose key it is: one admin's key means nothing to another.</param>
    /// <param name="key">The key.</param>
    /// <param name="request">What the request is, as a hash.</param>
    public async Task<AdminClaim> ClaimAsync(string owner, string key, string request)
    {
        // A body may have a token that is short: its hash alone would let whoever reads the store try tokens.
        var sent = HMACSHA256.HashData(Derive(owner, key, "tenancy admin request"), Encoding.UTF8.GetBytes(request));
        var claim = new AdminClaim(Hash(owner, key), Derive(owner, key, "tenancy admin answer"), NewText())
        {
            Request = Base64Url.EncodeToString(sent),
        };
        var answer = await AskAsync(claim).ConfigureAwait(false);
        var state = (AdminClaimState)(int)answer[0];
        return state switch
        {
            AdminClaimState.Claimed => claim with
            {
                State = state,
                Seed = HKDF.DeriveKey(
                    HashAlgorithmName.SHA256,
                    Derive(owner, key, "tenancy admin seed"),
                    32,
                    Encoding.UTF8.GetBytes((string)answer[1]!)
                ),
                FollowsCutOff = (int)answer[2] == 1,
            },
            AdminClaimState.Answered => claim with { State = state, Answer = Decrypt(claim, (string)answer[1]!) },
            AdminClaimState.InFlight or AdminClaimState.TooMany => claim with
            {
                State = state,
                RetryAfter = TimeSpan.FromMilliseconds((long)answer[1]),
            },
            _ => claim with { State = state },
        };
    }

    /// <summary>Holds a claim while its request runs, however long that takes. Whoever holds it ends that before the claim ends.</summary>
    public IAsyncDisposable Hold(AdminClaim claim) => new Holding(RenewAsync, claim, time);

    /// <summary>Keeps the answer to a claimed request.</summary>
    public Task CompleteAsync(AdminClaim claim, ReadOnlyMemory<byte> answer) => EndAsync(claim, Encrypt(claim, answer.Span));

    /// <summary>Gives the key back: the request was refused, and may be sent again after it was mended.</summary>
    public Task ReleaseAsync(AdminClaim claim) => EndAsync(claim, "");

    private async Task RenewAsync(AdminClaim claim)
    {
        try
        {
            await AskAsync(claim).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // It is renewed the next time.
        }
    }

    private async Task<RedisResult[]> AskAsync(AdminClaim claim) =>
        (RedisResult[])
            (
                await redis
                    .EvaluateAsync(
                        StoreScript.AdminClaim,
                        Keys,
                        [
                            claim.Hash,
                            claim.Request,
                            claim.Token,
                            (long)Lease.TotalMilliseconds,
                            (long)ReplayTime.TotalMilliseconds,
                            MaxKeys,
                            redis.ClockOffset,
                            NewText(),
                        ]
                    )
                    .ConfigureAwait(false)
            )!;

    private Task<RedisResult> EndAsync(AdminClaim claim, string answer) =>
        redis.EvaluateAsync(StoreScript.AdminComplete, Keys, [claim.Hash, claim.Token, answer]);

    private static string Hash(string owner, string key) => TenantKeyspace.Hash("admin-answer", owner, key);

    // Other hashes than the one that is stored, which therefore tells nothing of them.
    private static byte[] Derive(string owner, string key, string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, TenantKeyspace.Frame(owner, key).ToArray(), 32, info: Encoding.UTF8.GetBytes(purpose));

    private static string NewText() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));

    private static string Encrypt(AdminClaim claim, ReadOnlySpan<byte> answer)
    {
        var sealedAnswer = new byte[AesGcm.NonceByteSizes.MaxSize + AesGcm.TagByteSizes.MaxSize + answer.Length];
        var parts = new SealedParts(sealedAnswer);
        RandomNumberGenerator.Fill(parts.Nonce);
        using var cipher = new AesGcm(claim.Secret, AesGcm.TagByteSizes.MaxSize);
        cipher.Encrypt(parts.Nonce, answer, parts.Text, parts.Tag, Encoding.UTF8.GetBytes(claim.Hash));
        return Base64Url.EncodeToString(sealedAnswer);
    }

    private static byte[] Decrypt(AdminClaim claim, string stored)
    {
        var parts = new SealedParts(Base64Url.DecodeFromChars(stored));
        var answer = new byte[parts.Text.Length];
        using var cipher = new AesGcm(claim.Secret, AesGcm.TagByteSizes.MaxSize);
        cipher.Decrypt(parts.Nonce, parts.Text, parts.Tag, answer, Encoding.UTF8.GetBytes(claim.Hash));
        return answer;
    }

    /// <summary>Renews a claim until it is disposed.</summary>
    private sealed class Holding : IAsyncDisposable
    {
        private readonly PeriodicTimer _timer;
        private readonly Task _renewing;

        public Holding(Func<AdminClaim, Task> renew, AdminClaim claim, TimeProvider time)
        {
            _timer = new(Renewal, time);
            _renewing = RenewAsync(renew, claim);
        }

        public async ValueTask DisposeAsync()
        {
            _timer.Dispose();
            await _renewing.ConfigureAwait(false);
        }

        private async Task RenewAsync(Func<AdminClaim, Task> renew, AdminClaim claim)
        {
            while (await _timer.WaitForNextTickAsync().ConfigureAwait(false))
            {
                await renew(claim).ConfigureAwait(false);
            }
        }
    }

    /// <summary>An answer as it is stored: nonce, tag and text, one after the other.</summary>
    private readonly ref struct SealedParts(byte[] stored)
    {
        private static readonly int NonceSize = AesGcm.NonceByteSizes.MaxSize;
        private static readonly int TagSize = AesGcm.TagByteSizes.MaxSize;

        public Span<byte> Nonce { get; } = stored.AsSpan(0, NonceSize);

        public Span<byte> Tag { get; } = stored.AsSpan(NonceSize, TagSize);

        public Span<byte> Text { get; } = stored.AsSpan(NonceSize + TagSize);
    }
}

/// <summary>A key that was claimed, or why it was not.</summary>
/// <param name="Hash">The hash of the key.</param>
/// <param name="Secret">What the answer is encrypted under.</param>
/// <param name="Token">What names this claim.</param>
internal sealed record AdminClaim(string Hash, byte[] Secret, string Token)
{
    public AdminClaimState State { get; init; }

    /// <summary>What the request is, as a hash under the key.</summary>
    public string Request { get; init; } = "";

    /// <summary>What the request's own random values are made of: the same ones, however often it is begun.</summary>
    public byte[] Seed { get; init; } = [];

    /// <summary>Whether a run before this one was cut off, which may have made all or some of it.</summary>
    public bool FollowsCutOff { get; init; }

    public byte[]? Answer { get; init; }

    public TimeSpan RetryAfter { get; init; }

    /// <summary>The token that the request makes for a tenant's principal: as random as any other, and the same in each run.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="place">Which of the request's principals it is.</param>
    public string NewToken(TenantId tenant, int place = 0) =>
        PrincipalStore.TokenOf(
            tenant,
            HKDF.DeriveKey(
                HashAlgorithmName.SHA256,
                Seed,
                PrincipalStore.SecretBytes,
                info: TenantKeyspace.Frame(tenant.Value, $"{place}").ToArray()
            )
        );
}

/// <summary>What became of a claim, as the script says it.</summary>
internal enum AdminClaimState
{
    Claimed = 1,
    Answered,
    InFlight,
    OtherRequest,
    TooMany,
}

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Tenancy.State;

/// <summary>The answers to requests of the admin API that carry an <c>Idempotency-Key</c>, so that each is done once.</summary>
/// <remarks>
/// An answer may hold a token, of which the store keeps nothing but hashes. So it is kept encrypted, under a key that is made of the
/// <c>Idempotency-Key</c> itself, of which the store has a hash only: who has not sent that key reads nothing.
/// </remarks>
internal sealed class AdminAnswers(RedisConnection redis)
{
    /// <summary>The keys that are known at once, over all nodes.</summary>
    public const int MaxKeys = 10_000;

    /// <summary>How long an answer is given again.</summary>
    public static readonly TimeSpan ReplayTime = TimeSpan.FromHours(24);

    /// <summary>How long a request may take; where its node has died, another try runs after that.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private static StoreKey[] Keys => [FleetKeyspace.AdminAnswers, FleetKeyspace.AdminAnswerIndex];

    /// <summary>Claims a key for a request.</summary>
    /// <param name="owner">Whose key it is: one admin's key means nothing to another.</param>
    /// <param name="key">The key.</param>
    /// <param name="request">What the request is, as a hash.</param>
    public async Task<AdminClaim> ClaimAsync(string owner, string key, string request)
    {
        var claim = new AdminClaim(Hash(owner, key), Secret(owner, key), Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)));
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateAsync(
                        StoreScript.AdminClaim,
                        Keys,
                        [
                            claim.Hash,
                            request,
                            claim.Token,
                            (long)Lease.TotalMilliseconds,
                            (long)ReplayTime.TotalMilliseconds,
                            MaxKeys,
                            redis.ClockOffset,
                        ]
                    )
                    .ConfigureAwait(false)
            )!;
        return claim with
        {
            State = (AdminClaimState)(int)answer[0],
            Answer = (int)answer[0] == (int)AdminClaimState.Answered ? Decrypt(claim, (string)answer[1]!) : null,
            RetryAfter = (int)answer[0] is (int)AdminClaimState.InFlight or (int)AdminClaimState.TooMany
                ? TimeSpan.FromMilliseconds((long)answer[1])
                : TimeSpan.Zero,
        };
    }

    /// <summary>Keeps the answer to a claimed request.</summary>
    public Task CompleteAsync(AdminClaim claim, ReadOnlyMemory<byte> answer) => EndAsync(claim, Encrypt(claim, answer.Span));

    /// <summary>Gives the key back: the request was refused, and may be sent again after it was mended.</summary>
    public Task ReleaseAsync(AdminClaim claim) => EndAsync(claim, "");

    private Task<RedisResult> EndAsync(AdminClaim claim, string answer) =>
        redis.EvaluateAsync(StoreScript.AdminComplete, Keys, [claim.Hash, claim.Token, answer]);

    private static string Hash(string owner, string key) => TenantKeyspace.Hash("admin-answer", owner, key);

    // Another hash than the one that is stored, which therefore tells nothing of it.
    private static byte[] Secret(string owner, string key) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            TenantKeyspace.Frame(owner, key).ToArray(),
            32,
            info: Encoding.UTF8.GetBytes("tenancy admin answer")
        );

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

    public byte[]? Answer { get; init; }

    public TimeSpan RetryAfter { get; init; }
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

using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>Runs a request with an idempotency key once, whoever sends it again, and replays its answer.</summary>
internal sealed class IdempotentCalls(RedisConnection redis, TimeProvider time, ILogger<IdempotentCalls> logger)
{
    private const int CompleteAttempts = 3;

    /// <summary>
    /// Runs the request, or gives the answer that it had. An error gives the key back; a client that goes does not stop what was begun.
    /// </summary>
    /// <param name="call">The call. It goes on until the handler has ended.</param>
    /// <param name="request">The request.</param>
    /// <param name="handle">Runs the handler, and writes its answer as it is stored.</param>
    /// <param name="cancellationToken">Ends the wait, not the work.</param>
    /// <exception cref="AdcpException">The key stands for another request, is in use, is too old, or there are too many.</exception>
    public async Task<IdempotentOutcome> RunAsync(
        Call call,
        KeyedRequest request,
        Func<CancellationToken, Task<byte[]>> handle,
        CancellationToken cancellationToken
    )
    {
        var caller = call.Context;
        if (caller.Accounts.Own is null)
        {
            throw new AdcpException(AdcpError.AuthRequired, "Credentials are required.");
        }

        var limits = call.Tenant.Config.Limits;
        var store = new IdempotencyStore(
            redis,
            caller.TenantId,
            new()
            {
                MaxRecords = limits?.MaxIdempotencyRecords ?? TenantLimits.DefaultMaxIdempotencyRecords,
                MaxBytes = limits?.MaxIdempotencyBytes ?? TenantLimits.DefaultMaxIdempotencyBytes,
            }
        );
        var claim = await store.ClaimAsync(
            new(caller.Caller.Value, caller.AccountId, request.Key, request.Tool, request.Hash),
            request.Timeout
        );
        return claim switch
        {
            IdempotencyClaim.Claimed(var lease) => await call.RunDetached(() =>
                    RunClaimedAsync(store, lease, call, request.Timeout, handle)
                )
                .WaitAsync(cancellationToken),
            IdempotencyClaim.Replay(var response) => new(response, IsReplay: true),
            IdempotencyClaim.InFlight(var retryAfter) => throw new AdcpException(
                AdcpError.IdempotencyInFlight,
                "The request with this idempotency_key is being processed.",
                retryAfter: Seconds(retryAfter)
            ),
            IdempotencyClaim.Conflict => throw new AdcpException(
                AdcpError.IdempotencyConflict,
                "The idempotency_key was used for another request."
            ),
            IdempotencyClaim.Expired => throw new AdcpException(
                AdcpError.IdempotencyExpired,
                "The idempotency_key is too old to be replayed."
            ),
            IdempotencyClaim.TooManyInserts(var retryAfter) => throw new AdcpException(
                AdcpError.RateLimited,
                "There are too many new idempotency keys.",
                retryAfter: Seconds(retryAfter)
            ),
            IdempotencyClaim.StorageFull(var retryAfter) => throw new AdcpException(
                AdcpError.RateLimited,
                "The seller keeps as many answers for idempotency keys as it may.",
                retryAfter: Seconds(retryAfter)
            ),
            _ => throw new InvalidOperationException("The store gave no answer that is known here."),
        };
    }

    private async Task<IdempotentOutcome> RunClaimedAsync(
        IdempotencyStore store,
        IdempotencyLease lease,
        Call call,
        TimeSpan timeout,
        Func<CancellationToken, Task<byte[]>> handle
    )
    {
        byte[] answer;
        try
        {
            // Every try of the request does its work under the same name.
            call.Narrow(call.Context.AccountId, call.Context.Accounts.Readable, lease.OperationId);
            using var limit = new CancellationTokenSource(timeout, time);
            answer = await handle(limit.Token);
        }
        catch
        {
            await ReleaseAsync(store, lease);
            throw;
        }

        var completion = await CompleteAsync(store, lease, answer);
        return completion switch
        {
            { IsStored: true } => new IdempotentOutcome(answer, IsReplay: false),
            { Other: { } other } => new(other, IsReplay: true),
            _ => throw new AdcpException(
                AdcpError.IdempotencyInFlight,
                "The request took longer than it may, and another try of it is being processed.",
                retryAfter: 1
            ),
        };
    }

    /// <summary>A timeout of the store is not a "no": the same answer is given again, under the same token.</summary>
    private static async Task<IdempotencyCompletion> CompleteAsync(
        IdempotencyStore store,
        IdempotencyLease lease,
        ReadOnlyMemory<byte> answer
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await store.CompleteAsync(lease, answer);
            }
            catch (StoreUnavailableException) when (attempt < CompleteAttempts) { }
        }
    }

    private async Task ReleaseAsync(IdempotencyStore store, IdempotencyLease lease)
    {
        try
        {
            await store.ReleaseAsync(lease);
        }
        catch (StoreUnavailableException exception)
        {
            // The claim ends by itself when its time is over.
            logger.LogNotReleased(exception);
        }
    }

    private static int Seconds(TimeSpan time) => Math.Clamp((int)Math.Ceiling(time.TotalSeconds), 1, 3600);
}

/// <summary>A request with an idempotency key.</summary>
/// <param name="Tool">The tool's name.</param>
/// <param name="Key">The key.</param>
/// <param name="Hash">What tells the request from another one with the same key.</param>
/// <param name="Timeout">What the handler may take; so long the claim lasts.</param>
internal sealed record KeyedRequest(string Tool, string Key, string Hash, TimeSpan Timeout)
{
    /// <summary>Says nothing of the key, which is a secret of the buyer.</summary>
    public override string ToString() => $"{Tool} {Hash}";
}

/// <summary>What a request with an idempotency key came to.</summary>
/// <param name="Json">The answer as it is stored: one JSON object.</param>
/// <param name="IsReplay">Whether an earlier request had it already.</param>
internal readonly record struct IdempotentOutcome(ReadOnlyMemory<byte> Json, bool IsReplay);

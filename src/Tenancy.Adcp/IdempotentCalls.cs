using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>Runs a request with an idempotency key once, whoever sends it again, and replays its answer.</summary>
internal sealed class IdempotentCalls(RedisConnection redis, TimeProvider time, ILogger<IdempotentCalls> logger)
{
    // A conflict lets the handler decide again; who loses that often is told so.
    private const int MaxTries = 3;

    // A handler that returns when its time is over still has its answer to commit.
    private static readonly TimeSpan CommitTime = TimeSpan.FromSeconds(5);

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

        // What is claimed is run.
        cancellationToken.ThrowIfCancellationRequested();
        var limits = call.Tenant.Config.Limits;
        var store = new IdempotencyStore(
            redis,
            caller.TenantId,
            call.Tenant.Generation,
            new()
            {
                MaxRecords = limits?.MaxIdempotencyRecords ?? TenantLimits.DefaultMaxIdempotencyRecords,
                MaxBytes = limits?.MaxIdempotencyBytes ?? TenantLimits.DefaultMaxIdempotencyBytes,
            }
        );
        var claim = await store.ClaimAsync(
            new(caller.Caller.Value, caller.AccountId, request.Key, request.Tool, request.Hash),
            request.Timeout + CommitTime
        );
        return claim switch
        {
            IdempotencyClaim.Claimed(var lease) => await WaitAsync(
                call.RunDetached(() => RunClaimedAsync(store, lease, call, request.Timeout, handle)),
                request.Timeout + CommitTime,
                (request.Tool, caller.TenantId.Value),
                cancellationToken
            ),
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

    // A handler may ignore that its time is over. Its caller is told when another try may have the claim.
    private async Task<IdempotentOutcome> WaitAsync(
        Task<IdempotentOutcome> work,
        TimeSpan lease,
        (string Tool, string TenantId) name,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await work.WaitAsync(lease, time, cancellationToken);
        }
        catch (TimeoutException) when (!work.IsCompleted)
        {
            _ = LogUnheardAsync(work, name, Activity.Current?.TraceId);
            throw TooLong();
        }
        catch (OperationCanceledException exception)
            when (cancellationToken.IsCancellationRequested && exception.CancellationToken == cancellationToken)
        {
            _ = LogUnheardAsync(work, name, Activity.Current?.TraceId);
            throw;
        }
    }

    // Who waits for the answer is told how the handler failed, and the tool logs it. Where nobody does, it is logged here.
    private async Task LogUnheardAsync(Task<IdempotentOutcome> work, (string Tool, string TenantId) name, ActivityTraceId? trace)
    {
        try
        {
            await work;
        }
        catch (Exception exception) when (exception is AdcpException or DocumentChangedException)
        {
            // An answer to the buyer, who gets it when it asks again.
        }
        catch (Exception exception)
        {
            logger.LogFailedUnheard(exception, name.Tool, name.TenantId, trace?.ToHexString() ?? "none");
        }
    }

    private async Task<IdempotentOutcome> RunClaimedAsync(
        IdempotencyStore store,
        IdempotencyLease lease,
        Call call,
        TimeSpan timeout,
        Func<CancellationToken, Task<byte[]>> handle
    )
    {
        try
        {
            using var limit = new CancellationTokenSource(timeout, time);
            var before = call.Work?.Copy();
            for (var attempt = 1; ; attempt++)
            {
                // Every try of the request does its work under the same name.
                await call.BeginTryAsync(lease, before, isFirst: attempt == 1);
                try
                {
                    var answer = await handle(limit.Token);
                    return Outcome(answer, await store.CompleteAsync(lease, answer, call.Work));
                }
                catch (DocumentChangedException exception) when (attempt < MaxTries && !limit.IsCancellationRequested)
                {
                    logger.LogTriedAgain(exception, call.Context.TenantId.Value);
                }
            }
        }
        catch (ClaimPassedException)
        {
            throw TooLong();
        }
        catch
        {
            await ReleaseAsync(store, lease);
            throw;
        }
    }

    private static IdempotentOutcome Outcome(ReadOnlyMemory<byte> answer, IdempotencyCompletion completion) =>
        completion switch
        {
            { IsStored: true } => new(answer, IsReplay: false),
            { Other: { } other } => new(other, IsReplay: true),
            _ => throw new ClaimPassedException(),
        };

    private static AdcpException TooLong() =>
        new(AdcpError.IdempotencyInFlight, "The request took longer than it may, and another try of it may be processed.", retryAfter: 1);

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

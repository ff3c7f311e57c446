using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>Runs a request with an idempotency key once, whoever sends it again, and replays its answer.</summary>
/// <remarks>
/// For tools of a kind of your own (<see cref="TenantTool"/>): a service, which <see cref="ToolRun.RunAsync"/> asks. A key is one caller's
/// and one account's. What the handler writes and its answer are one commit; where somebody else was faster it runs again, six times at
/// most, under the same <see cref="ToolContext.OperationId"/>.
/// </remarks>
public sealed class KeyedCalls
{
    // After a conflict the handler runs again, from what is stored then. A caller whose handler loses this often is told so.
    private const int MaxTries = 6;

    // Before each further try, times its number, and at random: those who began together do not meet again.
    private static readonly TimeSpan MaxPause = TimeSpan.FromMilliseconds(20);

    // A handler that returns when its time is over still has its answer to commit.
    private static readonly TimeSpan CommitTime = TimeSpan.FromSeconds(5);
    private readonly RedisConnection _redis;
    private readonly ClaimedCalls _running;
    private readonly StoreDurabilityProbe _durability;
    private readonly TimeProvider _time;
    private readonly UsageOptions _usage;
    private readonly ILogger _logger;

    internal KeyedCalls(
        RedisConnection redis,
        ClaimedCalls running,
        StoreDurabilityProbe durability,
        TimeProvider time,
        UsageOptions usage,
        ILogger<KeyedCalls> logger
    ) => (_redis, _running, _durability, _time, _usage, _logger) = (redis, running, durability, time, usage, logger);

    /// <summary>Gets how long an answer is replayed: 24 hours.</summary>
    public static TimeSpan ReplayTime { get; } = new IdempotencyRules().ReplayTime;

    // What a store that forgets all when it stops is trusted with.
    private static readonly TimeSpan LeastReplayTime = TimeSpan.FromHours(1);

    /// <summary>
    /// Gets how long an answer is sure to be replayed, for what callers are told: <see cref="ReplayTime"/>, and an hour where the store
    /// would forget it with its process, as the embedded one does.
    /// </summary>
    public async ValueTask<TimeSpan> GetReplayTimeAsync() =>
        await _durability.GetAsync().ConfigureAwait(false) is StoreDurability.MemoryOnly ? LeastReplayTime : ReplayTime;

    /// <summary>
    /// Runs the request, or gives the answer that it had. An error gives the key back; a client that goes does not stop what was begun.
    /// </summary>
    /// <param name="call">The call, with the account that it is for. It goes on until the handler has ended.</param>
    /// <param name="request">The request; it is valid, for a malformed one must leave no trace.</param>
    /// <param name="handle">Runs the handler, and gives its answer as it is stored; the token is cancelled when its time is over.</param>
    /// <param name="cancellationToken">Ends the wait, not the work.</param>
    /// <exception cref="InvalidOperationException">The caller has shown no credentials: it has no keys of its own.</exception>
    /// <exception cref="DocumentChangedException">Others were faster each time.</exception>
    /// <exception cref="StorageBudgetExceededException">
    /// The tenant, or the caller, keeps as much as it may; nothing was written.
    /// </exception>
    /// <exception cref="StoreUnavailableException">
    /// The store did not answer: the same request again finds out what became of it.
    /// </exception>
    public async Task<KeyedOutcome> RunAsync(
        Call call,
        KeyedRequest request,
        Func<CancellationToken, Task<byte[]>> handle,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(handle);
        var caller = call.Context;
        if (caller.Accounts.Own is null)
        {
            throw new InvalidOperationException("A caller without credentials has no idempotency keys: refuse it before.");
        }

        // A key that is claimed must be answered or given back: whoever is gone already takes none.
        cancellationToken.ThrowIfCancellationRequested();
        var store = new IdempotencyStore(_redis, caller.TenantId, call.Tenant.Generation, Rules(call.Tenant));
        var claim = await store
            .ClaimAsync(new(caller.Caller.Value, caller.AccountId, request.Key, request.Tool, request.Hash), request.Timeout + CommitTime)
            .ConfigureAwait(false);
        _redis.Metrics?.Keyed(caller.TenantId.Value, request.Tool, NameOf(claim));
        // What is answered without a run is counted for nobody: what it repeats was counted.
        call.CountElsewhere(claim is not IdempotencyClaim.Claimed);
        return claim switch
        {
            IdempotencyClaim.Claimed(var lease) => await WaitAsync(
                    call.RunDetached(() =>
                        _running.RunAsync(() => RunClaimedAsync(store, lease, call, request, handle), () => ReleaseAsync(store, lease))
                    ),
                    request,
                    caller.TenantId,
                    cancellationToken
                )
                .ConfigureAwait(false),
            IdempotencyClaim.Replay(var response) => new KeyedOutcome.Done(response, IsReplay: true),
            IdempotencyClaim.InFlight(var retryAfter) => new KeyedOutcome.InFlight(retryAfter),
            IdempotencyClaim.Conflict => new KeyedOutcome.Conflict(),
            IdempotencyClaim.Expired => new KeyedOutcome.Expired(),
            IdempotencyClaim.TooManyInserts(var retryAfter) => new KeyedOutcome.TooManyKeys(retryAfter),
            IdempotencyClaim.StorageFull(var retryAfter, var isShare) => new KeyedOutcome.StorageFull(retryAfter, isShare),
            _ => throw new InvalidOperationException("The store gave no answer that is known here."),
        };
    }

    private static string NameOf(IdempotencyClaim claim) =>
        claim switch
        {
            IdempotencyClaim.Claimed => "claimed",
            IdempotencyClaim.Replay => "replay",
            IdempotencyClaim.InFlight => "in_flight",
            IdempotencyClaim.Conflict => "conflict",
            IdempotencyClaim.Expired => "expired",
            IdempotencyClaim.TooManyInserts => "too_many",
            _ => "storage_full",
        };

    private static IdempotencyRules Rules(TenantModel tenant)
    {
        var limits = tenant.Limits;
        return new()
        {
            MaxRecords = limits.MaxIdempotencyRecords,
            MaxRecordsPerCaller = (int)CallerRights.ShareOf(tenant, limits.MaxIdempotencyRecords),
            MaxBytes = limits.MaxIdempotencyBytes,
            MaxBytesPerCaller = CallerRights.ShareOf(tenant, limits.MaxIdempotencyBytes),
            SustainedInserts = limits.IdempotencyInserts,
            BurstInserts = limits.IdempotencyInsertBurst,
        };
    }

    // A handler may ignore that its time is over. Its caller is told when another try may have the claim.
    private async Task<KeyedOutcome> WaitAsync(
        Task<KeyedOutcome> work,
        KeyedRequest request,
        TenantId tenantId,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await work.WaitAsync(request.Timeout + CommitTime, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It may have ended at the last moment, or with such an exception of its own.
            if (work.IsCompleted)
            {
                return await work.ConfigureAwait(false);
            }

            _ = LogUnheardAsync(work, request, tenantId, Activity.Current?.TraceId);
            return new KeyedOutcome.TookTooLong();
        }
        catch (OperationCanceledException exception)
            when (cancellationToken.IsCancellationRequested && exception.CancellationToken == cancellationToken)
        {
            _ = LogUnheardAsync(work, request, tenantId, Activity.Current?.TraceId);
            throw;
        }
    }

    // Who waits for the answer is told how the handler failed, and the tool logs it. Where nobody does, it is logged here.
    private async Task LogUnheardAsync(Task<KeyedOutcome> work, KeyedRequest request, TenantId tenantId, ActivityTraceId? trace)
    {
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is DocumentChangedException || request.IsAnswer?.Invoke(exception) is true)
        {
            // What the caller is told when it asks again.
        }
        catch (Exception exception)
        {
            _logger.ToolFailedUnheard(exception, request.Tool, tenantId.Value, trace?.ToHexString() ?? "none");
        }
    }

    private async Task<KeyedOutcome> RunClaimedAsync(
        IdempotencyStore store,
        IdempotencyLease lease,
        Call call,
        KeyedRequest request,
        Func<CancellationToken, Task<byte[]>> handle
    )
    {
        try
        {
            using var time = new CancellationTokenSource(request.Timeout, _time);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(time.Token, _running.MustEnd);
            var before = call.Work?.Copy() ?? DocumentWork.Start.Empty;
            for (var attempt = 1; ; attempt++)
            {
                // Every try of the request does its work under the same name.
                await call.BeginTryAsync(lease, before, isFirst: attempt == 1).ConfigureAwait(false);
                try
                {
                    var answer = await handle(limit.Token).ConfigureAwait(false);
                    AnswerTooLargeException.ThrowIf(answer.Length, ToolAnswer.MaxBytes - request.EnvelopeBytes);

                    // Where the answer of the store is lost, it may have counted the call: then nobody counts it again.
                    call.CountElsewhere(true);
                    var use = CommittedUse.Of(call.Use(request.Tool, CallOutcome.Ok, answer.Length), _time.GetUtcNow(), _usage);
                    var completed = await store.CompleteAsync(lease, answer, call.Work, use).ConfigureAwait(false);

                    // A run whose answer is not kept, because the claim had passed to another try, is counted as all others are.
                    call.CountElsewhere(completed.IsStored);
                    return Outcome(answer, completed);
                }
                catch (Exception exception) when (exception is not StoreUnavailableException)
                {
                    call.CountElsewhere(false);
                    if (exception is not DocumentChangedException || attempt >= MaxTries || limit.IsCancellationRequested)
                    {
                        throw;
                    }

                    _logger.TriedAgain(exception, call.Context.TenantId.Value);
                    await Task.Delay(MaxPause * attempt * Random.Shared.NextDouble(), CancellationToken.None).ConfigureAwait(false);

                    // What a flush committed is there, and no later try writes it again.
                    before = call.Work is { HasFlushed: true } ? before with { Writes = [] } : before;
                }
            }
        }
        catch (ClaimPassedException)
        {
            return new KeyedOutcome.TookTooLong();
        }
        catch
        {
            await ReleaseAsync(store, lease).ConfigureAwait(false);
            throw;
        }
    }

    private static KeyedOutcome Outcome(ReadOnlyMemory<byte> answer, IdempotencyCompletion completion) =>
        completion switch
        {
            { IsStored: true } => new KeyedOutcome.Done(answer, IsReplay: false),
            { Other: { } other } => new KeyedOutcome.Done(other, IsReplay: true),
            _ => new KeyedOutcome.TookTooLong(),
        };

    private async Task ReleaseAsync(IdempotencyStore store, IdempotencyLease lease)
    {
        try
        {
            await store.ReleaseAsync(lease).ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception)
        {
            // The claim ends by itself when its time is over.
            _logger.IdempotencyKeyNotReleased(exception);
        }
    }
}

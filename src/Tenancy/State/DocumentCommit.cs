using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>Sends what a call wrote to the store, in one script: all of it is written or nothing.</summary>
/// <remarks>
/// A timeout of the store is not a "no". The same commit is sent again, and the store knows it by its claim or by its name, which it keeps
/// with the documents.
/// </remarks>
internal static class DocumentCommit
{
    private const int Attempts = 3;

    /// <summary>Commits what there is, and keeps the claim, where there is one.</summary>
    /// <exception cref="DocumentChangedException">A document is not as it was read.</exception>
    /// <exception cref="StorageBudgetExceededException">The tenant, or the caller, keeps as much as it may.</exception>
    /// <exception cref="ClaimPassedException">The claim has passed to another try of the request.</exception>
    /// <exception cref="StoreUnavailableException">
    /// The store did not answer: it may have been committed. Or the tenant was deleted: it was not.
    /// </exception>
    public static async Task FlushAsync(
        RedisConnection redis,
        TenantKeyspace keys,
        long generation,
        DocumentWork work,
        IdempotencyLease? lease
    )
    {
        var answer = await SendAsync(redis, keys, generation, work, lease, completion: null).ConfigureAwait(false);
        if ((int)answer[0] != 1)
        {
            throw new ClaimPassedException();
        }
    }

    /// <summary>Commits what there is together with the answer of the claimed request, and ends the claim.</summary>
    /// <inheritdoc cref="FlushAsync" path="/exception"/>
    public static async Task<IdempotencyCompletion> CompleteAsync(
        RedisConnection redis,
        TenantKeyspace keys,
        long generation,
        DocumentWork? work,
        IdempotencyLease lease,
        Completion completion
    )
    {
        var answer = await SendAsync(redis, keys, generation, work, lease, completion).ConfigureAwait(false);
        return (int)answer[0] switch
        {
            1 => new(IsStored: true),
            2 => new(IsStored: false, (byte[])answer[1]!),
            _ => new(IsStored: false),
        };
    }

    private static async Task<RedisResult[]> SendAsync(
        RedisConnection redis,
        TenantKeyspace keys,
        long generation,
        DocumentWork? work,
        IdempotencyLease? lease,
        Completion? completion
    )
    {
        var sending = work?.BeginSending() ?? new("", [], [], IsAgain: false);
        var (isAnswered, isCommitted, isAgain) = (false, false, sending.IsAgain);
        (string Account, string Version)[] raised = [];
        try
        {
            (var answer, isAgain) = await SendAsync(
                    redis,
                    keys,
                    generation,
                    sending,
                    work?.Budget ?? DocumentBudget.OfTenant(0),
                    lease,
                    completion
                )
                .ConfigureAwait(false);
            (isAnswered, isCommitted) = (true, (int)answer[0] == 1);
            redis.Metrics?.Commit(keys.Tenant.Value, NameOf((int)answer[0]));
            raised = isCommitted ? [.. answer[1..].Chunk(2).Select(static one => ((string)one[0]!, (string)one[1]!))] : [];
            Tell(redis, keys, generation, raised.Select(static one => one.Account));
            return (int)answer[0] switch
            {
                3 => throw new StorageBudgetExceededException(work!.Budget, isShare: (int)answer[1] == 2),
                4 => throw new DocumentChangedException(sending.Writes[(int)answer[1] - 1].Place.Collection),
                5 => throw DocumentChangedException.OfRemembered(),
                _ => answer,
            };
        }
        finally
        {
            if (!isCommitted)
            {
                foreach (var (what, _) in sending.Remembered)
                {
                    redis.Remembered.Forget(what.Account);
                }
            }

            if (!isAnswered || isAgain)
            {
                // It may have been written by a try whose answer was lost.
                Tell(redis, keys, generation, sending.Writes.Select(static write => write.Place.Account).Distinct());
            }

            work?.EndSending(isAnswered, isCommitted, raised);
        }
    }

    private static string NameOf(int answer) =>
        answer switch
        {
            1 => "committed",
            2 => "replay",
            3 => "storage_full",
            4 or 5 => "conflict",
            _ => "claim_passed",
        };

    // Other nodes remember what has changed, too; and this one may, though not of this call.
    private static void Tell(RedisConnection redis, TenantKeyspace keys, long generation, IEnumerable<string> accounts)
    {
        foreach (var hash in accounts)
        {
            var account = new RememberedAccount(keys.Tenant, generation, hash);
            redis.Remembered.Forget(account);
            FleetMessages.Tell(redis, new(FleetTopic.Documents, keys.Tenant, account.Text));
        }
    }

    private static Task<(RedisResult[] Answer, bool IsAgain)> SendAsync(
        RedisConnection redis,
        TenantKeyspace keys,
        long generation,
        DocumentWork.Sending sending,
        DocumentBudget budget,
        IdempotencyLease? lease,
        Completion? completion
    ) => StoreAttempts.RunAsync(Attempts, async isAgain =>
        {
            var command = new Command(redis.ClockOffset, keys, generation);
            var again = sending with { IsAgain = sending.IsAgain || isAgain };
            command.Add(again, budget, lease, completion);
            var answer = (RedisResult[])
                (
                    await redis
                        .EvaluateFencedAsync(
                            StoreScript.Commit,
                            [.. command.Keys],
                            [.. command.Arguments],
                            isLarge: sending.Writes.Sum(write => write.Json?.Length ?? 0) + (completion?.Response.Length ?? 0)
                                > RedisConnection.LargeBytes
                        )
                        .ConfigureAwait(false)
                )!;
            return (answer, again.IsAgain);
        });

    /// <summary>What ends a claim.</summary>
    /// <param name="Response">The answer.</param>
    /// <param name="Rules">How long it is kept.</param>
    /// <param name="Use">What is counted with it; null for nothing.</param>
    public sealed record Completion(ReadOnlyMemory<byte> Response, IdempotencyRules Rules, CommittedUse? Use);

    // The keys and arguments of one call of the script, in the order in which it reads them.
    private sealed class Command(RedisValue clockOffset, TenantKeyspace keyspace, long generation)
    {
        public List<StoreKey> Keys { get; } = [keyspace.Generation, keyspace.DocumentVersions];

        public List<RedisValue> Arguments { get; } = [generation, clockOffset];

        public void Add(DocumentWork.Sending sending, DocumentBudget budget, IdempotencyLease? lease, Completion? completion)
        {
            Arguments.AddRange([
                sending.Name,
                sending.IsAgain ? 1 : 0,
                lease is null ? 0
                : completion is null ? 1
                : 2,
                sending.Writes.Length,
                budget.Tenant,
                budget.Caller,
                budget.CallerHash,
                sending.Remembered.Length,
            ]);
            foreach (var (what, mark) in sending.Remembered)
            {
                Arguments.AddRange([what.Place is null ? what.Account.Account : "", mark.Text]);
                if (what.Place is { } place)
                {
                    Keys.Add(keyspace.Document(place));
                }
            }

            if (lease is not null)
            {
                Add(lease, completion);
            }

            if (sending.Writes.Length > 0)
            {
                Add(sending.Writes);
            }
        }

        private void Add(IdempotencyLease lease, Completion? completion)
        {
            Keys.Add(keyspace.Idempotency(lease.RecordHash));
            Arguments.AddRange([lease.Request, lease.Token]);
            if (completion is not null)
            {
                Keys.AddRange([
                    keyspace.Idempotencies,
                    keyspace.IdempotencySizes,
                    keyspace.CallerIdempotencies(lease.CallerHash),
                    keyspace.CallerIdempotencySizes(lease.CallerHash),
                    keyspace.IdempotencyCallers,
                    keyspace.Usage(UsageDay.Of(generation, completion.Use?.Day ?? 0)),
                    keyspace.UsageDays,
                ]);
                Arguments.AddRange([
                    lease.RecordHash,
                    lease.CallerHash,
                    completion.Response,
                    (long)completion.Rules.ReplayTime.TotalMilliseconds,
                    (long)completion.Rules.Skew.TotalMilliseconds,
                ]);
                Add(completion.Use);
            }
        }

        private void Add(CommittedUse? use)
        {
            var row = use?.Row ?? default;
            Arguments.AddRange([
                use is null ? "" : $"{row.Outcome} {row.Tool}",
                row.Micros,
                row.Bytes,
                row.Units,
                use?.Day ?? 0,
                use?.FirstDay ?? 0,
                use?.KeptFor ?? 0,
            ]);
        }

        private void Add(DocumentWrite[] writes)
        {
            Keys.AddRange([
                keyspace.Documents,
                keyspace.DocumentIds,
                keyspace.DocumentStorage,
                keyspace.DocumentShares,
                keyspace.DocumentTime,
            ]);
            Keys.AddRange(writes.Select(write => keyspace.Document(write.Place)));
            foreach (var write in writes)
            {
                Arguments.AddRange([
                    write.Expected.Text,
                    write.Json is null ? "gone"
                    : write.IsNew ? "new"
                    : "keep",
                    write.Revision,
                    write.Json is { } json ? DocumentSize.Of(json) : 0,
                    write.Place.Account,
                    write.Place.Collection,
                    write.Place.IdHash,
                    write.OperationHash,
                    OwnerKey(write, writes),
                    write.Json ?? [],
                ]);
            }
        }

        // An owner that this call created is not there yet, and comes with it.
        private int OwnerKey(DocumentWrite write, DocumentWrite[] writes)
        {
            if (
                write is not { Json: not null, Owner: { } owner }
                || Array.Exists(writes, other => other.Place == owner && other.Expected.IsAbsent)
            )
            {
                return 0;
            }

            Keys.Add(keyspace.Document(owner));
            return Keys.Count;
        }
    }
}

/// <summary>The claim of a request has passed to another try of it: nothing was written.</summary>
internal sealed class ClaimPassedException() : Exception("The request took longer than it may, and another try of it is being processed.");

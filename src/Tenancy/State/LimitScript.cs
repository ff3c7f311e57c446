using StackExchange.Redis;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>The limits and sessions in the store: rate-limit.lua, one trip.</summary>
internal sealed class LimitScript(RedisConnection redis)
{
    private const int ArgumentsPerLimit = 6;
    private const int AnswersPerLimit = 3;

    /// <exception cref="Registry.StoreUnavailableException">The store is away, or the generation ended.</exception>
    public async Task<LimitAnswer> RunAsync(
        TenantId tenant,
        long generation,
        int requests,
        LimitAsk[] asks,
        List<NamedSession> sessions,
        List<RememberedAccount> accounts
    )
    {
        var space = new TenantKeyspace(tenant);
        var keys = new List<StoreKey>(asks.Length + sessions.Count + 4) { space.Generation };
        var arguments = new List<RedisValue>(7 + (ArgumentsPerLimit * asks.Length) + (3 * sessions.Count) + accounts.Count)
        {
            asks.Length,
            redis.ClockOffset,
            requests,
            sessions.Count,
            accounts.Count,
            generation,
        };
        foreach (var ask in asks)
        {
            keys.Add(space.RateLimit(ask.Limit.Policy, ask.Limit.SubjectHash));
            arguments.AddRange([ask.Limit.Interval, ask.Limit.PerMinute, ask.Held, ask.Wanted, ask.Returned, ask.LentIn]);
        }

        if (sessions.Count > 0)
        {
            keys.AddRange([space.Sessions, space.SessionUses]);
            arguments.Add((long)SessionStore.Lifetime.TotalMilliseconds);
        }

        foreach (var ((_, owner), handle, first) in sessions)
        {
            keys.Add(space.Session(handle));
            arguments.AddRange([owner.Entry(handle), owner.Text, first]);
        }

        if (accounts.Count > 0)
        {
            keys.Add(space.DocumentVersions);
            arguments.AddRange(accounts.Select(static account => (RedisValue)account.Account));
        }

        return Read(
            (long[])(await redis.EvaluateFencedAsync(StoreScript.RateLimit, [.. keys], [.. arguments]).ConfigureAwait(false))!,
            asks.Length,
            sessions.Count
        );
    }

    private static LimitAnswer Read(ReadOnlySpan<long> answer, int limits, int named)
    {
        var grants = new LimitGrant[limits];
        for (var i = 0; i < limits; i++)
        {
            var grant = answer.Slice(5 + (AnswersPerLimit * i), AnswersPerLimit);
            grants[i] = new((int)grant[0], (int)grant[1], TimeSpan.FromMilliseconds(grant[2]));
        }

        var sessions = answer.Slice(5 + (AnswersPerLimit * limits), named);
        var owns = new bool?[sessions.Length];
        for (var i = 0; i < sessions.Length; i++)
        {
            owns[i] = sessions[i] < 0 ? null : sessions[i] == 1;
        }

        return new(
            (int)answer[0],
            answer[1],
            (int)answer[2] - 1,
            TimeSpan.FromMilliseconds(answer[3]),
            TimeSpan.FromMilliseconds(answer[4]),
            grants
        )
        {
            Sessions = owns,
            Versions = answer[(5 + (AnswersPerLimit * limits) + named)..].ToArray(),
        };
    }
}

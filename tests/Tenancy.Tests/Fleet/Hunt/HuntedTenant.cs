using System.Collections.Concurrent;

namespace Tenancy.Tests.Fleet.Hunt;

/// <summary>A tenant of a hunt. Its id has several lives: each is somebody else's.</summary>
internal sealed class HuntedTenant(int number)
{
    private int _users;

    public int Number { get; } = number;

    public string Id { get; } = $"t{number}";

    public int Life { get; set; }

    public bool IsThere { get; set; }

    public string Domain => $"life{Life}.{Id}.example";

    public HuntedCaller[] Callers { get; set; } = [];

    /// <summary>Whether an admin changes it now: then nobody knows what it answers, except that it is nothing of others.</summary>
    public bool IsChanging { get; private set; }

    /// <summary>Begins to use it as it is; false where it changes now.</summary>
    public bool TryEnter()
    {
        Interlocked.Increment(ref _users);
        if (!IsChanging && IsThere)
        {
            return true;
        }

        Leave();
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _users);

    /// <summary>Begins to change it, when nobody uses it.</summary>
    public async Task<IDisposable> ChangeAsync()
    {
        IsChanging = true;
        while (Volatile.Read(ref _users) > 0)
        {
            await Task.Delay(5);
        }

        return new Change(this);
    }

    private sealed class Change(HuntedTenant tenant) : IDisposable
    {
        public void Dispose() => tenant.IsChanging = false;
    }
}

/// <summary>A caller of a tenant in one life of it.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Number">Which of its callers.</param>
/// <param name="PrincipalId">Its id; null for a user of an identity provider.</param>
/// <param name="Token">What it shows; for a user that of now.</param>
internal sealed record HuntedCaller(HuntedTenant Tenant, int Number, string? PrincipalId, Func<string> Token)
{
    private static int _buys;

    public HuntedAccount[] Accounts { get; init; } = [];

    public ConcurrentQueue<string> Sessions { get; } = new();

    /// <summary>What <c>whoami</c> says of it.</summary>
    public required string Identity { get; init; }

    /// <summary>A budget that no other buy of the hunt has: it says whose the buy is wherever it is shown.</summary>
    public static int NextBuy() => Interlocked.Increment(ref _buys);
}

/// <summary>An account of a caller, with what is known of its buys.</summary>
internal sealed class HuntedAccount(HuntedTenant tenant, int life, int caller, int number)
{
    public string Brand { get; } = $"brand{number}.example";

    /// <summary>The buys that were answered, by their budgets.</summary>
    public ConcurrentDictionary<long, string> Bought { get; } = new();

    public bool IsOpen { get; set; }

    /// <summary>The budget of a new buy. It names the tenant, its life, the caller, the account and the buy.</summary>
    public long Budget() => Prefix + HuntedCaller.NextBuy();

    public bool IsMine(decimal budget) => decimal.Floor(budget / Scale) == Prefix / Scale;

    private const long Scale = 100_000_000;

    // Below what an amount may be, 10^15.
    private long Prefix => ((((((tenant.Number + 1L) * 100) + life) * 10) + caller) * 10 + number) * Scale;
}

using System.Globalization;
using StackExchange.Redis;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>Keeps the traffic of each tenant for a day, by quarters of an hour: what each node counted in each of them.</summary>
internal sealed class TrafficStore(RedisConnection redis, TimeProvider time)
{
    /// <summary>How many quarters are kept, the present one included.</summary>
    public const int Kept = 97;

    private static readonly TimeSpan Lifetime = Quarter.Length * (Kept + 1);

    /// <summary>Keeps what this node counted in a quarter, instead of what it said of it before.</summary>
    /// <exception cref="Registry.StoreUnavailableException">The store is away, or the tenant is gone.</exception>
    public Task KeepAsync(TenantLife life, Quarter quarter)
    {
        var keys = new TenantKeyspace(life.Tenant);
        return redis.EvaluateFencedAsync(
            StoreScript.TrafficKeep,
            [keys.Generation, keys.Traffic],
            [
                life.Generation,
                string.Create(CultureInfo.InvariantCulture, $"{quarter.Number} {life.Generation} {redis.NodeId}"),
                quarter.ToText(),
                Quarter.NumberOf(time.GetUtcNow()) - Kept + 1,
                (long)Lifetime.TotalMilliseconds,
            ]
        );
    }

    /// <summary>The quarters of a tenant in which it was called, since one, of all nodes, the earliest first.</summary>
    /// <param name="life">The tenant.</param>
    /// <param name="since">The first quarter.</param>
    /// <param name="own">What this node counts now, which is later than what it has written; null for nothing.</param>
    public async Task<IReadOnlyList<Quarter>> ReadAsync(TenantLife life, long since, Quarter? own)
    {
        var quarters = new SortedDictionary<long, Quarter>();
        if (own is not null && own.Number >= since && Quarter.Read(own.Number, own.ToText()) is { } copy)
        {
            quarters.Add(own.Number, copy);
        }

        foreach (var field in await redis.GetHashAsync(new TenantKeyspace(life.Tenant).Traffic).ConfigureAwait(false))
        {
            if (
                field.Name.ToString().Split(' ') is [var number, var generation, var node]
                && long.TryParse(number, CultureInfo.InvariantCulture, out var which)
                && which >= since
                && !(node == redis.NodeId && which == own?.Number)
                && generation == life.Generation.ToString(CultureInfo.InvariantCulture)
                && Quarter.Read(which, field.Value.ToString()) is { } quarter
            )
            {
                if (!quarters.TryAdd(which, quarter))
                {
                    quarters[which].Add(quarter);
                }
            }
        }

        return [.. quarters.Values];
    }

    /// <summary>How many requests of a limit are used up now, what nodes hold included.</summary>
    public async Task<int> CountUsedAsync(TenantId tenant, RateLimit limit)
    {
        var stored = await redis.GetAsync(new TenantKeyspace(tenant).RateLimit(limit.Policy, limit.SubjectHash)).ConfigureAwait(false);
        var now = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        return LimitUse.Read(stored.ToString()) is { } use ? Math.Max(0, limit.PerMinute - use.At(now, limit).Left(now, limit)) : 0;
    }

    /// <summary>How many sessions a tenant has, and the bytes that its documents take up.</summary>
    public async Task<(long Sessions, long DocumentBytes)> CountTakenAsync(TenantId tenant)
    {
        var keys = new TenantKeyspace(tenant);
        var bytes = redis.GetAsync(keys.DocumentStorage);

        // They are kept by when they expire, and those that have are let go of when another one begins.
        var sessions = await redis.CountFromAsync(keys.Sessions, time.GetUtcNow().ToUnixTimeMilliseconds()).ConfigureAwait(false);
        return (sessions, (long?)await bytes.ConfigureAwait(false) ?? 0);
    }

    /// <summary>The last changes of a tenant's health, the earliest first.</summary>
    public async Task<IReadOnlyList<FoundHealth>> ListHealthAsync(TenantId tenant)
    {
        var kept = (await redis.GetFieldsAsync(FleetKeyspace.Metadata(tenant), "healths").ConfigureAwait(false))[0];
        return kept.IsNull ? [] : [.. kept.ToString().Split('\n').Select(FoundHealth.Read).OfType<FoundHealth>()];
    }
}

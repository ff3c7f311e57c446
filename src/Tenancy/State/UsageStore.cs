using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>
/// Keeps what tenants used, by day, tool and outcome; that of deleted ones with what all tenants share, because it is billed.
/// </summary>
internal sealed class UsageStore(RedisConnection redis, IOptions<TenancyOptions> options, TimeProvider time)
{
    private const int MaxAtOnce = 16;
    private const int MaxNames = 5000;

    private static readonly StoreKey[] Deleted =
    [
        FleetKeyspace.DeletedUsage,
        FleetKeyspace.DeletedUsageNames,
        FleetKeyspace.DeletedUsageDays,
    ];

    private UsageOptions Bounds => options.Value.Usage;

    /// <summary>
    /// The first day of which a tenant may still have something, whatever the setting was when it was counted. Until then the index has a
    /// day, so that a purge finds each key.
    /// </summary>
    public static int FirstDay(DateTimeOffset now) => UsageDay.Of(now.AddDays(-UsageOptions.MaxDays - 1));

    /// <summary>How long the key of a day is kept from now on, in milliseconds.</summary>
    public static long KeptFor(int day, DateTimeOffset now, UsageOptions bounds)
    {
        var end = UsageDay.Read(day).AddDays(bounds.Days + 1).ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
        return Math.Max(1, (long)(end - now.UtcDateTime).TotalMilliseconds);
    }

    /// <summary>Adds what this node counted. It may be sent again under the same number: then it is added once.</summary>
    /// <param name="place">Whose it is, and of which day.</param>
    /// <param name="number">What names it among the counts of this node.</param>
    /// <param name="rows">What was counted.</param>
    public async Task AddAsync(UsagePlace place, long number, IReadOnlyList<UsageRow> rows)
    {
        var keys = new TenantKeyspace(place.Tenant);
        try
        {
            await redis
                .EvaluateFencedAsync(
                    StoreScript.UsageAdd,
                    [keys.Generation, keys.Usage(UsageDay.Of(place.Generation, place.Day)), keys.UsageDays],
                    [
                        place.Generation,
                        redis.NodeId,
                        number,
                        place.Day,
                        FirstDay(time.GetUtcNow()),
                        KeptFor(place.Day, time.GetUtcNow(), Bounds),
                        .. rows.SelectMany(row =>
                            new RedisValue[] { $"{row.Outcome} {row.Tool}", row.Calls, row.Micros, row.Bytes, row.Units }
                        ),
                    ]
                )
                .ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception) when (exception.InnerException is GenerationEndedException)
        {
            // The tenant was deleted after these calls: they are billed all the same.
            await KeepAsync(place.Tenant, [(place.Day, $"{redis.NodeId}-{number.ToString(CultureInfo.InvariantCulture)}", [.. rows])])
                .ConfigureAwait(false);
        }
    }

    /// <summary>What was used under an id whose data is not deleted, by day: by who has it now, and by who had it before.</summary>
    public async Task<IReadOnlyList<UsageOfDay>> ReadAsync(TenantId tenant, DateOnly from, DateOnly to)
    {
        var keys = new TenantKeyspace(tenant);
        var first = Math.Max(UsageDay.Of(from), UsageDay.Of(time.GetUtcNow().AddDays(-Bounds.Days)));
        var days = await redis.GetByScoreAsync(keys.UsageDays, first, UsageDay.Of(to)).ConfigureAwait(false);
        List<UsageOfDay> all = [];
        foreach (var some in days.Chunk(MaxAtOnce))
        {
            var hashes = await Task.WhenAll(some.Select(day => redis.GetHashAsync(keys.Usage(day.ToString())))).ConfigureAwait(false);
            foreach (var (name, fields) in some.Zip(hashes))
            {
                // A day is in the index longer than its key is there.
                if (fields.Length > 0)
                {
                    var (generation, day) = UsageDay.Read(name.ToString());
                    all.Add(new(generation, day, Read(fields)));
                }
            }
        }

        return all;
    }

    /// <summary>Keeps what a tenant used with what all tenants share, before a purge deletes it. Done again it changes nothing.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="tombstone">
    /// The version of its tombstone. What later generations used is not touched: after a purge that was held up the id may be another's.
    /// </param>
    /// <param name="keepClaim">Is called after each day, so that the claim of a long purge does not end.</param>
    public async Task KeepAsync(TenantId tenant, long tombstone, Func<Task>? keepClaim = null)
    {
        foreach (var used in await ReadAsync(tenant, DateOnly.MinValue, DateOnly.MaxValue).ConfigureAwait(false))
        {
            if (used.Generation < tombstone)
            {
                var source = used.Generation.ToString(CultureInfo.InvariantCulture);
                await KeepAsync(tenant, [(used.Day, source, used.Rows)]).ConfigureAwait(false);
                await (keepClaim?.Invoke() ?? Task.CompletedTask).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The unregistered tenants whose data, and usage with it, is kept, by id.</summary>
    /// <inheritdoc cref="ListDeletedAsync"/>
    public async Task<IReadOnlyList<string>> ListUnregisteredAsync(string? after, int take) =>
        [
            .. (await redis.GetRangeByMemberAsync(FleetKeyspace.Kept, after, RedisValue.Null, take).ConfigureAwait(false)).Select(id =>
                id.ToString()
            ),
        ];

    /// <summary>The deleted tenants that usage is kept of, by id.</summary>
    /// <param name="after">The id before the first one; null for the first.</param>
    /// <param name="take">The most ids.</param>
    public async Task<IReadOnlyList<string>> ListDeletedAsync(string? after, int take)
    {
        var ids = new List<string>();
        for (RedisValue from = after is null ? "-" : $"{after}!"; ; )
        {
            var names = await redis
                .GetRangeByMemberAsync(FleetKeyspace.DeletedUsageNames, from, RedisValue.Null, MaxNames)
                .ConfigureAwait(false);
            foreach (var name in names)
            {
                var id = name.ToString().Split(' ')[0];
                if (ids.Count == 0 || ids[^1] != id)
                {
                    if (ids.Count == take)
                    {
                        return ids;
                    }

                    ids.Add(id);
                }
            }

            if (names.Length < MaxNames)
            {
                return ids;
            }

            from = names[^1];
        }
    }

    /// <summary>What the deleted tenants with an id used, by day.</summary>
    public async Task<IReadOnlyList<UsageOfDay>> ReadDeletedAsync(string id, DateOnly from, DateOnly to)
    {
        var (first, last) = ($"{id} {UsageDay.Of(from):D8}", $"{id} {UsageDay.Of(to):D8}!");
        List<UsageOfDay> all = [];
        for (RedisValue start = first; ; )
        {
            var names = await redis.GetRangeByMemberAsync(FleetKeyspace.DeletedUsageNames, start, last, MaxNames).ConfigureAwait(false);
            if (names.Length == 0)
            {
                return all;
            }

            var rows = await redis.GetLargeFieldsAsync(FleetKeyspace.DeletedUsage, names).ConfigureAwait(false);
            foreach (var (name, json) in names.Zip(rows).Where(static one => !one.Second.IsNull))
            {
                var (day, source) = name.ToString().Split(' ') is [_, var of, var by] ? (of, by) : default;
                var generation = long.TryParse(source, CultureInfo.InvariantCulture, out var whole) ? whole : -1;
                all.Add(
                    new(
                        generation,
                        int.Parse(day!, CultureInfo.InvariantCulture),
                        JsonSerializer.Deserialize(json.ToString(), UsageJson.Default.UsageRowArray)!
                    )
                );
            }

            start = names[^1];
        }
    }

    private async Task KeepAsync(TenantId tenant, (int Day, string Source, UsageRow[] Rows)[] days) =>
        await redis
            .EvaluateAsync(
                StoreScript.UsageKeep,
                Deleted,
                [
                    Bounds.MaxDeleted,
                    UsageDay.Of(time.GetUtcNow().AddDays(-Bounds.Days)),
                    .. days.SelectMany(one =>
                        new RedisValue[]
                        {
                            $"{tenant.Value} {one.Day:D8} {one.Source}",
                            one.Day,
                            JsonSerializer.Serialize(one.Rows, UsageJson.Default.UsageRowArray),
                        }
                    ),
                ]
            )
            .ConfigureAwait(false);

    // "measure outcome tool" by its value.
    private static UsageRow[] Read(HashEntry[] fields)
    {
        var rows = new SortedDictionary<(string Tool, string Outcome), UsageRow>();
        foreach (var field in fields)
        {
            if (field.Name.ToString().Split(' ', 3) is not [var measure, var outcome, var tool])
            {
                continue;
            }

            var row = rows.GetValueOrDefault((tool, outcome), new(tool, outcome, 0, 0, 0, 0));
            var value = (long)field.Value;
            rows[(tool, outcome)] = measure switch
            {
                "calls" => row with { Calls = value },
                "micros" => row with { Micros = value },
                "bytes" => row with { Bytes = value },
                _ => row with { Units = value },
            };
        }

        return [.. rows.Values];
    }
}

/// <summary>What a generation of a tenant used on a day.</summary>
/// <param name="Generation">The generation; -1 where it was deleted before a node had sent what it counted.</param>
/// <param name="Day">The day, as <c>yyyymmdd</c>.</param>
/// <param name="Rows">What was used.</param>
internal readonly record struct UsageOfDay(long Generation, int Day, UsageRow[] Rows);

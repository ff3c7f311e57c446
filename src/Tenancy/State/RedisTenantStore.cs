using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>Keeps the tenants in Redis.</summary>
internal sealed class RedisTenantStore(RedisConnection redis, IOptions<TenancyOptions> options) : ITenantStore
{
    private const int PageSize = 200;

    // No URL has a space, so that the two kinds of claims cannot be taken for each other.
    private const string TokenClaim = "token ";

    private const string NothingDue = "[]";

    public async IAsyncEnumerable<TenantRecord> LoadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RedisValue last = "-";
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var ids = await redis.GetRangeByMemberAsync(FleetKeyspace.Index, last, RedisValue.Null, PageSize).ConfigureAwait(false);
            var records = await Task.WhenAll(ids.Select(id => ReadAsync(TenantId.Parse(id.ToString())))).ConfigureAwait(false);
            foreach (var record in records)
            {
                if (record is not null)
                {
                    yield return record;
                }
            }

            if (ids.Length < PageSize)
            {
                yield break;
            }

            last = ids[^1];
        }
    }

    public async Task<TenantWrite> CreateAsync(TenantRecord tenant, TenantCreation creation)
    {
        var write = await WriteAsync(
                StoreScript.TenantCreate,
                tenant,
                creation switch
                {
                    TenantCreation.Adopt => "adopt",
                    TenantCreation.Seed => "seed",
                    _ => "new",
                },
                NothingDue
            )
            .ConfigureAwait(false);
        return
            write is TenantWrite.Written(var generation)
            && !await BeginAsync(TenantId.Parse(tenant.Config.Id), Text(generation)).ConfigureAwait(false)
            ? new TenantWrite.Missing(null)
            : write;
    }

    public Task<TenantWrite> UpdateAsync(TenantRecord tenant) => WriteAsync(StoreScript.TenantUpdate, tenant, Text(tenant.Version));

    public async Task WriteCheckAsync(TenantId id, long version, TenantCheck check) =>
        await redis
            .EvaluateAsync(StoreScript.TenantCheck, [FleetKeyspace.Metadata(id)], [Text(version), Serialize(check)])
            .ConfigureAwait(false);

    public async Task<TenantRemoval> RemoveAsync(TenantId id, bool purge)
    {
        var answer = (RedisResult[])
            (await redis.EvaluateAsync(StoreScript.TenantRemove, Keys(id), [id.Value, purge ? "purging" : "kept"]).ConfigureAwait(false))!;
        return new((int)answer[0] == 1, Tombstone(answer));
    }

    private async Task<TenantWrite> WriteAsync(StoreScript script, TenantRecord tenant, string condition, params RedisValue[] further)
    {
        var (config, id) = (tenant.Config, TenantId.Parse(tenant.Config.Id));
        var record = JsonSerializer.Serialize(
            new StoredTenant(config, tenant.CreatedAt, tenant.SessionEpoch, tenant.Origin),
            TenantStoreJson.Default.StoredTenant
        );
        string[] claims = [.. Urls(config), .. Tokens(config)];
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateAsync(
                        script,
                        Keys(id),
                        [
                            config.Id,
                            record,
                            Serialize(tenant.Check),
                            condition,
                            JsonSerializer.Serialize(claims, TenantStoreJson.Default.StringArray),
                            .. further,
                            .. claims.Select(claim => (RedisValue)claim),
                        ]
                    )
                    .ConfigureAwait(false)
            )!;
        return (int)answer[0] switch
        {
            0 => new TenantWrite.Missing(Tombstone(answer)),
            1 => new TenantWrite.Written(Number(answer[1])),
            2 => await CompleteAsync(
                    id,
                    Read((string)answer[1]!, Number(answer[2]), (string?)answer[3]),
                    (string?)answer[4],
                    (string?)answer[5]
                )
                .ConfigureAwait(false)
                is { } existing
                ? new TenantWrite.Exists(existing)
                : new TenantWrite.Missing(null),
            3 => Taken((string)answer[1]!, (string)answer[2]!),
            4 => new TenantWrite.BeingPurged(),
            5 => new TenantWrite.HasKeptData(),
            _ => new TenantWrite.WasUsed(),
        };
    }

    private static IEnumerable<string> Urls(TenantConfig config) =>
        config.Urls.Select(url => TenantUrl.TryParse(url, out var parsed, out _) ? parsed.Key : url);

    // Two tenants with one issuer and a common audience would accept each other's tokens: what a token names belongs to one tenant, as a
    // URL does.
    private IEnumerable<string> Tokens(TenantConfig config) =>
        config.Authentication is { Kind: TenantAuthenticationKind.Jwks, Issuer: { } issuer }
            ? TenantAudiences.Of(config, options.Value).Select(audience => $"{TokenClaim}{issuer} {audience}")
            : [];

    private static TenantWrite Taken(string claim, string owner) =>
        claim.StartsWith(TokenClaim, StringComparison.Ordinal)
            ? new TenantWrite.AudienceTaken(claim[(claim.LastIndexOf(' ') + 1)..], owner)
            : new TenantWrite.UrlTaken(claim, owner);

    private static StoreKey[] Keys(TenantId id) =>
        [
            FleetKeyspace.Metadata(id),
            FleetKeyspace.Routes,
            FleetKeyspace.Index,
            FleetKeyspace.Version,
            FleetKeyspace.Changes,
            FleetKeyspace.Unfinished,
        ];

    private async Task<TenantRecord?> ReadAsync(TenantId id)
    {
        var fields = await redis
            .GetFieldsAsync(FleetKeyspace.Metadata(id), "record", "version", "check", "generation", "due")
            .ConfigureAwait(false);
        return fields[0].IsNull
            ? null
            : await CompleteAsync(
                    id,
                    Read(fields[0].ToString(), long.Parse(fields[1].ToString(), CultureInfo.InvariantCulture), fields[2]),
                    fields[3],
                    fields[4]
                )
                .ConfigureAwait(false);
    }

    /// <summary>Gives a tenant the generation that it has, and does what is still due in its own slot. Nothing is served before.</summary>
    /// <returns>Null where the tenant is gone.</returns>
    private async Task<TenantRecord?> CompleteAsync(TenantId id, TenantRecord tenant, string? generation, string? due)
    {
        if (string.IsNullOrEmpty(generation))
        {
            // An older release registered it.
            var answer = (string[]?)
                await redis
                    .EvaluateAsync(
                        StoreScript.TenantGeneration,
                        [FleetKeyspace.Metadata(id), FleetKeyspace.Unfinished],
                        [id.Value, NothingDue]
                    )
                    .ConfigureAwait(false);
            if (answer is not [var given, var left])
            {
                return null;
            }

            (generation, due) = (given, left);
        }

        // Where nothing is due and the generation is not in the store, the store has lost what the tenant kept: then nothing makes one.
        return string.IsNullOrEmpty(due) || await BeginAsync(id, generation).ConfigureAwait(false)
            ? tenant with
            {
                Generation = long.Parse(generation, CultureInfo.InvariantCulture),
            }
            : null;
    }

    /// <summary>Does what is due in a tenant's own slot, and notes that it is done.</summary>
    /// <returns>False where the tenant was deleted meanwhile.</returns>
    private async Task<bool> BeginAsync(TenantId id, string generation)
    {
        var begun = await redis
            .EvaluateAsync(StoreScript.TenantBegin, [new TenantKeyspace(id).Generation], [generation])
            .ConfigureAwait(false);
        if ((int)begun != 1)
        {
            return false;
        }

        await redis
            .EvaluateAsync(StoreScript.TenantSettle, [FleetKeyspace.Metadata(id), FleetKeyspace.Unfinished], [id.Value, generation])
            .ConfigureAwait(false);
        return true;
    }

    private static TenantRecord Read(string json, long version, string? check)
    {
        var stored = JsonSerializer.Deserialize(json, TenantStoreJson.Default.StoredTenant)!;
        return new()
        {
            Config = stored.Config,
            CreatedAt = stored.CreatedAt,
            SessionEpoch = stored.SessionEpoch,
            Origin = stored.Origin,
            Version = version,
            Check = check is null ? TenantCheck.None : JsonSerializer.Deserialize(check, TenantStoreJson.Default.TenantCheck)!,
        };
    }

    private static string Serialize(TenantCheck check) => JsonSerializer.Serialize(check, TenantStoreJson.Default.TenantCheck);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long? Tombstone(RedisResult[] answer) => answer[1].IsNull ? null : Number(answer[1]);

    private static long Number(RedisResult result) => long.Parse((string)result!, CultureInfo.InvariantCulture);
}

/// <summary>A tenant's record in the store.</summary>
internal sealed record StoredTenant(TenantConfig Config, DateTimeOffset CreatedAt, string SessionEpoch, string Origin);

/// <summary>
/// Records in the store. Fields that an older release does not know are left alone, so that two releases can run side by side.
/// </summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredTenant))]
[JsonSerializable(typeof(TenantCheck))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class TenantStoreJson : JsonSerializerContext;

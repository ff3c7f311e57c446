using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using StackExchange.Redis;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>Keeps the tenants in Redis.</summary>
internal sealed class RedisTenantStore(RedisConnection redis) : ITenantStore
{
    private const int PageSize = 200;

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

    public async Task<TenantWrite> CreateAsync(TenantConfig tenant, DateTimeOffset createdAt, CancellationToken cancellationToken)
    {
        var record = JsonSerializer.Serialize(new StoredTenant(tenant, createdAt), TenantStoreJson.Default.StoredTenant);
        var urls = tenant.Urls.Select(url => TenantUrl.TryParse(url, out var parsed, out _) ? parsed.Key : url).ToArray();
        var answer = (RedisResult[])(await redis.EvaluateAsync(
            StoreScript.TenantCreate,
            Keys(TenantId.Parse(tenant.Id)),
            [tenant.Id, record, JsonSerializer.Serialize(urls, TenantStoreJson.Default.StringArray), .. urls.Select(url => (RedisValue)url)]).ConfigureAwait(false))!;
        return (int)answer[0] switch
        {
            1 => new TenantWrite.Written(new() { Config = tenant, CreatedAt = createdAt, Version = Version(answer[1]) }),
            2 => new TenantWrite.Exists(Read((string)answer[1]!, Version(answer[2]))),
            3 => new TenantWrite.UrlTaken((string)answer[1]!, (string)answer[2]!),
            _ => new TenantWrite.BeingPurged(),
        };
    }

    public async Task<long?> RemoveAsync(TenantId id, CancellationToken cancellationToken)
    {
        var answer = (RedisResult[])(await redis.EvaluateAsync(StoreScript.TenantRemove, Keys(id), [id.Value]).ConfigureAwait(false))!;
        return (int)answer[0] == 1 ? Version(answer[1]) : null;
    }

    private static StoreKey[] Keys(TenantId id) =>
        [FleetKeyspace.Metadata(id), FleetKeyspace.Routes, FleetKeyspace.Index, FleetKeyspace.Version, FleetKeyspace.Changes];

    private async Task<TenantRecord?> ReadAsync(TenantId id)
    {
        var fields = await redis.GetFieldsAsync(FleetKeyspace.Metadata(id), "record", "version").ConfigureAwait(false);
        return fields[0].IsNull ? null : Read(fields[0].ToString(), long.Parse(fields[1].ToString(), CultureInfo.InvariantCulture));
    }

    private static TenantRecord Read(string json, long version)
    {
        var stored = JsonSerializer.Deserialize(json, TenantStoreJson.Default.StoredTenant)!;
        return new() { Config = stored.Config, CreatedAt = stored.CreatedAt, Version = version };
    }

    private static long Version(RedisResult result) => long.Parse((string)result!, CultureInfo.InvariantCulture);
}

/// <summary>A tenant's record in the store.</summary>
internal sealed record StoredTenant(TenantConfig Config, DateTimeOffset CreatedAt);

/// <summary>Records in the store. Fields that an older release does not know are left alone, so that two releases can run side by side.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredTenant))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class TenantStoreJson : JsonSerializerContext;

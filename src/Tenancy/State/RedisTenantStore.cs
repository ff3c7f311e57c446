using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>Keeps the tenants in Redis.</summary>
internal sealed class RedisTenantStore(
    RedisConnection redis,
    FleetMessages messages,
    SecretProtector secrets,
    IOptions<TenancyOptions> options
) : ITenantStore
{
    private const int PageSize = 200;

    // At the start: of larger pages there are fewer trips, and what one page holds is there at once only.
    private const int LoadPageSize = 1000;

    // No URL has a space, so that the kinds of claims cannot be taken for each other.
    private const string TokenClaim = "token ";
    private const string ClientsClaim = "clients ";

    private const string NothingDue = "[]";

    private static readonly RedisValue[] Fields = ["record", "version", "check", "generation", "due", "format", "urls"];

    private static readonly AdoptedData Nothing = new(0, 0, 0, 0);

    private readonly TenantHistory _history = new(redis);

    public async IAsyncEnumerable<TenantRecord> LoadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var page = ReadPageAsync("-");
        while (page is not null)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (ids, records) = await page.ConfigureAwait(false);

            // The next one is read while this one is put in place.
            page = ids.Length < LoadPageSize ? null : ReadPageAsync(ids[^1]);
            foreach (var record in records.Select(state => state.Record).OfType<TenantRecord>())
            {
                yield return record;
            }
        }
    }

    public async Task<TenantWrite> CreateAsync(
        TenantRecord tenant,
        TenantCreation creation,
        IReadOnlyList<DuePrincipal> principals,
        AuditEntry audit
    )
    {
        var id = TenantId.Parse(tenant.Config.Id);
        if (
            creation == TenantCreation.Adopt
            && principals.Count > 0
            && await FindObstacleAsync(id, principals).ConfigureAwait(false) is { } obstacle
        )
        {
            return obstacle;
        }

        var due = DueBeginning.Of([.. principals]);
        var write = await WriteAsync(
                StoreScript.TenantCreate,
                tenant,
                TenantRecordFormat.Write(tenant.Check),
                Condition(tenant, creation),
                due.ToText(),
                tenant.Origin,
                tenant.Owner ?? "",
                audit.ToText(),
                Terms
            )
            .ConfigureAwait(false);
        if (write is not TenantWrite.Written written)
        {
            return write;
        }

        var begun = await BeginAsync(id, Text(written.Version), due with { IsNew = written.Adopted is null }).ConfigureAwait(false);
        messages.Tell(new(FleetTopic.Tenant, id));
        return begun is null ? await ExplainAsync(id, Text(written.Version)).ConfigureAwait(false)
            : written.Adopted is null ? written
            : written with { Adopted = begun };
    }

    public Task<StoredTenantState> FindAsync(TenantId id) => ReadAsync(id);

    public Task<ChangePosition> GetPositionAsync() => _history.GetPositionAsync();

    public Task<TenantChangeList?> ListChangesAsync(ChangePosition after) => _history.ListAsync(after);

    public async Task<RecheckClaim> ClaimRecheckAsync(TenantRecord tenant, TimeSpan longest)
    {
        var id = TenantId.Parse(tenant.Config.Id);
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateAsync(
                        StoreScript.RecheckClaim,
                        [FleetKeyspace.Metadata(id), FleetKeyspace.Lease(id)],
                        [Milliseconds(tenant.Check), redis.NodeId, (long)longest.TotalMilliseconds]
                    )
                    .ConfigureAwait(false)
            )!;
        return answer switch
        {
            [var status, var version, var check] when (int)status == 0 => new(
                IsClaimed: false,
                (Number(version), TenantRecordFormat.ReadCheck((string?)check))
            ),
            [var status] => new(IsClaimed: (int)status == 1, Later: null),
            _ => new(IsClaimed: false, Later: null),
        };
    }

    public Task ReleaseRecheckAsync(TenantId id) =>
        redis.EvaluateAsync(StoreScript.RecheckRelease, [FleetKeyspace.Lease(id)], [redis.NodeId]);

    public async Task<IReadOnlyList<TenantId>> ListUnfinishedAsync() =>
        [
            .. (await redis.GetFirstAsync(FleetKeyspace.Unfinished, PageSize).ConfigureAwait(false)).Select(id =>
                TenantId.Parse(id.ToString())
            ),
        ];

    public async Task<TenantWrite> UpdateAsync(TenantRecord tenant, bool keepCheck, AuditEntry audit)
    {
        var id = TenantId.Parse(tenant.Config.Id);
        var write = await WriteAsync(
                StoreScript.TenantUpdate,
                tenant,
                keepCheck ? "" : TenantRecordFormat.Write(tenant.Check),
                Text(tenant.Version),
                audit.ToText(),
                Terms,
                Finding(tenant.Check),
                FoundHealth.Write(id, redis.NodeId, tenant.Check)
            )
            .ConfigureAwait(false);
        if (write is TenantWrite.Written)
        {
            messages.Tell(new(FleetTopic.Tenant, id));
        }

        return write;
    }

    public async Task WriteCheckAsync(TenantId id, long version, TenantCheck check)
    {
        var answer = await redis
            .EvaluateAsync(
                StoreScript.TenantCheck,
                [
                    FleetKeyspace.Metadata(id),
                    FleetKeyspace.Version,
                    FleetKeyspace.Changes,
                    FleetKeyspace.History,
                    FleetKeyspace.Lease(id),
                    FleetKeyspace.Events,
                    FleetKeyspace.EventNumber,
                ],
                [
                    id.Value,
                    Text(version),
                    TenantRecordFormat.Write(check),
                    Milliseconds(check),
                    Finding(check),
                    redis.NodeId,
                    FoundHealth.Write(id, redis.NodeId, check),
                ]
            )
            .ConfigureAwait(false);
        if ((int)answer == 2)
        {
            messages.Tell(new(FleetTopic.Tenant, id));
        }
    }

    public async Task<TenantRemoval> RemoveAsync(TenantId id, bool purge, AuditEntry audit)
    {
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateAsync(
                        StoreScript.TenantRemove,
                        Keys(id),
                        [id.Value, purge ? "purging" : "kept", audit.ToText(), Terms, .. _history.Own]
                    )
                    .ConfigureAwait(false)
            )!;
        messages.Tell(new(FleetTopic.Tenant, id));
        return (int)answer[0] == 1 ? new(Existed: true, _history.NoteOwn(answer)) : new(Existed: false, Tombstone(answer));
    }

    private async Task<TenantWrite> WriteAsync(
        StoreScript script,
        TenantRecord tenant,
        string check,
        string condition,
        params RedisValue[] further
    )
    {
        var (config, id) = (tenant.Config, TenantId.Parse(tenant.Config.Id));
        var record = TenantRecordFormat.Write(tenant, await secrets.ProtectAsync(id, config.Secrets).ConfigureAwait(false));
        string[] claims =
        [
            .. Urls(config),
            .. ClientsClaimOf(config),
            .. Tokens(config).Union(await ClientsAsync(id, config).ConfigureAwait(false)),
        ];
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateAsync(
                        script,
                        Keys(id),
                        [
                            config.Id,
                            record,
                            check,
                            condition,
                            JsonSerializer.Serialize(claims, TenantStoreJson.Default.StringArray),
                            .. further,
                            .. _history.Own,
                            .. claims.Select(claim => (RedisValue)claim),
                        ]
                    )
                    .ConfigureAwait(false)
            )!;
        return (int)answer[0] switch
        {
            0 => new TenantWrite.Missing(Tombstone(answer)),
            1 => new TenantWrite.Written(_history.NoteOwn(answer))
            {
                Adopted = answer is [_, _, var kept, _, _] && (string?)kept == "1" ? Nothing : null,
            },
            2 => await CompleteAsync(
                    id,
                    Read(id, (string)answer[1]!, (string?)answer[2], (string?)answer[3], (string?)answer[6], (string?)answer[7]),
                    (string?)answer[4],
                    (string?)answer[5]
                )
                .ConfigureAwait(false)
                is { } existing
                ? new TenantWrite.Exists(existing)
                : await ExplainAsync(id, (string)answer[4]!).ConfigureAwait(false),
            3 => Taken((string)answer[1]!, (string)answer[2]!),
            4 => new TenantWrite.BeingPurged(),
            5 => new TenantWrite.HasKeptData(),
            7 => new TenantWrite.HasDataOfAnother(),
            _ => new TenantWrite.WasUsed(),
        };
    }

    private async Task<(RedisValue[] Ids, StoredTenantState[] Tenants)> ReadPageAsync(RedisValue last)
    {
        var ids = await redis.GetRangeByMemberAsync(FleetKeyspace.Index, last, RedisValue.Null, LoadPageSize).ConfigureAwait(false);
        var tenants = Array.ConvertAll(ids, id => TenantId.Parse(id.ToString()));
        var all = await ReadFieldsAsync(tenants).ConfigureAwait(false);
        return (ids, await Task.WhenAll(all.Select((fields, index) => CompleteAsync(tenants[index], fields))).ConfigureAwait(false));
    }

    private async Task<StoredFields[]> ReadFieldsAsync(TenantId[] tenants)
    {
        try
        {
            var all = await redis.GetFieldsAsync(tenants.Select(FleetKeyspace.Metadata), Fields).ConfigureAwait(false);
            return [.. all.Select((fields, index) => Read(tenants[index], fields))];
        }
        catch (StoreUnavailableException exception) when (IsOfAnotherType(exception))
        {
            // One of them is. Each is asked for alone, so that it is that tenant's trouble.
            return await Task.WhenAll(tenants.Select(ReadFieldsAsync)).ConfigureAwait(false);
        }
    }

    private async Task<StoredTenantState> CompleteAsync(TenantId id, StoredFields fields)
    {
        var (tenant, generation, due) = fields;
        try
        {
            return tenant.Record is { } record
                ? tenant with
                {
                    Record = await CompleteAsync(id, record, generation, due).ConfigureAwait(false),
                }
                : tenant;
        }
        catch (StoreUnavailableException) when (!string.IsNullOrEmpty(due))
        {
            // In a cluster the master that has the tenant's slot may be away alone. All others start; this one is completed when it is
            // back, with what else is unfinished.
            return tenant with { Record = null };
        }
    }

    private static IEnumerable<string> Urls(TenantConfig config) =>
        config.Urls.Select(url => TenantUrl.TryParse(url, out var parsed, out _) ? parsed.Key : url);

    // Two tenants with the same issuer and a common audience would accept each other's tokens. So an audience of an issuer is claimed by
    // one tenant, as a URL is.
    private IEnumerable<string> Tokens(TenantConfig config) =>
        config.Authentication is { Kind: TenantAuthenticationKind.Jwks, Issuer: { } issuer }
            ? TenantAudiences.Of(config, options.Value).Select(audience => TokenClaimOf(issuer, audience))
            : [];

    // Where clients stand for the audience, a token is its client's tenant's. If two tenants of an issuer found the client by two claims, a
    // token could be of two clients, and both would take it. So all tenants that do so at an issuer share one claim of how they find it.
    private static IEnumerable<string> ClientsClaimOf(TenantConfig config) =>
        config.Authentication is { AudienceFromClients: true, Issuer: { } issuer } authentication
            ? [$"{ClientsClaim}{issuer} {authentication.ClientClaim}"]
            : [];

    // Where the listed clients stand for the audience, each is claimed as one, those too that an unregistered tenant left. One that is
    // listed meanwhile is claimed by whoever lists it; see ClientClaims.
    private async Task<IEnumerable<string>> ClientsAsync(TenantId id, TenantConfig config)
    {
        if (config.Authentication is not { AudienceFromClients: true, Issuer: { } issuer })
        {
            return [];
        }

        List<string> claims = [];
        for (string? cursor = null; ; )
        {
            var (clients, _, next) = await new ClientStore(redis, id, generation: 0).ListAsync(cursor, PageSize).ConfigureAwait(false);
            claims.AddRange(
                clients.Where(client => client.Record.Issuer == issuer).Select(client => TokenClaimOf(issuer, client.Record.ClientId))
            );
            if (next is null)
            {
                return claims;
            }

            cursor = next;
        }
    }

    /// <summary>
    /// What is claimed of an issuer. An issuer has no space, so that whatever an audience is, no two claims are one text.
    /// </summary>
    internal static string TokenClaimOf(string issuer, string audience) => $"{TokenClaim}{issuer} {audience}";

    /// <summary>Whether a claim is one of a URL.</summary>
    internal static bool IsOfUrl(string claim) => !claim.Contains(' ', StringComparison.Ordinal);

    private static TenantWrite Taken(string claim, string owner) =>
        claim.StartsWith(ClientsClaim, StringComparison.Ordinal) ? new TenantWrite.ClientsFoundOtherwise(owner)
        : claim.StartsWith(TokenClaim, StringComparison.Ordinal)
            ? new TenantWrite.AudienceTaken(claim[(claim.IndexOf(' ', TokenClaim.Length) + 1)..], owner)
        : new TenantWrite.UrlTaken(claim, owner);

    private static StoreKey[] Keys(TenantId id) =>
        [
            FleetKeyspace.Metadata(id),
            FleetKeyspace.Routes,
            FleetKeyspace.Index,
            FleetKeyspace.Version,
            FleetKeyspace.Changes,
            FleetKeyspace.Unfinished,
            FleetKeyspace.History,
            FleetKeyspace.Audit,
            FleetKeyspace.AuditPlaces,
            FleetKeyspace.AuditSizes,
            FleetKeyspace.Kept,
            FleetKeyspace.Events,
            FleetKeyspace.EventNumber,
        ];

    private string Terms => AuditLog.Terms(redis, options.Value.Audit);

    private async Task<StoredTenantState> ReadAsync(TenantId id)
    {
        var (tenant, generation, due) = await ReadFieldsAsync(id).ConfigureAwait(false);
        return tenant.Record is { } record
            ? tenant with
            {
                Record = await CompleteAsync(id, record, generation, due).ConfigureAwait(false),
            }
            : tenant;
    }

    private async Task<StoredFields> ReadFieldsAsync(TenantId id)
    {
        try
        {
            return Read(id, await redis.GetFieldsAsync(FleetKeyspace.Metadata(id), Fields).ConfigureAwait(false));
        }
        catch (StoreUnavailableException exception) when (IsOfAnotherType(exception))
        {
            return new(new(TenantRecordFormat.Unreadable(id, version: 1, urls: null, "its key holds something else"), 1), null, null);
        }
    }

    private static StoredFields Read(TenantId id, RedisValue[] fields)
    {
        if (fields[0].IsNull || fields[1].IsNull)
        {
            return new(new(Record: null, fields[1].IsNull ? null : Version(fields[1]) ?? 0), null, null);
        }

        var record = Read(id, fields[0], fields[1], fields[2], fields[5], fields[6]);
        return new(new(record, record.Version), fields[3], fields[4]);
    }

    private static bool IsOfAnotherType(StoreUnavailableException exception) =>
        exception.InnerException is RedisServerException { Message: var message }
        && message.StartsWith("WRONGTYPE", StringComparison.Ordinal);

    private static TenantRecord Read(TenantId id, RedisValue json, string? version, string? check, string? format, string? urls) =>
        Version(version) is { } number
            ? TenantRecordFormat.Read(id, ((ReadOnlyMemory<byte>)json).Span, number, check, format, urls)
            : TenantRecordFormat.Unreadable(id, version: 1, urls, "its version is no number");

    private static long? Version(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;

    /// <summary>
    /// Decrypts a tenant's secrets, gives it the generation that it has, and does what is still due in its own slot. Nothing is served
    /// before.
    /// </summary>
    /// <returns>Null where the tenant is gone.</returns>
    private async Task<TenantRecord?> CompleteAsync(TenantId id, TenantRecord tenant, string? generation, string? due)
    {
        if (tenant.IsUnreadable)
        {
            // Its principals and sessions can be ended all the same.
            return tenant with { Generation = Version(generation) ?? 0 };
        }

        if (tenant.Config.Secrets is { Ciphertext: var ciphertext })
        {
            tenant = tenant with
            {
                Config = tenant.Config with { Secrets = await secrets.UnprotectAsync(id, ciphertext).ConfigureAwait(false) },
            };
        }

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

        if (!long.TryParse(generation, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return TenantRecordFormat.Unreadable(tenant, "its generation is no number");
        }

        if (!TryReadDue(due, out var beginning))
        {
            return TenantRecordFormat.Unreadable(tenant, "what is due to it is not what this release knows");
        }

        // Where nothing is due and the generation is not in the store, the store has lost what the tenant kept: then nothing makes one.
        return beginning is null || await BeginAsync(id, generation, beginning).ConfigureAwait(false) is not null
            ? tenant with
            {
                Generation = number,
            }
            : null;
    }

    /// <returns>False for what cannot be read; true with null where nothing is due.</returns>
    private static bool TryReadDue(string? due, out DueBeginning? beginning)
    {
        beginning = null;
        try
        {
            beginning = string.IsNullOrEmpty(due) ? null : DueBeginning.Read(due);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Does what is due in a tenant's own slot, and notes that it is done.</summary>
    /// <returns>
    /// What was there already; null where the tenant was deleted meanwhile, or where what is there is not this one's.
    /// </returns>
    internal async Task<AdoptedData?> BeginAsync(TenantId id, string generation, DueBeginning due)
    {
        var keys = new TenantKeyspace(id);
        StoreKey[] begun =
        [
            keys.Generation,
            keys.Life,
            keys.Principals,
            keys.Clients,
            keys.Documents,
            keys.DocumentStorage,
            .. keys.Indexes,
        ];
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateAsync(
                        StoreScript.TenantBegin,
                        [.. begun, .. due.Principals.Select(principal => keys.Principal(principal.TokenHash))],
                        [
                            generation,
                            redis.ClockOffset,
                            due.Mark,
                            due.IsNew ? "new" : "kept",
                            begun.Length,
                            .. due.Principals.SelectMany(principal =>
                                new RedisValue[] { principal.Id, principal.TokenHash, principal.Record }
                            ),
                        ]
                    )
                    .ConfigureAwait(false)
            )!;
        if (answer is not [_, var kept, var clients, var documents, var bytes])
        {
            return null;
        }

        await redis
            .EvaluateAsync(StoreScript.TenantSettle, [FleetKeyspace.Metadata(id), FleetKeyspace.Unfinished], [id.Value, generation])
            .ConfigureAwait(false);
        return new((int)kept, (int)clients, (int)documents, (long)bytes);
    }

    /// <summary>Says why a generation did not begin: the tenant is gone, or the store has lost what became of its id.</summary>
    private async Task<TenantWrite> ExplainAsync(TenantId id, string generation) =>
        (await redis.GetFieldsAsync(FleetKeyspace.Metadata(id), "generation").ConfigureAwait(false))[0] == generation
            ? new TenantWrite.IsBehindItsData()
            : new TenantWrite.Missing(null);

    /// <summary>
    /// Looks whether what an unregistered tenant left refuses the principals that a new one is to begin with. Nobody changes it meanwhile.
    /// </summary>
    private async Task<TenantWrite?> FindObstacleAsync(TenantId id, IReadOnlyList<DuePrincipal> principals)
    {
        if (await redis.GetFieldsAsync(FleetKeyspace.Metadata(id), "kept").ConfigureAwait(false) is not [{ IsNull: false }])
        {
            return null;
        }

        var keys = new TenantKeyspace(id);
        var kept = await redis.GetHashAsync(keys.Principals).ConfigureAwait(false);
        if (kept.Length + principals.Count > PrincipalStore.MaxPrincipals)
        {
            return new TenantWrite.TooManyPrincipals(kept.Length);
        }

        var taken = kept.SelectMany(principal => PrincipalStore.Hashes(principal.Value.ToString())).ToHashSet(StringComparer.Ordinal);
        return principals.Index().FirstOrDefault(principal => taken.Contains(principal.Item.TokenHash)) is (var index, { })
            ? new TenantWrite.TokenTaken(index)
            : null;
    }

    private static string Condition(TenantRecord tenant, TenantCreation creation) =>
        creation switch
        {
            TenantCreation.Adopt => TenantOrigin.IsSource(tenant.Origin) ? "return" : "adopt",
            TenantCreation.Seed => "seed",
            _ => "new",
        };

    private static string Finding(TenantCheck check) => $"{check.Health} {check.Reason}";

    private static long Milliseconds(TenantCheck check) => check.CheckedAt?.ToUnixTimeMilliseconds() ?? 0;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long? Tombstone(RedisResult[] answer) => answer[1].IsNull ? null : Number(answer[1]);

    private static long Number(RedisResult result) => long.Parse((string)result!, CultureInfo.InvariantCulture);

    /// <summary>What the store has of a tenant, before its secrets are decrypted and what is due to it is done.</summary>
    private readonly record struct StoredFields(StoredTenantState Tenant, string? Generation, string? Due);
}

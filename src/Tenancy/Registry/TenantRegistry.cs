using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Validation;

namespace Tenancy.Registry;

/// <summary>The tenants that this node serves. They come and go at run time; a change is stored first and then applied, whole.</summary>
/// <remarks>
/// Reading takes no lock, allocates nothing and makes no round trip. Tenants are changed by
/// <see cref="Administration.ITenantAdministration"/>.
/// </remarks>
public sealed class TenantRegistry
{
    private const int MaxAttempts = 10;
    private readonly TenantTable _table;
    private readonly ITenantStore _store;
    private readonly TenantProbe _probe;
    private readonly TenantConfigRules _rules;
    private readonly TimeProvider _time;
    private readonly ILogger<TenantRegistry> _logger;
    private readonly CheckWriter _checks;
    private readonly PlatformBuilds _builds;
    private readonly bool _autoValidate;
    private readonly string? _baseDomain;
    private volatile bool _isLoaded;
    private volatile bool _isComplete;

    internal TenantRegistry(
        ITenantStore store,
        TenantProbe probe,
        TenantConfigRules rules,
        TenantChangeNotifier changes,
        IOptions<TenancyOptions> options,
        TimeProvider time,
        ILogger<TenantRegistry> logger
    )
    {
        _table = new(changes);
        _store = store;
        _probe = probe;
        _rules = rules;
        _time = time;
        _logger = logger;
        _autoValidate = options.Value.AutoValidate;
        _checks = new(store, logger);
        _builds = new(_table, probe, time, logger);
        _baseDomain = options.Value.BaseDomain?.TrimEnd('.').ToLowerInvariant();
    }

    /// <summary>Gets whether the stored tenants are known, so that they are served.</summary>
    public bool IsLoaded => _isLoaded;

    /// <summary>
    /// Gets whether all sources of tenants were gone through once, too. Until then nobody is told that a tenant does not exist.
    /// </summary>
    internal bool IsComplete => _isComplete;

    /// <summary>Gets the number of tenants.</summary>
    public int Count => _table.Count;

    /// <summary>Finds the tenant with an id.</summary>
    public TenantModel? Get(TenantId tenantId) => _table.Get(tenantId.Value);

    /// <summary>Finds the tenant with an id that came as text, which may be none.</summary>
    public TenantModel? Get(ReadOnlySpan<char> tenantId) => _table.Get(tenantId);

    /// <summary>Finds the tenant that owns the URL of a host, written as in a Host header.</summary>
    public TenantModel? ResolveByHost(ReadOnlySpan<char> host) => ResolveByRequest(host, default);

    /// <summary>Finds the tenant that owns the longest URL that is a prefix of a host and a path, at segment boundaries.</summary>
    /// <returns>
    /// The tenant, whatever its status and health: traffic of a tenant that is not served never falls through to another.
    /// </returns>
    public TenantModel? ResolveByRequest(ReadOnlySpan<char> host, ReadOnlySpan<char> path) =>
        // Nearly all hosts come as they are kept: what is found as it stands needs no rewriting.
        _table.TryFindUrl(host, path, out var match)
            ? match.Tenant
        : CanonicalHost.MayDiffer(host) ? ResolveByRewrittenHost(host, path)
        : null;

    /// <summary>Finds the tenant with an id, as an admin sees it.</summary>
    public TenantStatus? GetStatus(TenantId tenantId) => Get(tenantId)?.ToStatus();

    /// <summary>Lists the tenants, in no order.</summary>
    public IEnumerable<TenantStatus> List() => _table.Models.Select(model => model.ToStatus());

    /// <summary>Validates a tenant now. Callers that come while a validation runs share the next one.</summary>
    /// <exception cref="TenantNotFoundException">There is no such tenant, or it was unregistered meanwhile.</exception>
    internal async Task<TenantStatus> RecheckAsync(TenantId tenantId, CancellationToken cancellationToken = default)
    {
        if (_table.Find(tenantId) is not { Model: not null } state)
        {
            throw new TenantNotFoundException(tenantId);
        }

        await state.CheckAsync(() => CheckAsync(tenantId, state)).WaitAsync(cancellationToken).ConfigureAwait(false);
        return state.Model?.ToStatus() ?? throw new TenantNotFoundException(tenantId);
    }

    /// <summary>Registers a tenant, and says whether it is new. An equal one again changes nothing.</summary>
    internal async Task<TenantRegistrationResult> TryRegisterAsync(
        TenantBeginning beginning,
        bool awaitFirstValidation,
        TenantCreation creation,
        CancellationToken cancellationToken
    )
    {
        var tenant = _rules.Complete(beginning.Config);
        var id = TenantId.Parse(tenant.Id);
        RefuseIfSquatted(id);
        var record = new TenantRecord
        {
            Config = tenant,
            Version = 0,
            CreatedAt = _time.GetUtcNow(),
            SessionEpoch = NewEpoch(),
            Origin = beginning.Origin,
            Owner = beginning.Owner,
        };
        switch (await _store.CreateAsync(record, creation, beginning.Principals).ConfigureAwait(false))
        {
            case TenantWrite.Written(var version) { Adopted: var adopted }:
                record = record with { Version = version, Generation = version };
                await _table.SwapAsync(new TenantModel(record, platform: null), keepCheck: false).ConfigureAwait(false);
                _logger.TenantRegistered(tenant.Id, version);
                await ValidateFirstAsync(id, awaitFirstValidation, cancellationToken).ConfigureAwait(false);
                return new(GetStatus(id) ?? throw new TenantNotFoundException(id), IsNew: true, adopted);
            case TenantWrite.Exists(var existing) when existing.Config.Equals(tenant):
                if (Get(id.Value) is null)
                {
                    await PlaceAsync(existing, awaitFirstValidation, cancellationToken).ConfigureAwait(false);
                }

                return new(GetStatus(id) ?? throw new TenantNotFoundException(id), IsNew: false, Adopted: null);
            case TenantWrite.Missing:
                throw new TenantNotFoundException(id);
            case TenantWrite.Exists:
                throw new TenantConflictException(
                    "id",
                    $"Tenant '{id}' exists with another configuration: update it, or choose another id."
                );
            case var refused:
                throw Explain(refused, id);
        }
    }

    /// <summary>Changes a tenant.</summary>
    /// <param name="id">The tenant.</param>
    /// <param name="change">Makes the new configuration of the present one; it is called again where the tenant changed meanwhile.</param>
    /// <param name="expectedVersion">The version that the caller saw; null for any.</param>
    /// <param name="force">Whether to switch at once and validate then, instead of before.</param>
    /// <param name="cancellationToken">Ends the wait for validation.</param>
    internal async Task<TenantStatus> UpdateAsync(
        TenantId id,
        Func<TenantConfig, TenantConfig> change,
        long? expectedVersion,
        bool force,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var current = Get(id.Value) ?? throw new TenantNotFoundException(id);
            if (expectedVersion is { } expected && expected != current.Version)
            {
                throw new TenantConflictException(
                    "version",
                    $"Tenant '{id}' is at version {current.Version}, not {expected}: read it again."
                );
            }

            var config = _rules.Complete(change(current.Config));
            var effects = current.Config.EffectsTo(config);
            if (effects == ChangeEffects.None)
            {
                return current.ToStatus();
            }

            if (effects.HasFlag(ChangeEffects.Refused))
            {
                throw new TenantConfigException(RefusedChanges(current.Config, config));
            }

            if (await TryUpdateAsync(current, config, effects, force, cancellationToken).ConfigureAwait(false) is { } status)
            {
                return status;
            }
        }

        throw new TenantConflictException("version", $"Tenant '{id}' was changed by others again and again: try it once more.");
    }

    /// <summary>Takes a tenant away.</summary>
    internal async Task<bool> RemoveAsync(TenantId tenantId, bool purge)
    {
        var seen = Get(tenantId.Value);
        return await RemoveHereAsync(tenantId, seen, await _store.RemoveAsync(tenantId, purge).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>Puts all tenants of the store in place, with the health that they had. Their platforms are yet to be built.</summary>
    internal async Task LoadAsync(CancellationToken cancellationToken)
    {
        var records = await _store.LoadAsync(cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (var record in records)
        {
            var known = IsOutdated(record.Check, records.Count)
                ? record with
                {
                    Check = record.Check with { Health = TenantHealth.Unverified },
                }
                : record;
            await _table.SwapAsync(new TenantModel(known, platform: null), keepCheck: false).ConfigureAwait(false);
        }
    }

    /// <summary>Builds the platforms of the tenants that have none now. One that hangs keeps no other waiting.</summary>
    internal Task BuildAsync(CancellationToken cancellationToken) => _builds.BuildAllAsync(cancellationToken);

    /// <summary>Waits until the store has the health that the tenants have.</summary>
    internal Task FlushAsync() => _checks.FlushAsync();

    internal void MarkLoaded() => _isLoaded = true;

    internal void MarkComplete() => _isComplete = true;

    /// <summary>Finds the tenant URL that is the longest prefix of a canonical host and a path, whatever its tenant's status.</summary>
    internal bool TryFindUrl(
        ReadOnlySpan<char> host,
        ReadOnlySpan<char> path,
        [NotNullWhen(true)] out TenantModel? tenant,
        [NotNullWhen(true)] out TenantUrl? url
    )
    {
        var isFound = _table.TryFindUrl(host, path, out var match);
        (tenant, url) = (match.Tenant, match.Url);
        return isFound;
    }

    /// <summary>Whether a tenant that is not suspended has a URL at this canonical host.</summary>
    internal bool HasActiveHost(ReadOnlySpan<char> host) => _table.HasActiveHost(host);

    /// <summary>Cancelled when the tenant is suspended or gone.</summary>
    internal CancellationToken GetPresence(TenantId tenantId) =>
        _table.Find(tenantId) is { Model.IsSuspended: false } state ? state.Presence : new CancellationToken(canceled: true);

    private async Task ValidateFirstAsync(TenantId id, bool wait, CancellationToken cancellationToken)
    {
        if (!_autoValidate)
        {
            _logger.NotValidated(id.Value);
            return;
        }

        var (state, progress) = (_table.Find(id)!, new CheckProgress());
        var first = state.CheckAsync(() => CheckAsync(id, state, progress), progress);
        await (wait ? first.WaitAsync(cancellationToken) : progress.SettleAsync(first)).ConfigureAwait(false);
    }

    private static TenantConfigError[] RefusedChanges(TenantConfig before, TenantConfig after) =>
        [
            .. before
                .ChangesTo(after)
                .Where(change => change.Effects.HasFlag(ChangeEffects.Refused))
                .Select(change => new TenantConfigError(change.Field, "cannot be changed")),
        ];

    /// <returns>Null where the tenant was changed meanwhile.</returns>
    private async Task<TenantStatus?> TryUpdateAsync(
        TenantModel current,
        TenantConfig config,
        ChangeEffects effects,
        bool force,
        CancellationToken cancellationToken
    )
    {
        var record = current.Record with { Config = config };
        var platform = effects.HasFlag(ChangeEffects.NewPlatform) ? null : current.Platform;
        var keepCheck = !effects.HasFlag(ChangeEffects.Validation);
        if (!keepCheck)
        {
            if (force)
            {
                (record, platform) = (record with { Check = TenantCheck.None }, null);
            }
            else
            {
                (record, platform) = await ProbeChangeAsync(current, record, platform, cancellationToken).ConfigureAwait(false);
            }
        }

        if (effects.HasFlag(ChangeEffects.EndOfSessions))
        {
            record = record with { SessionEpoch = NewEpoch() };
        }

        var isOurs = !ReferenceEquals(platform, current.Platform);
        try
        {
            switch (await _store.UpdateAsync(record).ConfigureAwait(false))
            {
                case TenantWrite.Written(var version):
                    isOurs = false;
                    await _table.SwapAsync(new TenantModel(record with { Version = version }, platform), keepCheck).ConfigureAwait(false);
                    _logger.TenantUpdated(config.Id, version);
                    await FollowUpAsync(current.Id, record.Check, cancellationToken).ConfigureAwait(false);

                    return GetStatus(current.Id) ?? throw new TenantNotFoundException(current.Id);
                case TenantWrite.Exists(var changed):
                    await LoadAsync(changed, cancellationToken).ConfigureAwait(false);
                    return null;
                case TenantWrite.Missing(var tombstone):
                    await RemoveHereAsync(current.Id, current, new(Existed: false, tombstone)).ConfigureAwait(false);
                    throw new TenantNotFoundException(current.Id);
                case var refused:
                    throw Explain(refused, current.Id);
            }
        }
        finally
        {
            if (isOurs && platform is not null)
            {
                await platform.ReleaseAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Takes a tenant away here that the store does not have any more: it went just now, or with a call whose answer was lost.
    /// </summary>
    /// <param name="id">The tenant.</param>
    /// <param name="seen">What was here before the store was asked.</param>
    /// <param name="removal">
    /// What the store says. Where it lost the tombstone, too, what was seen goes, and nothing that came after it.
    /// </param>
    /// <returns>False when there was no such tenant, neither there nor here.</returns>
    private async Task<bool> RemoveHereAsync(TenantId id, TenantModel? seen, TenantRemoval removal)
    {
        if (
            (removal.Version ?? seen?.Version + 1) is not { } version
            || !(await _table.RemoveAsync(id, version).ConfigureAwait(false) || removal.Existed)
        )
        {
            return false;
        }

        _logger.TenantUnregistered(id.Value, version);
        return true;
    }

    /// <summary>
    /// After a change: a check that ran meanwhile is dropped, so that a tenant that still waits for its first one is checked again.
    /// </summary>
    private async Task FollowUpAsync(TenantId id, TenantCheck written, CancellationToken cancellationToken)
    {
        if (Get(id.Value) is not { } model)
        {
            return;
        }

        if (model.Health == TenantHealth.Pending)
        {
            await ValidateFirstAsync(id, wait: false, cancellationToken).ConfigureAwait(false);
        }
        else if (model.Record.Check != written)
        {
            _checks.Enqueue(_table.Find(id)!);
        }
    }

    private async Task<(TenantRecord Record, PlatformInstance? Platform)> ProbeChangeAsync(
        TenantModel current,
        TenantRecord record,
        PlatformInstance? platform,
        CancellationToken cancellationToken
    )
    {
        var state = _table.Find(current.Id)!;
        using var wanted = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, state.Presence);
        var result = await _probe.RunAsync(record.Config, platform, wanted.Token).ConfigureAwait(false);
        if (result.Validation is TenantValidation.Valid && !cancellationToken.IsCancellationRequested)
        {
            return (record with { Check = new(TenantHealth.Healthy, null, _time.GetUtcNow()) }, result.Platform);
        }

        if (result.Platform is { } unused && !ReferenceEquals(unused, platform))
        {
            await unused.ReleaseAsync().ConfigureAwait(false);
        }

        cancellationToken.ThrowIfCancellationRequested();
        throw state.Model is null ? new TenantNotFoundException(current.Id) : new TenantValidationException(result.Validation);
    }

    /// <summary>
    /// The one place where a check changes a tenant's health. A result for a configuration that is not current any more is dropped.
    /// </summary>
    private async Task CheckAsync(TenantId id, TenantState state, CheckProgress? progress = null)
    {
        var before = state.Model ?? throw new TenantNotFoundException(id);
        var presence = before.IsSuspended ? CancellationToken.None : state.Presence;
        var result = await _probe.RunAsync(before.Config, before.Platform, presence, progress).ConfigureAwait(false);
        if (await _table.SetCheckAsync(state, before, result, _time.GetUtcNow()).ConfigureAwait(false) is not var (last, after))
        {
            if (state.Model is null)
            {
                throw new TenantNotFoundException(id);
            }

            return;
        }

        if (after.Health != last.Health)
        {
            _logger.TenantHealthChanged(id.Value, after.Health.ToString(), last.Health.ToString(), after.Record.Check.Reason);
        }

        _checks.Enqueue(state);
    }

    /// <summary>Whether a tenant was healthy so long ago that it has to be shown again; it is served meanwhile.</summary>
    private bool IsOutdated(TenantCheck check, int tenants) =>
        check.Health == TenantHealth.Healthy
        && _probe.HasValidators
        && _time.GetUtcNow() - check.CheckedAt > 2 * RecheckInterval.Healthy(tenants);

    /// <summary>Completes a registration that was cut off, and serves the tenant.</summary>
    internal async Task CompleteAsync(TenantId id, CancellationToken cancellationToken)
    {
        if (await _store.FindAsync(id).ConfigureAwait(false) is { } record && Get(id) is null)
        {
            await PlaceAsync(record, wait: false, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Puts a tenant in place that another node has registered.</summary>
    private async Task PlaceAsync(TenantRecord record, bool wait, CancellationToken cancellationToken)
    {
        await _table.SwapAsync(new TenantModel(record, platform: null), keepCheck: false).ConfigureAwait(false);
        var (state, progress) = (_table.Find(TenantId.Parse(record.Config.Id))!, new CheckProgress());
        var built = state.CheckAsync(() => _builds.BuildAsync(state, CancellationToken.None, progress), progress);
        await (wait ? built.WaitAsync(cancellationToken) : progress.SettleAsync(built)).ConfigureAwait(false);
    }

    /// <summary>Puts a change of another node in place, when its platform is built: the old one serves until then.</summary>
    private async Task LoadAsync(TenantRecord record, CancellationToken cancellationToken)
    {
        PlatformInstance? platform = null;
        if (record.Check.Health != TenantHealth.Disabled)
        {
            (platform, var failure) = await _probe.BuildAsync(record.Config, cancellationToken).ConfigureAwait(false);
            if (failure is not null)
            {
                record = record with
                {
                    Check = new(
                        TenantHealthPolicy.Next(record.Check.Health, failure),
                        TenantHealthPolicy.Reason(failure),
                        _time.GetUtcNow()
                    ),
                };
            }
        }

        await _table.SwapAsync(new TenantModel(record, platform), keepCheck: false).ConfigureAwait(false);
    }

    private TenantModel? ResolveByRewrittenHost(ReadOnlySpan<char> host, ReadOnlySpan<char> path)
    {
        Span<char> buffer = stackalloc char[CanonicalHost.MaxLength];
        return CanonicalHost.TryRead(host, buffer, out var canonical) && TryFindUrl(canonical, path, out var tenant, out _) ? tenant : null;
    }

    /// <summary>Nobody can register what an id implies, but somebody may have had it before there was a base domain.</summary>
    private void RefuseIfSquatted(TenantId id)
    {
        if (
            _baseDomain is not null
            && _table.TryFindUrl($"{id}.{_baseDomain}", default, out var match)
            && match.Tenant is var squatter
            && squatter.Id != id
        )
        {
            throw new TenantConflictException(
                "id",
                $"'{id}.{_baseDomain}', for which the id stands, belongs to tenant '{squatter.Id}': take that URL from it first, or "
                    + "choose another id."
            );
        }
    }

    private static string NewEpoch() => Guid.NewGuid().ToString("N");

    private static Exception Explain(TenantWrite refused, TenantId id) =>
        refused switch
        {
            TenantWrite.UrlTaken(var url, var owner) => new TenantConflictException("urls", $"'{url}' belongs to tenant '{owner}'."),
            TenantWrite.AudienceTaken(var audience, var owner) => new TenantConflictException(
                "authentication",
                $"Tenant '{owner}' has the same issuer and the audience '{audience}' too, so that each would accept the other's "
                    + "tokens: give one of them another audience."
            ),
            TenantWrite.HasKeptData => new TenantConflictException(
                "id",
                $"An unregistered tenant '{id}' left data behind: register it with adopt=true to have that data, delete it first, or "
                    + "choose another id."
            ),
            TenantWrite.HasDataOfAnother => new TenantConflictException(
                "id",
                $"An unregistered tenant '{id}' left data behind, and its source does not say that it is the same one's (Owner of the "
                    + "registration, now and then): delete it first, so that nobody gets what is another's."
            ),
            TenantWrite.TokenTaken(var index) => new TenantConflictException(
                $"principals[{index}].token",
                "The token is in use by a principal that the unregistered tenant left: leave it out to have one generated."
            ),
            TenantWrite.TooManyPrincipals(var kept) => new TenantConflictException(
                "principals",
                $"The unregistered tenant left {kept} principals, and one has {PrincipalValidator.MaximumPrincipals} at most: register it "
                    + "with fewer."
            ),
            TenantWrite.IsBehindItsData => new TenantConflictException(
                "id",
                $"The store has lost that there was a later tenant '{id}', and not what that one keeps, which nobody may have now: delete "
                    + "it, and register it again."
            ),
            TenantWrite.BeingPurged => new TenantConflictException(
                "id",
                $"The data of an earlier tenant '{id}' is still being deleted: try it again in a while, or choose another id."
            ),
            TenantWrite.WasUsed => new TenantConflictException(
                "id",
                $"Tenant '{id}' was unregistered or deleted: what is seeded does not bring it back."
            )
            {
                IsOfTombstone = true,
            },
            _ => new InvalidOperationException("The store gave no answer that is known here."),
        };
}

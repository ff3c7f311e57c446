using Microsoft.Extensions.Logging;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Validation;

namespace Tenancy.Registry;

/// <summary>Changes tenants: each change is stored first and then applied here, whole, or it is refused.</summary>
internal sealed class TenantChanges(
    TenantTable table,
    ITenantStore store,
    StoredTenants stored,
    TenantChecks checks,
    TenantProbe probe,
    TenantConfigRules rules,
    string? baseDomain,
    TimeProvider time,
    ILogger logger
)
{
    private const int MaxAttempts = 10;

    /// <summary>Registers a tenant, and says whether it is new. An equal one again changes nothing.</summary>
    public async Task<TenantRegistrationResult> RegisterAsync(
        TenantBeginning beginning,
        bool awaitFirstValidation,
        TenantCreation creation,
        CancellationToken cancellationToken
    )
    {
        var tenant = rules.Complete(beginning.Config);
        var id = TenantId.Parse(tenant.Id);
        RefuseIfSquatted(id);
        var record = new TenantRecord
        {
            Config = tenant,
            Version = 0,
            CreatedAt = time.GetUtcNow(),
            SessionEpoch = NewEpoch(),
            Origin = beginning.Origin,
            Owner = beginning.Owner,
            SuspendedBy = tenant.Status == TenantAdminStatus.Suspended ? beginning.Origin : null,
        };
        var platform = beginning.MustBuild ? await BuildFirstAsync(id, record, cancellationToken).ConfigureAwait(false) : null;
        var isOurs = platform is not null;
        try
        {
            var write = await store
                .CreateAsync(record, creation, beginning.Principals, Registered(record, beginning))
                .ConfigureAwait(false);
            isOurs &= write is not TenantWrite.Written;
            return await PlaceAsync(write, record, platform, awaitFirstValidation, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (isOurs)
            {
                await platform!.ReleaseAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Builds the platform of a tenant that an admin registers, so that settings that will not do are refused before anything is there.
    /// </summary>
    /// <returns>Null where that is found out later.</returns>
    /// <exception cref="TenantValidationException">It cannot be built.</exception>
    private async Task<PlatformInstance?> BuildFirstAsync(TenantId id, TenantRecord record, CancellationToken cancellationToken)
    {
        // Whoever registers the same once more is answered by what is there.
        if (table.Get(id.Value) is not null)
        {
            return null;
        }

        var (platform, failure) = await probe.BuildAsync(record.Config, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return failure is TenantValidation.Permanent ? throw new TenantValidationException(failure) : platform;
    }

    private async Task<TenantRegistrationResult> PlaceAsync(
        TenantWrite write,
        TenantRecord record,
        PlatformInstance? platform,
        bool awaitFirstValidation,
        CancellationToken cancellationToken
    )
    {
        var (tenant, id) = (record.Config, TenantId.Parse(record.Config.Id));
        switch (write)
        {
            case TenantWrite.Written(var version) { Adopted: var adopted }:
                record = record with { Version = version, Generation = version };
                await table.SwapAsync(new TenantModel(record, platform), TenantSwap.Whole).ConfigureAwait(false);
                if (table.Get(id.Value)?.Record.IsSameLife(record) is false)
                {
                    // The store has lost the tenant that had this id here, and counts versions anew.
                    await stored.FollowAsync(id, cancellationToken).ConfigureAwait(false);
                }

                logger.TenantRegistered(tenant.Id, version);
                await checks.BeginAsync(id, awaitFirstValidation, cancellationToken).ConfigureAwait(false);
                return new(StatusOf(id) ?? throw new TenantNotFoundException(id), IsNew: true, adopted);
            case TenantWrite.Exists(var existing) when existing.Config.Equals(tenant):
                if (table.Get(id.Value) is null)
                {
                    await stored.PlaceAsync(existing, awaitFirstValidation, cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    await stored.ApplyAsync(existing, cancellationToken).ConfigureAwait(false);
                }

                return new(StatusOf(id) ?? throw new TenantNotFoundException(id), IsNew: false, Adopted: null);
            case TenantWrite.Missing:
                throw new TenantNotFoundException(id);
            case TenantWrite.Exists:
                throw new TenantConflictException(
                    "id",
                    $"Tenant '{id}' exists with another configuration: update it, or choose another id."
                );
            case var refused:
                throw RefusedWrite.Explain(refused, id);
        }
    }

    /// <inheritdoc cref="UpdateAsync(TenantId, Func{TenantConfig, TenantConfig}, string, long?, bool, CancellationToken)"/>
    public Task<TenantStatus> UpdateAsync(
        TenantId id,
        Func<TenantConfig, TenantConfig> change,
        long? expectedVersion,
        bool force,
        CancellationToken cancellationToken
    ) => UpdateAsync(id, change, TenantOrigin.Admin, expectedVersion, force, cancellationToken);

    /// <summary>Changes a tenant.</summary>
    /// <param name="id">The tenant.</param>
    /// <param name="change">Makes the new configuration of the present one; it is called again where the tenant changed meanwhile.</param>
    /// <param name="origin">Who changes it: <see cref="TenantOrigin"/>.</param>
    /// <param name="expectedVersion">The version that the caller saw; null for any.</param>
    /// <param name="force">Whether to switch at once and validate then, instead of before.</param>
    /// <param name="cancellationToken">Ends the wait for validation.</param>
    public async Task<TenantStatus> UpdateAsync(
        TenantId id,
        Func<TenantConfig, TenantConfig> change,
        string origin,
        long? expectedVersion,
        bool force,
        CancellationToken cancellationToken
    )
    {
        // Another node may have changed it a moment ago: what an answer says of the tenant, or compares, is what the store has.
        await stored.FollowAsync(id, cancellationToken).ConfigureAwait(false);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var current = table.Get(id.Value) ?? throw new TenantNotFoundException(id);
            if (expectedVersion is { } expected && expected != current.Version)
            {
                throw new TenantConflictException(
                    "version",
                    $"Tenant '{id}' is at version {current.Version}, not {expected}: read it again."
                );
            }

            if (current.Record.IsUnreadable)
            {
                throw new TenantConflictException("id", current.Record.Check.Reason!);
            }

            var config = rules.Complete(KeepSuspension(current.Record, change(current.Config), origin));
            var effects = current.Config.EffectsTo(config);
            if (effects == ChangeEffects.None)
            {
                return current.ToStatus();
            }

            if (effects.HasFlag(ChangeEffects.Refused))
            {
                throw new TenantConfigException(RefusedChanges(current.Config, config));
            }

            if (await TryUpdateAsync(current, config, origin, effects, force, cancellationToken).ConfigureAwait(false) is { } status)
            {
                return status;
            }
        }

        throw new TenantConflictException("id", $"Tenant '{id}' was changed by others again and again: try it once more.");
    }

    /// <summary>Takes a tenant away.</summary>
    public async Task<bool> RemoveAsync(TenantId tenantId, bool purge)
    {
        var seen = table.Get(tenantId.Value);
        var entry = AuditEntry.Of(purge ? AuditAction.TenantDeleted : AuditAction.TenantUnregistered, tenantId.Value) with
        {
            Changes = AuditChanges.Of((await FindAsync(tenantId).ConfigureAwait(false) ?? seen?.Record)?.Config, after: null),
        };
        var removal = await store.RemoveAsync(tenantId, purge, entry).ConfigureAwait(false);
        return await stored.RemoveAsync(tenantId, seen, removal).ConfigureAwait(false);
    }

    // Another node may have changed it a moment ago: what is taken away is told as the store has it, where that can be read.
    private async Task<TenantRecord?> FindAsync(TenantId tenantId)
    {
        try
        {
            return (await store.FindAsync(tenantId).ConfigureAwait(false)).Record;
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    private static AuditEntry Registered(TenantRecord record, TenantBeginning beginning) =>
        AuditEntry.Of(AuditAction.TenantRegistered, record.Config.Id) with
        {
            Changes =
            [
                .. AuditChanges.Of(before: null, record.Config),
                .. beginning.Principals.SelectMany(principal => AuditChanges.Told(("principals", principal.Id))),
            ],
        };

    // What an admin has suspended, or nobody knows who, no source revives.
    private static TenantConfig KeepSuspension(TenantRecord current, TenantConfig change, string origin) =>
        current.Config.Status == TenantAdminStatus.Suspended && TenantOrigin.IsSource(origin) && current.SuspendedBy != origin
            ? change with
            {
                Status = TenantAdminStatus.Suspended,
            }
            : change;

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
        string origin,
        ChangeEffects effects,
        bool force,
        CancellationToken cancellationToken
    )
    {
        var record = current.Record with
        {
            Config = config,
            SuspendedBy =
                config.Status != TenantAdminStatus.Suspended ? null
                : current.IsSuspended ? current.Record.SuspendedBy
                : origin,
        };
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

        var isOurs = !ReferenceEquals(platform, current.Platform);
        try
        {
            var entry = AuditEntry.Of(AuditAction.Of(current.Config, config), config.Id) with
            {
                Changes = AuditChanges.Of(current.Config, config),
            };
            switch (await store.UpdateAsync(record, keepCheck, entry).ConfigureAwait(false))
            {
                case TenantWrite.Written(var version):
                    isOurs = false;
                    await table
                        .SwapAsync(
                            new TenantModel(record with { Version = version }, platform),
                            keepCheck ? TenantSwap.KeepCheck : TenantSwap.Whole
                        )
                        .ConfigureAwait(false);
                    logger.TenantUpdated(config.Id, version);
                    await checks.ResumeAsync(current.Id, record.Check, cancellationToken).ConfigureAwait(false);

                    return StatusOf(current.Id) ?? throw new TenantNotFoundException(current.Id);
                case TenantWrite.Exists(var changed):
                    await stored.ApplyAsync(changed, cancellationToken).ConfigureAwait(false);
                    return null;
                case TenantWrite.Missing(var tombstone):
                    await stored.RemoveAsync(current.Id, current, new(Existed: false, tombstone)).ConfigureAwait(false);
                    throw new TenantNotFoundException(current.Id);
                case var refused:
                    throw RefusedWrite.Explain(refused, current.Id);
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

    private async Task<(TenantRecord Record, PlatformInstance? Platform)> ProbeChangeAsync(
        TenantModel current,
        TenantRecord record,
        PlatformInstance? platform,
        CancellationToken cancellationToken
    )
    {
        var state = table.Find(current.Id)!;
        using var wanted = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, state.Presence);
        var result = await probe.RunAsync(record.Config, platform, wanted.Token).ConfigureAwait(false);
        if (result.Validation is TenantValidation.Valid && !cancellationToken.IsCancellationRequested)
        {
            return (record with { Check = new(TenantHealth.Healthy, null, time.GetUtcNow()) }, result.Platform);
        }

        if (result.Platform is { } unused && !ReferenceEquals(unused, platform))
        {
            await unused.ReleaseAsync().ConfigureAwait(false);
        }

        cancellationToken.ThrowIfCancellationRequested();
        throw state.Model is null ? new TenantNotFoundException(current.Id) : new TenantValidationException(result.Validation);
    }

    /// <summary>Nobody can register what an id implies, but somebody may have had it before there was a base domain.</summary>
    private void RefuseIfSquatted(TenantId id)
    {
        if (
            baseDomain is not null
            && table.TryFindUrl($"{id}.{baseDomain}", default, out var match)
            && match.Tenant is var squatter
            && squatter.Id != id
        )
        {
            throw new TenantConflictException(
                "id",
                $"'{id}.{baseDomain}', for which the id stands, belongs to tenant '{squatter.Id}': take that URL from it first, or "
                    + "choose another id."
            );
        }
    }

    private TenantStatus? StatusOf(TenantId id) => table.Get(id.Value)?.ToStatus();

    private static string NewEpoch() => Guid.NewGuid().ToString("N");
}

using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Validation;

namespace Tenancy.Registry;

/// <summary>
/// Checks tenants: their first validation, rechecks, and what a check that found something changes. Of one tenant one check runs at a time.
/// </summary>
internal sealed class TenantChecks(
    TenantTable table,
    ITenantStore store,
    TenantProbe probe,
    CheckWriter writer,
    bool autoValidate,
    TimeProvider time,
    ILogger logger,
    TenancyMetrics? metrics
)
{
    /// <inheritdoc cref="RecheckAsync(TenantId, bool, CancellationToken)"/>
    public Task<TenantStatus> RecheckAsync(TenantId tenantId, CancellationToken cancellationToken = default) =>
        RecheckAsync(tenantId, rebuild: false, cancellationToken);

    /// <summary>Validates a tenant now. Callers that come while a validation runs share the next one.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="rebuild">Whether its platform is built anew, because what that was built from may have changed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TenantNotFoundException">There is no such tenant, or it was unregistered meanwhile.</exception>
    public async Task<TenantStatus> RecheckAsync(TenantId tenantId, bool rebuild, CancellationToken cancellationToken)
    {
        if (table.Find(tenantId) is not { Model: not null } state)
        {
            throw new TenantNotFoundException(tenantId);
        }

        if (rebuild)
        {
            state.AskForPlatform();
        }

        await state.CheckAsync(() => CheckAsync(tenantId, state)).WaitAsync(cancellationToken).ConfigureAwait(false);
        return state.Model?.ToStatus() ?? throw new TenantNotFoundException(tenantId);
    }

    /// <summary>
    /// Validates a tenant whose time it is, unless another node does, or has done so meanwhile: then its result is taken over.
    /// </summary>
    /// <returns>Whether a result is there that is later than what was known.</returns>
    /// <exception cref="TenantNotFoundException">There is no such tenant.</exception>
    public async Task<bool> RecheckInTurnAsync(TenantId tenantId, CancellationToken cancellationToken)
    {
        var tenant = table.Get(tenantId.Value) ?? throw new TenantNotFoundException(tenantId);
        var claim = await ClaimAsync(tenant).ConfigureAwait(false);
        if (claim.IsClaimed)
        {
            try
            {
                await RecheckAsync(tenantId, cancellationToken).ConfigureAwait(false);
                return true;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // This node stops. Another one need not wait until the claim is gone by itself.
                await ReleaseAsync(tenantId).ConfigureAwait(false);
                throw;
            }
        }

        return claim.Later is var (version, check)
            && version == tenant.Version
            && await table.SetStoredCheckAsync(tenant, check).ConfigureAwait(false) is not null;
    }

    /// <summary>Begins the first check of a tenant that is in place, and waits for it, or only for as long as its own code runs.</summary>
    public async Task BeginAsync(TenantId id, bool wait, CancellationToken cancellationToken)
    {
        if (!autoValidate)
        {
            logger.NotValidated(id.Value);
            return;
        }

        var (state, progress) = (table.Find(id)!, new CheckProgress());
        var first = state.CheckAsync(() => CheckAsync(id, state, progress), progress);
        await (wait ? first.WaitAsync(cancellationToken) : progress.SettleAsync(first)).ConfigureAwait(false);
    }

    /// <summary>
    /// After a change: a check that ran meanwhile is dropped, so that a tenant that still waits for its first one is checked again.
    /// </summary>
    public async Task ResumeAsync(TenantId id, TenantCheck written, CancellationToken cancellationToken)
    {
        if (table.Get(id.Value) is not { } model)
        {
            return;
        }

        if (model.Health == TenantHealth.Pending)
        {
            await BeginAsync(id, wait: false, cancellationToken).ConfigureAwait(false);
        }
        else if (model.Record.Check != written)
        {
            writer.Enqueue(table.Find(id)!);
        }
    }

    /// <summary>Gets how many tenants have a health that is on its way to the store.</summary>
    public int Writing => writer.Count;

    /// <summary>Waits until the store has the health that the tenants have.</summary>
    public Task FlushAsync() => writer.FlushAsync();

    private static string NameOf(TenantValidation validation) =>
        validation switch
        {
            TenantValidation.Valid => "valid",
            TenantValidation.Transient => "transient",
            _ => "permanent",
        };

    private async Task<RecheckClaim> ClaimAsync(TenantModel tenant)
    {
        try
        {
            return await store.ClaimRecheckAsync(tenant.Record, probe.Longest).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // Nodes that cannot agree check by themselves.
            return new(IsClaimed: true, Later: null);
        }
    }

    private async Task ReleaseAsync(TenantId id)
    {
        try
        {
            await store.ReleaseRecheckAsync(id).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // It ends by itself.
        }
    }

    /// <summary>
    /// The one place where a check changes a tenant's health. A result for a configuration that is not current any more is dropped.
    /// </summary>
    private async Task CheckAsync(TenantId id, TenantState state, CheckProgress? progress = null)
    {
        var before = state.Model ?? throw new TenantNotFoundException(id);
        if (before.Record.IsUnreadable || before.Config.Secrets?.Ciphertext is not null)
        {
            // No check could find more than that. And what this node cannot decrypt another one may: it must not be told that the tenant
            // is disabled.
            return;
        }

        // Of two checks the one that began later knows more, whichever ends last: one may hang while a tenant is mended.
        var began = time.GetUtcNow();
        var presence = before.IsSuspended ? CancellationToken.None : state.Presence;
        var result = await probe
            .RunAsync(before.Config, state.TakeAskForPlatform() ? null : before.Platform, presence, progress)
            .ConfigureAwait(false);
        metrics?.Recheck(id.Value, NameOf(result.Validation));
        if (await table.SetCheckAsync(state, before, result, began).ConfigureAwait(false) is not var (last, after))
        {
            if (state.Model is null)
            {
                throw new TenantNotFoundException(id);
            }

            return;
        }

        if (after.Health != last.Health)
        {
            logger.TenantHealthChanged(
                id.Value,
                after.Health.ToString(),
                last.Health.ToString(),
                after.Record.Check.Reason ?? "it passed its checks."
            );
        }

        writer.Enqueue(state);
    }
}

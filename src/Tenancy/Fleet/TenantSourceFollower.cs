using Microsoft.Extensions.Logging;
using Tenancy.Administration;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;

namespace Tenancy.Fleet;

/// <summary>Makes the tenants that a source gave those that it gives now.</summary>
internal sealed class TenantSourceFollower(
    ITenantSource source,
    ITenantAdministration administration,
    TenantRegistry registry,
    TimeProvider time,
    ILogger<TenantSourceFollower> logger
)
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(30);
    private readonly TenantRegistrationOptions _registration = new()
    {
        Creation = TenantCreation.Adopt,
        Origin = TenantOrigin.Source(source.GetType()),
    };

    /// <summary>Gets the source's name, for the log.</summary>
    public string Name => source.GetType().Name;

    /// <summary>Follows the source until the server stops.</summary>
    /// <param name="firstPass">The first pass, which may still run; its result says whether it went through.</param>
    /// <param name="stopping">Ends it.</param>
    public async Task RunAsync(Task<bool> firstPass, CancellationToken stopping)
    {
        var isUpToDate = await firstPass.ConfigureAwait(false);
        while (!stopping.IsCancellationRequested)
        {
            await WaitAsync(isUpToDate, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            isUpToDate = !stopping.IsCancellationRequested && await TryFollowAsync(stopping).ConfigureAwait(false);
        }
    }

    /// <summary>Applies the source once. What cannot be applied does not stop the rest.</summary>
    /// <returns>Whether all of it was applied.</returns>
    public async Task<bool> TryFollowAsync(CancellationToken cancellationToken)
    {
        AuditActor.Become(new(_registration.Origin));
        try
        {
            // What the source does not give any more is taken away: of those that were here before it was asked. Another node may register
            // a later one meanwhile.
            var before = registry.List().Select(tenant => tenant.Config.Id).Where(IsOurs).ToArray();
            var given = new HashSet<string>(StringComparer.Ordinal);
            var isComplete = true;
            await foreach (var tenant in source.LoadAsync(cancellationToken).ConfigureAwait(false))
            {
                given.Add(tenant.Tenant.Id);
                isComplete &= await TryAsync(tenant.Tenant.Id, () => ApplyAsync(tenant, cancellationToken)).ConfigureAwait(false);
            }

            foreach (var gone in before.Where(id => !given.Contains(id) && IsOurs(id)))
            {
                isComplete &= await TryAsync(gone, () => administration.UnregisterAsync(TenantId.Parse(gone), CancellationToken.None))
                    .ConfigureAwait(false);
            }

            return isComplete;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.SourceFailed(exception, Name);
            return false;
        }
    }

    private async Task ApplyAsync(TenantRegistration tenant, CancellationToken cancellationToken)
    {
        var known = registry.Get(tenant.Tenant.Id);
        if (known is not null && IsOurs(tenant.Tenant.Id) && IsAnothers(known.Record, tenant))
        {
            // The source says that the id is another customer's now: the former tenant is taken away, and the new one must not get its
            // data.
            await administration.UnregisterAsync(known.Id, CancellationToken.None).ConfigureAwait(false);
            known = null;
        }

        if (known is null)
        {
            await administration.RegisterAsync(tenant, _registration, cancellationToken).ConfigureAwait(false);
        }
        else if (IsOurs(tenant.Tenant.Id))
        {
            await administration
                .UpdateAsync(
                    known.Id,
                    current => tenant.Tenant.WithSecretsOf(current),
                    new() { Origin = _registration.Origin },
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
        else
        {
            throw new TenantConflictException("id", $"Tenant '{tenant.Tenant.Id}' was not registered by this source.");
        }
    }

    private static bool IsAnothers(TenantRecord known, TenantRegistration given) =>
        known.Owner is { } before && given.Owner is { } now && before != now;

    private bool IsOurs(string tenantId) => registry.Get(tenantId)?.Record.Origin == _registration.Origin;

    private async Task<bool> TryAsync(string tenantId, Func<Task> apply)
    {
        try
        {
            await apply().ConfigureAwait(false);
            return true;
        }
        catch (Exception exception)
            when (exception is TenantConfigException or TenantConflictException or TenantValidationException or TenantNotFoundException)
        {
            logger.SourceTenantFailed(exception, tenantId, Name);
            return false;
        }
    }

    private async Task WaitAsync(bool isUpToDate, CancellationToken stopping)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        // On a thread of its own: a source may block it, or throw at once.
        var change = Task.Run(() => source.WaitForChangeAsync(enough.Token), CancellationToken.None);
        var retry = Task.Delay(isUpToDate ? Timeout.InfiniteTimeSpan : RetryInterval, time, enough.Token);
        var first = await Task.WhenAny(change, retry).ConfigureAwait(false);
        // What the source throws as it is told so does not end the waiting for its changes.
        await enough.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (first == change && change.IsFaulted)
        {
            // Waiting for a change has failed: the source is asked again after a while.
            logger.SourceFailed(change.Exception!.GetBaseException(), Name);
            await Task.Delay(RetryInterval, time, stopping).ConfigureAwait(false);
        }
    }
}

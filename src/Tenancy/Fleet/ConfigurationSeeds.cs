using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Tenancy.Administration;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;

namespace Tenancy.Fleet;

/// <summary>Registers the tenants of the configuration that the store has never seen, and follows the file while the server runs.</summary>
/// <remarks>
/// A tenant that is deleted, unregistered or suspended stays so, and one that leaves the file stays registered. In Development only a store
/// that holds no tenant is seeded.
/// </remarks>
internal sealed class ConfigurationSeeds(
    TenancyConfiguration configuration,
    IOptions<TenancyOptions> options,
    IOptionsFactory<TenancyOptions> factory,
    ITenantAdministration administration,
    TenantRegistry registry,
    IHostEnvironment environment,
    ILogger<ConfigurationSeeds> logger
) : IDisposable
{
    private static readonly TenantRegistrationOptions Registration = new()
    {
        Creation = TenantCreation.Seed,
        Origin = TenantOrigin.Configuration,
    };

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly IReadOnlyList<TenantRegistration> _tenants = options.Value.Tenants;

    // What the file said last of each id. An id that leaves the file is kept here, so that a change of it is seen when it comes back.
    private readonly Dictionary<string, TenantConfig> _said = options.Value.Tenants.ToDictionary(
        seed => seed.Tenant.Id,
        seed => seed.Tenant,
        StringComparer.Ordinal
    );
    private IDisposable? _watch;
    private bool _isSeeding;

    /// <summary>Seeds once, when the store's tenants were loaded.</summary>
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public async Task SeedAsync(CancellationToken cancellationToken)
    {
        // A store that went away while it was seeded holds some of the seeds: the others are still due.
        _isSeeding |= !environment.IsDevelopment() || registry.Count == 0;
        if (_isSeeding)
        {
            StoreUnavailableException? away = null;
            foreach (var seed in _tenants)
            {
                try
                {
                    await TryAsync(seed, isChange: false, cancellationToken).ConfigureAwait(false);
                }
                catch (StoreUnavailableException exception)
                {
                    // In a cluster only the slot of this tenant may be away: go on with the others. The next start finishes what was begun,
                    // too.
                    away ??= exception;
                }
            }

            if (away is not null)
            {
                ExceptionDispatchInfo.Throw(away);
            }
        }
    }

    /// <summary>Follows the configuration from now on.</summary>
    // Elsewhere: reading the options runs the application's code, for which whoever watches the file, and tells others, is not to wait.
    public void Watch(CancellationToken stopping) => _watch ??= ChangeToken.OnChange(configuration.GetReloadToken, () =>
        {
            _ = Task.Run(() => FollowAsync(stopping), CancellationToken.None);
        });

    public void Dispose()
    {
        _watch?.Dispose();
        _turn.Dispose();
    }

    private async Task FollowAsync(CancellationToken stopping)
    {
        try
        {
            await _turn.WaitAsync(stopping).ConfigureAwait(false);
            try
            {
                // With the settings that the application has in code, and validated: a file with mistakes changes nothing.
                await ApplyAsync(factory.Create(Options.DefaultName).Tenants, stopping).ConfigureAwait(false);
            }
            finally
            {
                _turn.Release();
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            logger.ConfigurationNotFollowed(exception);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task ApplyAsync(IReadOnlyList<TenantRegistration> tenants, CancellationToken cancellationToken)
    {
        foreach (var seed in tenants)
        {
            var isKnown = _said.TryGetValue(seed.Tenant.Id, out var before);
            if (!isKnown || !before!.Equals(seed.Tenant))
            {
                await TryAsync(seed, isKnown, cancellationToken).ConfigureAwait(false);
                _said[seed.Tenant.Id] = seed.Tenant;
            }
        }
    }

    private async Task TryAsync(TenantRegistration seed, bool isChange, CancellationToken cancellationToken)
    {
        AuditActor.Become(new(TenantOrigin.Configuration));
        try
        {
            if (registry.Get(seed.Tenant.Id) is not { } current)
            {
                await administration.RegisterAsync(seed, Registration, cancellationToken).ConfigureAwait(false);
            }
            else if (isChange && !current.IsSuspended && current.Record.Origin == TenantOrigin.Configuration)
            {
                await administration
                    .UpdateAsync(current.Id, tenant => seed.Tenant.WithSecretsOf(tenant), options: null, cancellationToken)
                    .ConfigureAwait(false);
            }
        }
        catch (TenantConflictException conflict) when (conflict.IsOfTombstone)
        {
            // An admin took it away: that it is still in the file is no error.
        }
        catch (Exception exception)
            when (exception is TenantConfigException or TenantConflictException or TenantValidationException or TenantNotFoundException)
        {
            logger.SeedFailed(exception, seed.Tenant.Id);
        }
    }
}

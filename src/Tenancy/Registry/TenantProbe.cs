using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Validation;

namespace Tenancy.Registry;

/// <summary>Finds out whether a tenant can be served: builds its platform where it has none, then asks the validators. It never throws, and never hangs.</summary>
internal sealed class TenantProbe(IPlatformFactory platforms, IEnumerable<ITenantValidator> validators, TimeProvider time, ILogger<TenantProbe> logger)
{
    /// <summary>What a platform or a validator may take. One that does not end in time is left alone, and costs its tenant this check.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly ITenantValidator[] _validators = [.. validators];

    public bool HasValidators => _validators.Length > 0;

    /// <summary>Checks a tenant. Where nothing has to be waited for, the result is there at once.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="platform">The instance that it has; null to build one.</param>
    /// <param name="cancellationToken">Ends the wait, because nobody is interested any more.</param>
    public async Task<TenantProbeResult> RunAsync(TenantConfig tenant, PlatformInstance? platform, CancellationToken cancellationToken)
    {
        var built = platform;
        if (built is null)
        {
            var (instance, failure) = await BuildAsync(tenant, cancellationToken).ConfigureAwait(false);
            if (failure is not null)
            {
                return new(failure, null);
            }

            built = instance;
        }

        TenantValidation worst = TenantValidation.Valid.Instance;
        foreach (var validator in _validators)
        {
            worst = Worse(worst, await ValidateAsync(validator, tenant, cancellationToken).ConfigureAwait(false));
        }

        return new(worst, built);
    }

    /// <summary>Builds a platform without asking the validators, as when a stored tenant is loaded.</summary>
    public async Task<(PlatformInstance? Platform, TenantValidation? Failure)> BuildAsync(TenantConfig tenant, CancellationToken cancellationToken)
    {
        Task<PlatformInstance>? building = null;
        try
        {
            using var limit = new Limit(time, cancellationToken);
            building = platforms.CreateAsync(tenant, limit.Token);
            return (await building.WaitAsync(limit.Token).ConfigureAwait(false), null);
        }
        catch (OperationCanceledException)
        {
            // It may yet be built: nobody waits for it, so that it goes as soon as it is there.
            _ = building?.ContinueWith(
                static late => late.IsCompletedSuccessfully ? late.Result.ReleaseAsync().AsTask() : Task.CompletedTask, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return (null, new TenantValidation.Transient($"The platform '{tenant.Platform}' was not built within {Timeout.TotalSeconds:0} seconds."));
        }
        catch (Exception exception)
        {
            logger.PlatformFailed(exception, tenant.Id, tenant.Platform);
            return (null, new TenantValidation.Permanent(PublicReason.Clean(exception.Message)));
        }
    }

    private async ValueTask<TenantValidation> ValidateAsync(ITenantValidator validator, TenantConfig tenant, CancellationToken cancellationToken)
    {
        try
        {
            using var limit = new Limit(time, cancellationToken);
            var validating = validator.ValidateAsync(tenant, limit.Token);
            var result = validating.IsCompletedSuccessfully ? validating.Result : await validating.AsTask().WaitAsync(limit.Token).ConfigureAwait(false);
            return result switch
            {
                TenantValidation.Transient(var reason) => new TenantValidation.Transient(PublicReason.Clean(reason)),
                TenantValidation.Permanent(var reason) => new TenantValidation.Permanent(PublicReason.Clean(reason)),
                TenantValidation.Valid valid => valid,
                _ => new TenantValidation.Transient($"{validator.GetType().Name} gave no result."),
            };
        }
        catch (OperationCanceledException)
        {
            return new TenantValidation.Transient($"{validator.GetType().Name} did not end within {Timeout.TotalSeconds:0} seconds.");
        }
        catch (Exception exception)
        {
            // The message of an exception that nobody foresaw is for the log alone.
            logger.ValidatorFailed(exception, validator.GetType().Name, tenant.Id);
            return new TenantValidation.Transient($"{validator.GetType().Name} failed with {exception.GetType().Name}.");
        }
    }

    private static TenantValidation Worse(TenantValidation left, TenantValidation right) =>
        left is TenantValidation.Permanent || right is TenantValidation.Valid ? left
        : right is TenantValidation.Permanent || left is TenantValidation.Valid ? right
        : left;

    /// <summary>A token that the caller or the clock cancels, whichever is first.</summary>
    private sealed class Limit : IDisposable
    {
        private readonly CancellationTokenSource _clock;
        private readonly CancellationTokenSource _both;

        public Limit(TimeProvider time, CancellationToken cancellationToken)
        {
            _clock = new(Timeout, time);
            _both = CancellationTokenSource.CreateLinkedTokenSource(_clock.Token, cancellationToken);
        }

        public CancellationToken Token => _both.Token;

        public void Dispose()
        {
            _both.Dispose();
            _clock.Dispose();
        }
    }
}

/// <summary>What a check found, and the platform's instance where there is one.</summary>
internal readonly record struct TenantProbeResult(TenantValidation Validation, PlatformInstance? Platform);

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Validation;

namespace Tenancy.Registry;

/// <summary>
/// Finds out whether a tenant can be served: builds its platform where it has none, then asks the validators. It never throws, and never
/// hangs.
/// </summary>
internal sealed class TenantProbe(
    IPlatformFactory platforms,
    IEnumerable<ITenantValidator> validators,
    IOptions<TenancyOptions> options,
    TimeProvider time,
    ILogger<TenantProbe> logger
)
{
    private readonly ITenantValidator[] _validators = [.. validators];

    public bool HasValidators => _validators.Length > 0;

    /// <summary>
    /// The longest that a check takes: the platform and each validator have their time, and there is as much to say what was found.
    /// </summary>
    public TimeSpan Longest => ForeignCode.Timeout * (_validators.Length + 2);

    /// <summary>Checks a tenant.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="platform">The instance that it has; null to build one.</param>
    /// <param name="cancellationToken">Ends the wait, because nobody is interested any more.</param>
    /// <param name="progress">Is told where the check waits.</param>
    public async Task<TenantProbeResult> RunAsync(
        TenantConfig tenant,
        PlatformInstance? platform,
        CancellationToken cancellationToken,
        CheckProgress? progress = null
    )
    {
        var built = platform;
        if (built is null)
        {
            var (instance, failure) = await BuildAsync(tenant, cancellationToken, progress).ConfigureAwait(false);
            if (failure is not null)
            {
                return new(failure, null);
            }

            built = instance;
        }

        TenantValidation worst = TenantValidation.Valid.Instance;
        foreach (var validator in _validators)
        {
            worst = Worse(worst, await ValidateAsync(validator, tenant, progress, cancellationToken).ConfigureAwait(false));
        }

        return new(worst, built);
    }

    /// <summary>Builds a platform without asking the validators, as when a stored tenant is loaded.</summary>
    public async Task<(PlatformInstance? Platform, TenantValidation? Failure)> BuildAsync(
        TenantConfig tenant,
        CancellationToken cancellationToken,
        CheckProgress? progress = null
    )
    {
        // The public URL may have changed since the tenant was stored.
        if (PublicUrlIds.Explain(tenant.Id, options.Value) is { } taken)
        {
            return (null, new TenantValidation.Permanent($"id: {taken}.") { Field = "id" });
        }

        try
        {
            using var code = new ForeignCode(time, cancellationToken);

            // A platform that is there too late for this check goes as soon as it is there.
            var platform = await code.CallAsync(
                    token => platforms.CreateAsync(tenant, token),
                    progress,
                    static late => _ = late.ReleaseAsync().AsTask()
                )
                .ConfigureAwait(false);
            return (platform, null);
        }
        catch (OperationCanceledException)
        {
            var reason = $"The platform '{tenant.Platform}' was not built within {ForeignCode.Timeout.TotalSeconds:0} seconds.";
            return (null, new TenantValidation.Transient(reason) { Field = "platform" });
        }
        catch (Exception exception)
        {
            logger.PlatformFailed(exception, tenant.Id, tenant.Platform);
            return (null, new TenantValidation.Permanent(PublicReason.Clean(exception.Message)) { Field = "settings" });
        }
    }

    private async Task<TenantValidation> ValidateAsync(
        ITenantValidator validator,
        TenantConfig tenant,
        CheckProgress? progress,
        CancellationToken cancellationToken
    )
    {
        try
        {
            using var code = new ForeignCode(time, cancellationToken);
            var result = await code.CallAsync(token => validator.ValidateAsync(tenant, token).AsTask(), progress).ConfigureAwait(false);
            return result switch
            {
                { IsClean: true } ours => ours,
                TenantValidation.Transient theirs => theirs with { Reason = PublicReason.Clean(theirs.Reason) },
                TenantValidation.Doubtful theirs => theirs with { Reason = PublicReason.Clean(theirs.Reason) },
                TenantValidation.Permanent theirs => theirs with { Reason = PublicReason.Clean(theirs.Reason) },
                TenantValidation.Valid valid => valid,
                _ => new TenantValidation.Transient($"{validator.GetType().Name} gave no result."),
            };
        }
        catch (OperationCanceledException)
        {
            return new TenantValidation.Transient(
                $"{validator.GetType().Name} did not end within {ForeignCode.Timeout.TotalSeconds:0} seconds."
            );
        }
        catch (Exception exception)
        {
            // The message of an exception that nobody foresaw is for the log alone.
            logger.ValidatorFailed(exception, validator.GetType().Name, tenant.Id);
            return new TenantValidation.Transient($"{validator.GetType().Name} failed with {exception.GetType().Name}.");
        }
    }

    private static TenantValidation Worse(TenantValidation left, TenantValidation right) => Rank(right) > Rank(left) ? right : left;

    private static int Rank(TenantValidation validation) =>
        validation switch
        {
            TenantValidation.Permanent => 3,
            TenantValidation.Doubtful => 2,
            TenantValidation.Transient => 1,
            _ => 0,
        };
}

/// <summary>What a check found, and the platform's instance where there is one.</summary>
internal readonly record struct TenantProbeResult(TenantValidation Validation, PlatformInstance? Platform);

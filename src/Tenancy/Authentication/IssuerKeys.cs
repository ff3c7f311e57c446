using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Outbound;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// The keys of one tenant's issuer. The first request that needs them loads them, and the others wait for the same load. While the issuer
/// is away, no request waits twice. Keys that are known serve until they are too old; keys that the issuer took back do not.
/// </summary>
internal sealed class IssuerKeys(
    TenantId tenantId,
    TenantAuthentication authentication,
    IssuerMetadata metadata,
    TimeProvider time,
    ILogger logger
)
{
    /// <summary>The age at which keys are loaded anew, while the known ones serve.</summary>
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The age beyond which a request waits for the new ones, as after a quiet time: a key that was removed stops by then.
    /// </summary>
    public static readonly TimeSpan MaximumAge = TimeSpan.FromMinutes(15);

    /// <summary>The pause after a load that failed.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);

    /// <summary>The pause between loads that tokens can cause whose key is not known, or whose signature none of the keys made.</summary>
    public static readonly TimeSpan UnknownKeyInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private volatile Known? _known;
    private volatile Known? _aside;
    private volatile Failure? _failure;
    private Task _loading = Task.CompletedTask;
    private long _endedAt;
    private long _takenFrom = long.MinValue;
    private bool _hasEnded;

    public TenantAuthentication Authentication { get; } = authentication;

    /// <summary>
    /// How long what was checked with the known keys may be believed, so that a removed key stops at <see cref="MaximumAge"/>. Little while
    /// the issuer is away.
    /// </summary>
    public TimeSpan Belief =>
        _known is { } known && MaximumAge - time.GetElapsedTime(known.LoadedAt) is var left && left > RetryInterval ? left : RetryInterval;

    /// <summary>The load that runs, or the last one.</summary>
    internal Task Loading
    {
        get
        {
            lock (_lock)
            {
                return _loading;
            }
        }
    }

    /// <exception cref="IssuerUnavailableException">There are no keys.</exception>
    public Task<IssuerKeySet> GetAsync(CancellationToken cancel) =>
        _known is { } known && time.GetElapsedTime(known.LoadedAt) < RefreshInterval ? known.Keys : RenewAsync(cancel);

    /// <summary>Loads the keys anew because a token was signed with none of them, unless that was done just now.</summary>
    /// <remarks>An issuer may have put another key in the place of one, under the same id.</remarks>
    /// <returns>Whether there are new ones.</returns>
    public async Task<bool> TryRenewAsync(CancellationToken cancellationToken)
    {
        var before = _known;
        await Load(UnknownKeyInterval).WaitAsync(cancellationToken).ConfigureAwait(false);
        return _known is { } after && !ReferenceEquals(before, after);
    }

    /// <summary>
    /// The keys for a question that changes nothing: those that serve, or else those that the issuer has now, which do not serve by that.
    /// </summary>
    /// <param name="areNew">Whether those that serve have been looked at.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="IssuerUnavailableException">The issuer has none, or is away.</exception>
    public async Task<IssuerKeySet> PeekAsync(bool areNew, CancellationToken cancellationToken)
    {
        if (!areNew && _known is { } known && time.GetElapsedTime(known.LoadedAt) < RefreshInterval)
        {
            return await known.Keys.ConfigureAwait(false);
        }

        if (_aside is { } aside && time.GetElapsedTime(aside.LoadedAt) < RetryInterval)
        {
            return await aside.Keys.ConfigureAwait(false);
        }

        try
        {
            var keys = await metadata.LoadAsync(Authentication, cancellationToken).ConfigureAwait(false);
            _aside = new(Task.FromResult(keys), time.GetTimestamp());
            return keys;
        }
        catch (FetchException) when (!areNew && _known is not null)
        {
            // While the issuer is away, the keys that are known go on to serve.
            return await _known.Keys.ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is FetchException or IssuerRejectedException)
        {
            throw new IssuerUnavailableException(exception.Message);
        }
    }

    /// <summary>
    /// Takes the keys that a check has read. It is no load of this one's own: a token that is signed with another key may still cause one.
    /// </summary>
    /// <param name="keys">The keys.</param>
    /// <param name="begunAt">When the check began to read them.</param>
    public void Learn(IssuerKeySet keys, long begunAt)
    {
        Take(keys, begunAt);
        _failure = null;
    }

    // Of two loads the one that began later has read what is so later.
    private void Take(IssuerKeySet? keys, long begunAt)
    {
        lock (_lock)
        {
            if (begunAt >= _takenFrom)
            {
                _takenFrom = begunAt;
                _known = keys is null ? null : new(Task.FromResult(keys), time.GetTimestamp());
            }
        }
    }

    private async Task<IssuerKeySet> RenewAsync(CancellationToken cancellationToken)
    {
        // After a load that failed just now, the keys that are known go on to serve.
        var isAway = _failure is { } failure && time.GetElapsedTime(failure.At) < RefreshInterval;
        var mustWait = _known is not { } known || (time.GetElapsedTime(known.LoadedAt) >= MaximumAge && !isAway);
        var loading = Load(RetryInterval);
        if (mustWait)
        {
            await loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        return _known is { } current
            ? await current.Keys.ConfigureAwait(false)
            : throw new IssuerUnavailableException(_failure?.Reason ?? "The keys are not loaded");
    }

    /// <summary>The load that runs, or a new one; nothing to wait for within the pause after the last one.</summary>
    private Task Load(TimeSpan pause)
    {
        lock (_lock)
        {
            if (_loading.IsCompleted && !(_hasEnded && time.GetElapsedTime(_endedAt) < pause))
            {
                // Not with the token of a request: others join this load, so that it goes on when the request that began it ends.
                _loading = Task.Run(LoadAsync);
            }

            return _loading;
        }
    }

    private async Task LoadAsync()
    {
        var begunAt = time.GetTimestamp();
        try
        {
            Take(await metadata.LoadAsync(Authentication, CancellationToken.None).ConfigureAwait(false), begunAt);
            _failure = null;
        }
        catch (Exception exception)
        {
            if (exception is IssuerRejectedException)
            {
                Take(keys: null, begunAt);
            }

            // The message of an exception that nobody foresaw is for the log alone.
            var reason = exception is FetchException or IssuerRejectedException ? exception.Message : exception.GetType().Name;
            _failure = new(reason, time.GetTimestamp());
            logger.KeysNotLoaded(exception is FetchException or IssuerRejectedException ? null : exception, tenantId.Value, reason);
        }
        finally
        {
            lock (_lock)
            {
                _endedAt = time.GetTimestamp();
                _hasEnded = true;
            }
        }
    }

    private sealed record Known(Task<IssuerKeySet> Keys, long LoadedAt);

    private sealed record Failure(string Reason, long At);
}

using Microsoft.Extensions.Caching.Hybrid;

namespace Tenancy.State;

/// <summary>Who shares a cached value.</summary>
public enum CacheSharing
{
    /// <summary>All callers of the tenant.</summary>
    Tenant,

    /// <summary>All callers of the call's account.</summary>
    Account,

    /// <summary>The caller alone.</summary>
    Caller,
}

/// <summary>
/// A cache whose values belong to one tenant, and within it to whom the handler says. Whatever the handler's key is, it finds nothing of
/// others.
/// </summary>
/// <remarks>
/// What a tenant cached is forgotten when its configuration changes, because the version of the configuration is a part of each key. So is
/// a random text of its registration: a store that has lost its last changes gives a version twice.
/// </remarks>
public sealed class TenantCache
{
    private const string NoAccount = "This call has no account, so that nothing can be cached for it.";

    private readonly HybridCache _cache;
    private readonly string _tenant;
    private readonly string? _account;
    private readonly string _caller;
    private readonly Action _throwIfEnded;

    internal TenantCache(
        HybridCache cache,
        string tenantId,
        long version,
        string epoch,
        string? accountHash,
        string callerHash,
        Action throwIfEnded
    )
    {
        _cache = cache;
        _tenant = $"{tenantId}|{version}|{epoch}";
        _account = accountHash;
        _caller = callerHash;
        _throwIfEnded = throwIfEnded;
    }

    /// <summary>Gives the value of a key, and makes it where it is not there. Of several that ask at once one makes it.</summary>
    /// <param name="key">Any text.</param>
    /// <param name="create">
    /// Makes the value. Its token is cancelled when nobody waits for the value any more: use that one, and not the call's, so that the
    /// value is made for the others when this call's client goes.
    /// </param>
    /// <param name="sharing">Who shares the value.</param>
    /// <param name="expiration">How long the value is good. Default: five minutes.</param>
    /// <param name="cancellationToken">Ends the wait, unless it is this call that makes the value for others.</param>
    /// <exception cref="InvalidOperationException">
    /// The call has ended, or it has no account and the value is to be the account's.
    /// </exception>
    public async ValueTask<T> GetOrCreateAsync<T>(
        string key,
        Func<CancellationToken, ValueTask<T>> create,
        CacheSharing sharing = CacheSharing.Caller,
        TimeSpan? expiration = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(create);
        _throwIfEnded();
        var place = Key<T>(key, sharing);
        var options = expiration is null
            ? null
            : new HybridCacheEntryOptions { Expiration = expiration, LocalCacheExpiration = expiration };
        while (true)
        {
            var making = new Making<T>(create);
            try
            {
                return await _cache
                    .GetOrCreateAsync(place, making, static (making, token) => making.RunAsync(token), options, null, cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (MakerLeftException)
            {
                // Who was to make the value left before it began. This call asks anew, and makes it if nobody else does.
                cancellationToken.ThrowIfCancellationRequested();
            }
            finally
            {
                // The cache goes on for those who still wait, with what this call has. The call must not end before that.
                await making.LeaveAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Forgets the value of a key.</summary>
    /// <param name="key">The key that the value was made with.</param>
    /// <param name="sharing">Who shares the value.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask RemoveAsync<T>(string key, CacheSharing sharing = CacheSharing.Caller, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        _throwIfEnded();
        return _cache.RemoveAsync(Key<T>(key, sharing), cancellationToken);
    }

    // The handler's key comes last and is hashed, so that no text of it can look like what stands before it.
    private string Key<T>(string key, CacheSharing sharing) =>
        string.Concat(
            _tenant,
            sharing switch
            {
                CacheSharing.Tenant => "|tenant|",
                CacheSharing.Account => $"|account:{_account ?? throw new InvalidOperationException(NoAccount)}|",
                _ => $"|caller:{_caller}|",
            },
            TenantKeyspace.Hash($"{typeof(T)}|{key}")
        );

    /// <summary>The making of a value, by the call that came first.</summary>
    private sealed class Making<T>(Func<CancellationToken, ValueTask<T>> create)
    {
        private readonly Lock _lock = new();
        private TaskCompletionSource? _end;
        private bool _hasLeft;

        public async ValueTask<T> RunAsync(CancellationToken cancellationToken)
        {
            lock (_lock)
            {
                if (_hasLeft)
                {
                    throw new MakerLeftException();
                }

                _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            try
            {
                return await create(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _end.SetResult();
            }
        }

        /// <summary>Waits until the making has ended. One that has not begun does not begin any more.</summary>
        public Task LeaveAsync()
        {
            lock (_lock)
            {
                _hasLeft = true;
                return _end?.Task ?? Task.CompletedTask;
            }
        }
    }

    /// <summary>The call that was to make a value has ended. Others who wait for the value are told so, and nobody else.</summary>
    private sealed class MakerLeftException : Exception;
}

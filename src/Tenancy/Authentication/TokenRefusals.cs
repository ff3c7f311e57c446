using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;

namespace Tenancy.Authentication;

/// <summary>
/// Says in the log why tokens were refused, and remembers for each tenant the last reason of each kind. What callers are told stays one
/// answer for all.
/// </summary>
/// <remarks>
/// Anybody can have tokens refused, so that both are bounded: the log by tenant and minute, the memory by the number of causes. A flood of
/// one cause hides no other.
/// </remarks>
internal sealed class TokenRefusals(TimeProvider time, ILogger<TokenRefusals> logger) : ITenantChangeListener
{
    /// <summary>The events a minute that are logged of one tenant, beside the first one of each cause.</summary>
    public const int EventsPerMinute = 10;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<TenantId, OfTenant> _tenants = new();

    /// <summary>Notes that a token was refused.</summary>
    public void Note(TenantId tenant, TokenRefusal refusal)
    {
        if (_tenants.GetOrAdd(tenant, static _ => new()).TryNote(refusal, time.GetUtcNow(), out var unlogged))
        {
            logger.TokenRefused(tenant.Value, refusal.Cause.ToString(), refusal.Reason, unlogged);
        }
    }

    /// <summary>The last refusal of each cause, the latest first.</summary>
    public IReadOnlyList<RefusedTokens> List(TenantId tenant) => _tenants.TryGetValue(tenant, out var seen) ? seen.List() : [];

    /// <inheritdoc/>
    public void OnTenantChanged(TenantChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (change.After is null)
        {
            _tenants.TryRemove(change.TenantId, out _);
        }
    }

    private sealed class OfTenant
    {
        private readonly Lock _lock = new();

        // The latest last; causes are few.
        private readonly List<RefusedTokens> _last = [];
        private readonly HashSet<RefusalCause> _logged = [];
        private DateTimeOffset _windowEnds;
        private int _events;
        private int _unlogged;

        /// <returns>Whether it is to be logged, and how many before it were not.</returns>
        public bool TryNote(TokenRefusal refusal, DateTimeOffset now, out int unlogged)
        {
            lock (_lock)
            {
                var before = _last.Find(one => one.Cause == refusal.Cause);
                _last.RemoveAll(one => one.Cause == refusal.Cause);
                _last.Add(new(refusal.Cause, refusal.Reason, 1 + (before?.Count ?? 0), now));
                if (now >= _windowEnds)
                {
                    (_windowEnds, _events) = (now + Window, 0);
                    _logged.Clear();
                }

                var isFirst = _logged.Add(refusal.Cause);
                if (!isFirst && _events >= EventsPerMinute)
                {
                    _unlogged++;
                    unlogged = 0;
                    return false;
                }

                (_events, unlogged, _unlogged) = (_events + 1, _unlogged, 0);
                return true;
            }
        }

        public IReadOnlyList<RefusedTokens> List()
        {
            lock (_lock)
            {
                return [.. Enumerable.Reverse(_last)];
            }
        }
    }
}

/// <summary>The tokens that were refused for one cause.</summary>
/// <param name="Cause">The cause.</param>
/// <param name="Reason">Why the last of them was refused.</param>
/// <param name="Count">How many there were since this server started.</param>
/// <param name="LastAt">When the last of them was.</param>
internal sealed record RefusedTokens(RefusalCause Cause, string Reason, long Count, DateTimeOffset LastAt);

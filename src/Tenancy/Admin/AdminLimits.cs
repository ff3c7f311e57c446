using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Admin;

/// <summary>
/// Counts what each admin key asks for, and what each address fails with, on this node and in memory. The two know nothing of each other:
/// whoever guesses keys keeps nobody out who has one.
/// </summary>
internal sealed class AdminLimits(IOptions<TenancyOptions> options, TimeProvider time)
{
    /// <summary>The requests a minute without a valid key that are answered as such; what comes beyond is 429.</summary>
    public const int FailuresPerMinute = 10;

    // An address that is not known while so many are counted is taken for a part of a flood.
    private const int MaxAddresses = 10_000;

    // Of keys there are as many as the settings have.
    private readonly Table _keys = new(int.MaxValue, time);
    private readonly Table _addresses = new(MaxAddresses, time);

    /// <summary>The requests a minute that one key may make; all of them may come at once.</summary>
    public int CallsPerMinute { get; } = options.Value.Admin.RequestsPerMinute;

    /// <summary>Counts a request with a key.</summary>
    /// <returns>How long to wait, where it is one too many.</returns>
    public TimeSpan? Call(AdminKey key) => _keys.Take(key.Id, CallsPerMinute);

    /// <summary>Counts a request without a valid key.</summary>
    /// <returns>How long to wait, where it is one too many.</returns>
    public TimeSpan? Failure(string address) => _addresses.Take(address, FailuresPerMinute);

    private sealed class Table(int most, TimeProvider time)
    {
        private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

        private readonly Lock _lock = new();

        // When all of a subject's requests are there again.
        private readonly Dictionary<string, DateTimeOffset> _full = new(StringComparer.Ordinal);
        private DateTimeOffset _nextSweep;

        // The generic cell rate algorithm: each request moves the time at which all is there again.
        public TimeSpan? Take(string subject, int perMinute)
        {
            var interval = TimeSpan.FromMinutes(1) / perMinute;
            lock (_lock)
            {
                var now = time.GetUtcNow();
                var full = _full.GetValueOrDefault(subject);
                full = (full > now ? full : now) + interval;
                var wait = full - now - TimeSpan.FromMinutes(1);
                if (wait > TimeSpan.Zero)
                {
                    return wait;
                }

                if (_full.Count >= most && !_full.ContainsKey(subject) && !Sweep(now))
                {
                    return TimeSpan.FromMinutes(1);
                }

                _full[subject] = full;
                return null;
            }
        }

        // A subject whose requests are all there again is no different from one that never came. In a flood nobody waits for a look at all
        // of them at each request.
        private bool Sweep(DateTimeOffset now)
        {
            if (now < _nextSweep)
            {
                return false;
            }

            _nextSweep = now + SweepInterval;
            foreach (var (subject, _) in _full.Where(one => one.Value <= now).ToArray())
            {
                _full.Remove(subject);
            }

            return _full.Count < most;
        }
    }
}

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
    private const int MaxSubjects = 10_000;

    private readonly Lock _lock = new();

    // When all of a subject's requests are there again.
    private readonly Dictionary<string, DateTimeOffset> _full = new(StringComparer.Ordinal);

    /// <summary>The requests a minute that one key may make; all of them may come at once.</summary>
    public int CallsPerMinute { get; } = options.Value.Admin.RequestsPerMinute;

    /// <summary>Counts a request with a key.</summary>
    /// <returns>How long to wait, where it is one too many.</returns>
    public TimeSpan? Call(AdminKey key) => Take("key " + key.Id, CallsPerMinute);

    /// <summary>Counts a request without a valid key.</summary>
    /// <returns>How long to wait, where it is one too many.</returns>
    public TimeSpan? Failure(string address) => Take("address " + address, FailuresPerMinute);

    // The generic cell rate algorithm: each request moves the time at which all is there again.
    private TimeSpan? Take(string subject, int perMinute)
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

            if (_full.Count >= MaxSubjects && !_full.ContainsKey(subject) && !Sweep(now))
            {
                return TimeSpan.FromMinutes(1);
            }

            _full[subject] = full;
            return null;
        }
    }

    // A subject whose requests are all there again is no different from one that never came.
    private bool Sweep(DateTimeOffset now)
    {
        foreach (var (subject, _) in _full.Where(one => one.Value <= now).ToArray())
        {
            _full.Remove(subject);
        }

        return _full.Count < MaxSubjects;
    }
}

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.Resolution;

/// <summary>
/// Logs the hosts at which requests are refused, as a proxy that writes over <c>Host</c> makes all of them: one a minute, with the fix.
/// </summary>
internal sealed class RefusedHosts(TimeProvider time, ILogger<RefusedHosts> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Gate _tenants = new();
    private readonly Gate _admin = new();

    public void NoteForTenants(HttpRequest request)
    {
        if (_tenants.MayPass(time.GetTimestamp(), time) is { } others)
        {
            logger.HostRefused(HostOf(request), others);
        }
    }

    public void NoteForAdmin(HttpRequest request)
    {
        if (_admin.MayPass(time.GetTimestamp(), time) is { } others)
        {
            logger.AdminHostRefused(HostOf(request), others);
        }
    }

    // Whoever calls writes it: no more of it than a host can have, and nothing that breaks a line.
    private static string HostOf(HttpRequest request)
    {
        var host = request.Headers.Host.ToString();
        host = host.Length > CanonicalHost.MaxLength ? host[..CanonicalHost.MaxLength] : host;
        return string.Concat(host.Select(one => char.IsControl(one) ? '?' : one));
    }

    /// <summary>Lets one through each minute, and counts the others.</summary>
    private sealed class Gate
    {
        private readonly Lock _lock = new();
        private long? _last;
        private int _others;

        /// <summary>Gives how many did not pass since the last one that did; null where this one does not.</summary>
        public int? MayPass(long now, TimeProvider time)
        {
            lock (_lock)
            {
                if (_last is { } last && time.GetElapsedTime(last, now) < Interval)
                {
                    _others++;
                    return null;
                }

                var others = _others;
                (_last, _others) = (now, 0);
                return others;
            }
        }
    }
}

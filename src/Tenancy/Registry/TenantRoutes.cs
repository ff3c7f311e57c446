using System.Collections.Concurrent;
using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>The URLs of all tenants. Reading takes no lock and allocates nothing; one writer at a time changes it.</summary>
internal sealed class TenantRoutes
{
    private readonly ConcurrentDictionary<string, Route> _roots = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, PathRoutes> _paths = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _activeHosts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Route>.AlternateLookup<ReadOnlySpan<char>> _rootsBySpan;
    private readonly ConcurrentDictionary<string, PathRoutes>.AlternateLookup<ReadOnlySpan<char>> _pathsBySpan;
    private readonly ConcurrentDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _activeBySpan;

    public TenantRoutes()
    {
        _rootsBySpan = _roots.GetAlternateLookup<ReadOnlySpan<char>>();
        _pathsBySpan = _paths.GetAlternateLookup<ReadOnlySpan<char>>();
        _activeBySpan = _activeHosts.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Whether a tenant that is not suspended has a URL at this canonical host.</summary>
    public bool HasActiveHost(ReadOnlySpan<char> host) => _activeBySpan.ContainsKey(host);

    /// <summary>Finds the tenant URL that is the longest prefix, at segment boundaries, of a canonical host and a path.</summary>
    public bool TryFind(ReadOnlySpan<char> host, ReadOnlySpan<char> path, out Match match)
    {
        if (path.Length > 1 && _pathsBySpan.TryGetValue(host, out var paths) && paths.TryFind(path, out match))
        {
            return true;
        }

        match = default;
        return _rootsBySpan.TryGetValue(host, out var root) && root.TryMatch(out match);
    }

    /// <summary>Puts the URLs of a model in place of those of the model before it. A URL that both have is served throughout.</summary>
    public void Replace(TenantModel? before, TenantModel? after, TenantState state)
    {
        foreach (var url in after?.Urls ?? [])
        {
            Set(url, state);
            if (!after!.IsSuspended)
            {
                _activeHosts.AddOrUpdate(url.Host, 1, static (_, count) => count + 1);
            }
        }

        foreach (var url in before?.Urls ?? [])
        {
            if (!Has(after, url))
            {
                Remove(url, state);
            }

            if (!before!.IsSuspended && _activeHosts.AddOrUpdate(url.Host, 0, static (_, count) => count - 1) <= 0)
            {
                _activeHosts.TryRemove(KeyValuePair.Create(url.Host, 0));
            }
        }
    }

    private void Set(TenantUrl url, TenantState state)
    {
        if (url.Path.Length == 0)
        {
            _roots[url.Host] = new(url, state);
            return;
        }

        _paths.GetOrAdd(url.Host, static _ => new()).ByPath[url.Path] = new(url, state);
    }

    private void Remove(TenantUrl url, TenantState state)
    {
        var routes = url.Path.Length == 0 ? _roots : _paths.GetValueOrDefault(url.Host)?.ByPath;
        var key = url.Path.Length == 0 ? url.Host : url.Path;

        // Another tenant may have taken a URL that this one gave up.
        if (routes is null || !routes.TryGetValue(key, out var route) || !ReferenceEquals(route.State, state))
        {
            return;
        }

        routes.TryRemove(key, out _);
        if (url.Path.Length > 0 && routes.IsEmpty)
        {
            _paths.TryRemove(url.Host, out _);
        }
    }

    private static bool Has(TenantModel? model, TenantUrl url)
    {
        foreach (var other in model?.Urls ?? [])
        {
            if (other.Host == url.Host && other.Path == url.Path)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A URL and the tenant that had it at the moment of the look-up: one whole, although a change may be under way.</summary>
    public readonly record struct Match(TenantModel Tenant, TenantUrl Url);

    /// <summary>A URL and the tenant that owns it.</summary>
    private readonly record struct Route(TenantUrl Url, TenantState State)
    {
        public bool TryMatch(out Match match)
        {
            var model = State.Model;
            match = model is not null && Has(model, Url) ? new(model, Url) : default;
            return match.Tenant is not null;
        }
    }

    /// <summary>The URLs at one host that have a path.</summary>
    private sealed class PathRoutes
    {
        private readonly ConcurrentDictionary<string, Route>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

        public PathRoutes() => _bySpan = ByPath.GetAlternateLookup<ReadOnlySpan<char>>();

        // There is one writer, and mostly few paths at a host.
        public ConcurrentDictionary<string, Route> ByPath { get; } = new(concurrencyLevel: 1, capacity: 1, StringComparer.Ordinal);

        public bool TryFind(ReadOnlySpan<char> path, out Match match)
        {
            for (var length = Cut(path); length > 0; length = path[..length].LastIndexOf('/'))
            {
                if (_bySpan.TryGetValue(path[..length], out var route) && route.TryMatch(out match))
                {
                    return true;
                }
            }

            match = default;
            return false;
        }

        /// <summary>The length of as many segments as a tenant's URL may have.</summary>
        private static int Cut(ReadOnlySpan<char> path)
        {
            var end = 0;
            for (var segment = 0; segment < TenantUrl.MaxSegments && end < path.Length; segment++)
            {
                var next = path[(end + 1)..].IndexOf('/');
                end = next < 0 ? path.Length : end + 1 + next;
            }

            return end;
        }
    }
}

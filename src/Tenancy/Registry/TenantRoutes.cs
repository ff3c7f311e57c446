using System.Collections.Concurrent;
using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>The URLs of all tenants. Reading takes no lock and allocates nothing; one writer at a time changes it.</summary>
internal sealed class TenantRoutes
{
    private const int MaxKeyLength = 1024;

    private readonly ConcurrentDictionary<string, Route> _routes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _activeHosts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Route>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly ConcurrentDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _activeBySpan;

    public TenantRoutes()
    {
        _bySpan = _routes.GetAlternateLookup<ReadOnlySpan<char>>();
        _activeBySpan = _activeHosts.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>A URL and the tenant that owns it.</summary>
    public sealed record Route(TenantUrl Url, TenantState State);

    /// <summary>A URL and the tenant that had it at the moment of the look-up: one whole, although a change may be under way.</summary>
    public readonly record struct Match(TenantModel Tenant, TenantUrl Url);

    /// <summary>Whether a tenant that is not suspended has a URL at this canonical host.</summary>
    public bool HasActiveHost(ReadOnlySpan<char> host) => _activeBySpan.ContainsKey(host);

    /// <summary>The tenant URL that is the longest prefix, at segment boundaries, of a canonical host and a path.</summary>
    public Match? Find(ReadOnlySpan<char> host, ReadOnlySpan<char> path)
    {
        if (_routes.IsEmpty)
        {
            return null;
        }

        // Host plus at most three segments: longer paths are cut before they are copied.
        path = Cut(path);
        if (host.Length + path.Length > MaxKeyLength)
        {
            return null;
        }

        Span<char> key = stackalloc char[host.Length + path.Length];
        host.CopyTo(key);
        path.CopyTo(key[host.Length..]);
        for (var length = path.Length; ; length = path[..length].LastIndexOf('/'))
        {
            if (_bySpan.TryGetValue(key[..(host.Length + length)], out var route) && route.State.Model is { } model && Has(model, route.Url))
            {
                return new(model, route.Url);
            }

            if (length <= 0)
            {
                return null;
            }
        }
    }

    /// <summary>Puts the URLs of a model in place of those of the model before it. A URL that both have is served throughout.</summary>
    public void Replace(TenantModel? before, TenantModel? after, TenantState state)
    {
        foreach (var url in after?.Urls ?? [])
        {
            _routes[url.Key] = new(url, state);
            if (!after!.IsSuspended)
            {
                _activeHosts.AddOrUpdate(url.Host, 1, static (_, count) => count + 1);
            }
        }

        foreach (var url in before?.Urls ?? [])
        {
            // Another tenant may have taken a URL that this one gave up.
            if (_routes.TryGetValue(url.Key, out var route) && ReferenceEquals(route.State, state) && !Has(after, url))
            {
                _routes.TryRemove(KeyValuePair.Create(url.Key, route));
            }

            if (!before!.IsSuspended && _activeHosts.AddOrUpdate(url.Host, 0, static (_, count) => count - 1) <= 0)
            {
                _activeHosts.TryRemove(KeyValuePair.Create(url.Host, 0));
            }
        }
    }

    private static bool Has(TenantModel? model, TenantUrl url)
    {
        foreach (var other in model?.Urls ?? [])
        {
            if (other.Key == url.Key)
            {
                return true;
            }
        }

        return false;
    }

    private static ReadOnlySpan<char> Cut(ReadOnlySpan<char> path)
    {
        var end = 0;
        for (var segment = 0; segment < TenantUrl.MaxSegments && end < path.Length; segment++)
        {
            var next = path[(end + 1)..].IndexOf('/');
            end = next < 0 ? path.Length : end + 1 + next;
        }

        path = path[..end];
        return path is "/" ? default : path;
    }
}

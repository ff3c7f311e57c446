using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Benchmarks;

/// <summary>The look-ups that are compared, each with the bare dictionary look-up of the same key. Keys come in one random order.</summary>
internal sealed class Lookups : IDisposable
{
    private readonly Tenants _tenants = new();
    private readonly ConcurrentDictionary<string, object> _byHost = new();
    private readonly ConcurrentDictionary<string, object> _byUrl = new();
    private readonly ConcurrentDictionary<string, object> _byId = new();
    private readonly string[] _hosts;
    private readonly string[] _urls;
    private readonly string[] _ids;
    private readonly string[] _urlPaths;
    private readonly string[] _idPaths;
    private readonly TenantResolver _resolver;
    private readonly DefaultHttpContext _request = new();
    private int _next;

    public Lookups(int count)
    {
        _tenants.RegisterAsync(count).GetAwaiter().GetResult();
        _resolver = (TenantResolver)_tenants.Services.GetService(typeof(TenantResolver))!;
        _request.SetEndpoint(new(requestDelegate: null, new(new TenantEndpointMetadata("/mcp", isMcp: true)), displayName: null));
        var order = Enumerable.Range(0, count).ToArray();
        new Random(1).Shuffle(order);
        _hosts = [.. order.Select(Tenants.Host)];
        _ids = [.. order.Select(Tenants.Id)];
        _urls = [.. order.Select(number => Tenants.SharedHost + Tenants.Path(number))];
        _urlPaths = [.. order.Select(number => Tenants.Path(number) + "/mcp")];
        _idPaths = [.. order.Select(number => $"/{Tenants.Id(number)}/mcp")];
        for (var i = 0; i < count; i++)
        {
            // Filled in the order in which the registry was, with texts of its own: look-ups in the order of filling would find the next
            // key in the cache.
            _byHost[Tenants.Host(i)] = _byUrl[Tenants.SharedHost + Tenants.Path(i)] = _byId[Tenants.Id(i)] = new();
        }
    }

    public object BareHost() => _byHost[_hosts[Next()]];

    public object BareUrl() => _byUrl[_urls[Next()]];

    public object BareId() => _byId[_ids[Next()]];

    public object Host() => _tenants.Registry.ResolveByHost(_hosts[Next()])!;

    /// <summary>The tenant whose URL is a prefix of the request's.</summary>
    public object Url() => _tenants.Registry.ResolveByRequest(Tenants.SharedHost, _urlPaths[Next()])!;

    /// <summary>The tenant that <c>/{tenant}/mcp</c> names at the server's own host: a tenant's URL is looked for first.</summary>
    public object IdInPath()
    {
        var path = _idPaths[Next()].AsSpan();
        return _tenants.Registry.ResolveByRequest(Tenants.ServerHost, path) ?? _tenants.Registry.Get(path[1..^"/mcp".Length])!;
    }

    public object Id() => _tenants.Registry.Get(_ids[Next()])!;

    public TenantResolution ResolverHost() => Resolve(_hosts[Next()], "/mcp");

    public TenantResolution ResolverUrl() => Resolve(Tenants.SharedHost, _urlPaths[Next()]);

    public TenantResolution ResolverIdInPath() => Resolve(Tenants.ServerHost, _idPaths[Next()]);

    public void Dispose() => _tenants.Dispose();

    private TenantResolution Resolve(string host, string path)
    {
        _request.Request.Headers.Host = host;
        _request.Request.Path = path;
        var resolution = _resolver.ResolveAsync(_request);
        return resolution is { IsCompletedSuccessfully: true, Result: { TenantId: not null } found }
            ? found
            : throw new InvalidOperationException($"{host}{path} names no tenant.");
    }

    private int Next()
    {
        var next = _next + 1;
        return _next = next < _hosts.Length ? next : 0;
    }
}

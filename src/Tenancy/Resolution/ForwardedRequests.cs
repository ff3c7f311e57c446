using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.Resolution;

/// <summary>
/// Lets a request be what a proxy says of it: its client's address, and the scheme, the host and the path before the application. Only the
/// proxies of <c>Tenancy:Proxies</c> are believed.
/// </summary>
/// <remarks>
/// ASP.NET Core's own middleware reads the headers, before all of the application's. Each has an entry per proxy, the last one's at the
/// end; they are read from there, as long as the address that the request came from is a proxy's.
/// </remarks>
internal sealed class ForwardedRequests(
    IOptions<TenancyOptions> options,
    IOptions<ForwardedHeadersOptions> frameworks,
    IHostEnvironment environment,
    ILoggerFactory loggers,
    ILogger<ForwardedRequests> logger
) : IStartupFilter
{
    private readonly System.Net.IPNetwork[] _proxies = [.. options.Value.Proxies.Select(ProxyNetworks.Unmap)];

    // Where the application reads the headers in a way of its own, what it leaves of them is its own, too.
    private int _mayWarn = !environment.IsDevelopment() && frameworks.Value.ForwardedHeaders == ForwardedHeaders.None ? 1 : 0;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
        app =>
        {
            if (_proxies.Length > 0 || _mayWarn == 1)
            {
                app.Use(Read);
            }

            next(app);
        };

    private RequestDelegate Read(RequestDelegate next)
    {
        var headers = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.All, ForwardLimit = null };

        // Loopback stands there by itself.
        headers.KnownProxies.Clear();
        headers.KnownIPNetworks.Clear();
        foreach (var proxy in _proxies)
        {
            headers.KnownIPNetworks.Add(proxy);
        }

        var reader = new ForwardedHeadersMiddleware(next, loggers, Options.Create(headers));
        return context =>
        {
            if (!IsForwarded(context.Request.Headers))
            {
                return next(context);
            }

            if (IsProxy(context.Connection.RemoteIpAddress))
            {
                // Without the client's address it could not be told how many proxies wrote the other headers, and so whose entry is whose.
                return context.Request.Headers.ContainsKey(ForwardedHeadersDefaults.XForwardedForHeaderName)
                    ? reader.Invoke(context)
                    : next(context);
            }

            if (_mayWarn == 1 && Interlocked.Exchange(ref _mayWarn, 0) == 1)
            {
                logger.ProxyNotNamed(context.Connection.RemoteIpAddress?.ToString() ?? "a socket without an address");
            }

            return next(context);
        };
    }

    private static bool IsForwarded(IHeaderDictionary headers) =>
        headers.ContainsKey(ForwardedHeadersDefaults.XForwardedForHeaderName)
        || headers.ContainsKey(ForwardedHeadersDefaults.XForwardedHostHeaderName)
        || headers.ContainsKey(ForwardedHeadersDefaults.XForwardedProtoHeaderName)
        || headers.ContainsKey(ForwardedHeadersDefaults.XForwardedPrefixHeaderName);

    private bool IsProxy(IPAddress? address)
    {
        // IPv4 as it arrives at a socket for both.
        address = address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        foreach (var proxy in _proxies)
        {
            if (address is not null && proxy.Contains(address))
            {
                return true;
            }
        }

        return false;
    }
}

using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Tenancy.Tests.Hosting;

/// <summary>Lets a test say from where it calls, as a proxy's header does.</summary>
internal sealed class ClientAddresses : IStartupFilter
{
    public const string HeaderName = "X-From";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
        app =>
        {
            app.Use(
                (HttpContext context, RequestDelegate next) =>
                {
                    context.Connection.RemoteIpAddress = context.Request.Headers[HeaderName] is [{ } address]
                        ? IPAddress.Parse(address)
                        : context.Connection.RemoteIpAddress;
                    return next(context);
                }
            );
            next(app);
        };
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Tenancy.Tests.Hosting;

/// <summary>Counts the requests that are in the server.</summary>
internal sealed class RequestCount : IStartupFilter
{
    private int _count;

    public int Value => Volatile.Read(ref _count);

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
        app =>
        {
            app.Use(
                async (HttpContext context, RequestDelegate next) =>
                {
                    Interlocked.Increment(ref _count);
                    try
                    {
                        await next(context);
                    }
                    finally
                    {
                        Interlocked.Decrement(ref _count);
                    }
                }
            );
            next(app);
        };
}

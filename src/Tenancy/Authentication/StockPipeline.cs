using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Tenancy.Authentication;

/// <summary>Collects middlewares that only some requests go through, in front of the rest of an application's pipeline.</summary>
/// <remarks>
/// It shares the application's properties, in which ASP.NET Core notes which middlewares were added, so that it does not add these a second
/// time.
/// </remarks>
internal sealed class StockPipeline(IApplicationBuilder app) : IApplicationBuilder
{
    private readonly List<Func<RequestDelegate, RequestDelegate>> _middlewares = [];

    public IServiceProvider ApplicationServices
    {
        get => app.ApplicationServices;
        set => app.ApplicationServices = value;
    }

    public IFeatureCollection ServerFeatures => app.ServerFeatures;

    public IDictionary<string, object?> Properties => app.Properties;

    public IApplicationBuilder Use(Func<RequestDelegate, RequestDelegate> middleware)
    {
        _middlewares.Add(middleware);
        return this;
    }

    public IApplicationBuilder New() => app.New();

    /// <summary>Puts what was collected in front of the rest.</summary>
    public RequestDelegate Build(RequestDelegate rest) =>
        Enumerable.Reverse(_middlewares).Aggregate(rest, (next, middleware) => middleware(next));

    public RequestDelegate Build() => Build(static _ => Task.CompletedTask);
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Tenancy.Mcp.Sdk;

/// <summary>Finds the MCP SDK's own endpoints in a container. Nothing is routed to them: they are called.</summary>
internal static class SdkEndpoints
{
    public static RequestDelegate Find(IServiceProvider services, string method)
    {
        var routes = new Routes(services);
        routes.MapMcp("/");
        return routes.DataSources.SelectMany(source => source.Endpoints).First(endpoint => Takes(endpoint, method)).RequestDelegate!;
    }

    private static bool Takes(Endpoint endpoint, string method) =>
        endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods.Contains(method) is true;

    private sealed class Routes(IServiceProvider services) : IEndpointRouteBuilder
    {
        public IServiceProvider ServiceProvider => services;

        public ICollection<EndpointDataSource> DataSources { get; } = [];

        public IApplicationBuilder CreateApplicationBuilder() => new ApplicationBuilder(services);
    }
}

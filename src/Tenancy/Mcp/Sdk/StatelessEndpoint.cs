using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// A second endpoint of the MCP SDK's, without sessions, for clients before 2026-07-28 that have none. Nothing is routed to it: it is
/// called.
/// </summary>
/// <remarks>
/// The SDK has one session mode for each container, and where it keeps sessions it answers 400 to such clients. So this one has a container
/// of its own, with the application's settings and the other mode.
/// </remarks>
internal sealed class StatelessEndpoint : IAsyncDisposable
{
    private readonly Lazy<(ServiceProvider Services, RequestDelegate Post)> _endpoint;

    public StatelessEndpoint(
        IOptions<HttpServerTransportOptions> transport,
        IOptions<McpServerOptions> server,
        IOptionsFactory<McpServerOptions> servers,
        IHostApplicationLifetime lifetime,
        ILoggerFactory loggers
    ) => _endpoint = new(() => Build(transport, server, servers, lifetime, loggers));

    public Task InvokeAsync(HttpContext http) => _endpoint.Value.Post(http);

    public ValueTask DisposeAsync() => _endpoint.IsValueCreated ? _endpoint.Value.Services.DisposeAsync() : default;

    private static (ServiceProvider Services, RequestDelegate Post) Build(
        IOptions<HttpServerTransportOptions> transport,
        IOptions<McpServerOptions> server,
        IOptionsFactory<McpServerOptions> servers,
        IHostApplicationLifetime lifetime,
        ILoggerFactory loggers
    )
    {
        var services = new ServiceCollection();
        services.AddSingleton(loggers);
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddSingleton(lifetime);
        services.AddRouting();
        services.AddMcpServer().WithHttpTransport(options => CopyTo(options, transport.Value));

        // The application's own, filters and handlers included.
        services.AddSingleton(server);
        services.AddSingleton(servers);
        var provider = services.BuildServiceProvider();
        return (provider, SdkEndpoints.Find(provider, HttpMethods.Post));
    }

    private static void CopyTo(HttpServerTransportOptions options, HttpServerTransportOptions application)
    {
        options.SessionMode = HttpServerSessionMode.Stateless;
        options.ConfigureSessionOptions = application.ConfigureSessionOptions;
        options.TimeProvider = application.TimeProvider;
#pragma warning disable MCPEXP002 // An application that uses the experimental handler has it run here, too.
        options.RunSessionHandler = application.RunSessionHandler;
#pragma warning restore MCPEXP002
    }
}

using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Tenancy.Tests.Hosting;

/// <summary>A real HTTP server on loopback that answers as a test wants, and remembers what it was asked for.</summary>
internal sealed class StubServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StubServer(WebApplication app) => _app = app;

    /// <summary>What answers; it can be changed at any time.</summary>
    public required RequestDelegate Answer { get; set; }

    public ConcurrentQueue<string> Paths { get; } = [];

    /// <summary>The address, without a trailing slash.</summary>
    public string Url => _app.Urls.First();

    public int Port => new Uri(Url).Port;

    public static async Task<StubServer> StartAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new StubServer(app) { Answer = answer };
        app.Run(context =>
        {
            server.Paths.Enqueue(context.Request.Path);
            return server.Answer(context);
        });
        await app.StartAsync();
        return server;
    }

    /// <summary>An issuer with these keys, and an answer of one's own for what is not its metadata.</summary>
    public static Task<StubServer> StartIssuerAsync(string keys) => StartAsync(Issuer(keys));

    public static RequestDelegate Issuer(string keys, Func<string, string>? discovery = null) =>
        context =>
        {
            var url = $"{context.Request.Scheme}://{context.Request.Host}";
            switch (context.Request.Path.Value)
            {
                case "/.well-known/openid-configuration":
                    return context.Response.WriteAsync(discovery?.Invoke(url) ?? Discovery(url));
                case "/keys":
                    return context.Response.WriteAsync(keys);
                default:
                    context.Response.StatusCode = 404;
                    return Task.CompletedTask;
            }
        };

    public static string Discovery(string url, string? issuer = null) =>
        $$"""{ "issuer": "{{issuer ?? url}}", "jwks_uri": "{{url}}/keys", "token_endpoint": "{{url}}/token","""
        + $$""" "authorization_endpoint": "{{url}}/authorize" }""";

    public async ValueTask DisposeAsync()
    {
        // Requests that hang on purpose must not hold up the end.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}

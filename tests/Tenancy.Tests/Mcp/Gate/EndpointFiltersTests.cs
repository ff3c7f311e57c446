using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Gate;

/// <summary>
/// An application's endpoint filter stands before the gate: what it answers reaches the client, and nothing else is done.
/// </summary>
[Tier(Tier.Server)]
public sealed class EndpointFiltersTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "result", """{"why":"kept"}""")]
    [InlineData("GET", "text", "kept")]
    [InlineData("DELETE", "result", """{"why":"kept"}""")]
    [InlineData("DELETE", "object", """{"why":"kept"}""")]
    public async Task What_a_filter_answers_reaches_the_client_and_the_session_goes_on(string method, string kind, string sent)
    {
        await using var server = await TenancyServer.StartAsync(mcp: endpoints =>
            endpoints.AddEndpointFilter(
                async (context, next) =>
                    context.HttpContext.Request.Method == method ? Refuse(context.HttpContext, kind) : await next(context)
            )
        );
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        using var request = McpCalls.Bodyless(new(method), server.Port, Way.Path, "acme", McpCalls.Acme, session);
        using var refused = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Equal(sent, await refused.Content.ReadAsStringAsync(Token));
        using var ping = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Message("ping"), sessionId: session);
        using var alive = await server.Client.SendAsync(ping, Token);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
    }

    private static object Refuse(HttpContext http, string kind)
    {
        http.Response.StatusCode = StatusCodes.Status409Conflict;
        return kind switch
        {
            "result" => Results.Json(new { Why = "kept" }, statusCode: StatusCodes.Status409Conflict),
            "text" => "kept",
            _ => new { Why = "kept" },
        };
    }
}

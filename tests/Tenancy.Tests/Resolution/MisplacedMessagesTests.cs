using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Resolution;

/// <summary>A client that was given nearly the right URL is told the right one, and nothing of which tenants there are.</summary>
[Tier(Tier.Server)]
public sealed class MisplacedMessagesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("POST", "/acme", "/acme/mcp")]
    [InlineData("POST", "/acme/", "/acme/mcp")]
    [InlineData("POST", "/nobody", "/nobody/mcp")]
    [InlineData("POST", "/acme/sse", "/acme/mcp")]
    [InlineData("GET", "/acme/sse", "/acme/mcp")]
    [InlineData("POST", "/acme/messages?sessionId=1", "/acme/mcp")]
    [InlineData("GET", "/", "/mcp")]
    [InlineData("POST", "/", "/mcp")]
    [InlineData("GET", "/sse", "/mcp")]
    [InlineData("POST", "/acme/mcp/sse", "/acme/mcp")]
    [InlineData("POST", "/acme/mcp/register", "/acme/mcp")]
    [InlineData("POST", "/mcp/messages", "/mcp")]
    [InlineData("POST", "/acme//mcp", "/acme/mcp")]
    [InlineData("POST", "/a/b/sse", "/a/b/mcp")]
    [InlineData("POST", "/acme/foo", "the URL of a tenant plus /mcp")]
    [InlineData("POST", "/a/b/c/d/e", "the URL of a tenant plus /mcp")]
    [InlineData("POST", "/acme/\"><b>", "the URL of a tenant plus /mcp")]
    [InlineData("POST", "/acme/a%20b", "the URL of a tenant plus /mcp")]
    public async Task A_client_beside_the_endpoint_is_told_where_that_is(string method, string path, string place)
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await SendAsync(server, method, path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!;
        Assert.Equal($"Nothing is served here. MCP is spoken at {place}.", body["error"]!["message"]!.ToString());
        Assert.Null(body["id"]);
    }

    [Theory]
    [InlineData("POST", "/.well-known/none")]
    [InlineData("POST", "/health/none")]
    [InlineData("PUT", "/acme")]
    public async Task What_is_no_clients_request_stays_an_empty_404(string method, string path)
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await SendAsync(server, method, path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Token));
    }

    [Fact]
    public async Task What_the_application_serves_is_its_own()
    {
        await using var server = await TenancyServer.StartAsync(endpoints: app =>
        {
            app.MapPost("/hook", () => Results.NotFound("mine"));
            app.Use(
                (context, next) =>
                    context.Request.Path == "/own" ? context.Response.WriteAsync("own", context.RequestAborted) : next(context)
            );
        });
        using var hook = await SendAsync(server, "POST", "/hook");
        Assert.Equal("\"mine\"", await hook.Content.ReadAsStringAsync(Token));
        using var own = await SendAsync(server, "POST", "/own");
        Assert.Equal("own", await own.Content.ReadAsStringAsync(Token));
    }

    [Theory]
    [InlineData("https://page.example", true)]
    [InlineData("https://evil.example", false)]
    public async Task A_page_may_read_it_where_its_origin_may_call(string origin, bool mayRead)
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:AllowedOrigins:0"] = "https://page.example",
        };
        await using var server = await TenancyServer.StartAsync(settings: settings);
        using var asked = new HttpRequestMessage(HttpMethod.Options, "/acme");
        asked.Headers.Add("Origin", origin);
        asked.Headers.Add("Access-Control-Request-Method", "POST");
        asked.Headers.Add("Access-Control-Request-Headers", "content-type,mcp-protocol-version");
        using var preflight = await server.Client.SendAsync(asked, Token);
        Assert.Equal(mayRead, preflight.IsSuccessStatusCode);
        Assert.Equal(mayRead ? [origin] : [], Allowed(preflight));
        using var response = await SendAsync(server, "POST", "/acme", origin);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal(mayRead ? [origin] : [], Allowed(response));
    }

    private static IEnumerable<string> Allowed(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) ? values : [];

    private static async Task<HttpResponseMessage> SendAsync(TenancyServer server, string method, string path, string? origin = null)
    {
        using var request = new HttpRequestMessage(new(method), path);
        request.Headers.Add("Accept", method == "GET" ? "text/event-stream" : "application/json, text/event-stream");
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        if (method != "GET")
        {
            request.Content = new StringContent(McpCalls.Call("whoami"), Encoding.UTF8, "application/json");
        }

        return await server.Client.SendAsync(request, Token);
    }
}

using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Resolution;

/// <summary>Health and refusals may be otherwise a moment later, and for the next caller: no cache may keep them.</summary>
[Tier(Tier.Server)]
public sealed class RefusalCachingTests
{
    [Theory]
    [InlineData("GET", "/health/live", HttpStatusCode.OK)]
    [InlineData("GET", "/health/ready", HttpStatusCode.OK)]
    [InlineData("GET", "/acme/health", HttpStatusCode.OK)]
    [InlineData("GET", "/nobody/health", HttpStatusCode.NotFound)]
    [InlineData("GET", "/disabled/health", HttpStatusCode.ServiceUnavailable)]
    [InlineData("POST", "/acme/mcp", HttpStatusCode.Unauthorized)]
    [InlineData("POST", "/nobody/mcp", HttpStatusCode.NotFound)]
    [InlineData("POST", "/disabled/mcp", HttpStatusCode.ServiceUnavailable)]
    [InlineData("GET", "/acme/secret", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/open/secret", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/nobody/secret", HttpStatusCode.NotFound)]
    [InlineData("GET", "/acme/gone", HttpStatusCode.Gone)]
    [InlineData("GET", "/acme/fails", HttpStatusCode.InternalServerError)]
    public async Task Health_and_refusals_may_not_be_kept(string method, string path, HttpStatusCode expected)
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:2:id"] = "disabled",
            ["Tenancy:Tenants:2:settings:fail"] = "it cannot be built",
            ["Tenancy:Tenants:3:id"] = "open",
            ["Tenancy:Tenants:3:authentication:kind"] = "none",
        };
        await using var server = await TenancyServer.StartAsync(settings: settings, endpoints: app =>
        {
            app.MapGet("/{tenant}/secret", () => "secret").RequireTenant().RequireAuthorization();
            app.MapGet("/{tenant}/gone", () => Results.StatusCode(410)).RequireTenant();
            app.MapGet("/{tenant}/fails", string () => throw new InvalidOperationException("it fails")).RequireTenant();
        });
        using var request = new HttpRequestMessage(new(method), path);
        if (method == "POST")
        {
            request.Content = new StringContent(McpCalls.Call("whoami"), Encoding.UTF8, "application/json");
        }

        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(expected, response.StatusCode);
        Assert.True(response.Headers.CacheControl is { NoStore: true }, $"{path}: {response.Headers.CacheControl}");
    }

    [Fact]
    public async Task What_an_application_says_of_caches_itself_stays()
    {
        await using var server = await TenancyServer.StartAsync(endpoints: app =>
            app.MapGet("/{tenant}/gone", (HttpResponse response) =>
                {
                    response.Headers.CacheControl = "public, max-age=60";
                    return Results.StatusCode(410);
                })
                .RequireTenant()
        );
        using var response = await server.Client.GetAsync("/acme/gone", TestContext.Current.CancellationToken);
        Assert.Equal("public, max-age=60", response.Headers.CacheControl!.ToString());
    }
}

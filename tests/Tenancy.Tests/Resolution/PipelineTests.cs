using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Resolution;

/// <summary>An endpoint that asks for a tenant does not run without one, however the application's pipeline is put together.</summary>
[Tier(Tier.Server)]
public sealed class PipelineTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("own")]
    [InlineData("mcp")]
    [InlineData("health")]
    [InlineData("admin")]
    public async Task A_forgotten_UseTenancy_is_said_at_the_start(string kind)
    {
        await using var app = BareServer.Build();
        Map(app, kind);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => app.StartAsync(Token));
        Assert.Contains("app.UseTenancy()", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_whose_endpoints_ask_for_no_tenant_starts_without_it()
    {
        await using var app = BareServer.Build();
        app.MapGet("/open", () => "open");
        await app.StartAsync(Token);
    }

    [Fact]
    public async Task Routing_that_comes_after_UseTenancy_is_said_at_the_start()
    {
        await using var app = BareServer.Build();
        app.UseTenancy();
        app.UseRouting();
        app.MapTenantMcp();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => app.StartAsync(Token));
        Assert.Contains("app.UseRouting()", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Routing_that_comes_before_UseTenancy_is_as_good_as_none()
    {
        await using var app = BareServer.Build();
        app.UseRouting();
        app.UseTenancy();
        app.MapGet("/{tenant}/name", (HttpContext context) => context.GetTenant().Id.Value).RequireTenant();
        await app.StartAsync(Token);
        Assert.Equal((HttpStatusCode.OK, "acme"), await GetAsync(app, "/acme/name"));
    }

    [Theory]
    [InlineData("own", "/acme/name")]
    [InlineData("mcp", "/acme/mcp")]
    [InlineData("health", "/acme/health")]
    [InlineData("admin", "/admin/tenants")]
    public async Task An_endpoint_that_the_middleware_did_not_see_is_500_with_the_reason_in_the_log_and_does_not_run(
        string kind,
        string path
    )
    {
        var log = new LogRecorder();
        await using var app = BareServer.Build(log);

        // Only what is below /elsewhere goes through it.
        app.Map("/elsewhere", branch => branch.UseTenancy());
        Map(app, kind);
        await app.StartAsync(Token);
        var (status, body) = await GetAsync(app, path);
        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.DoesNotContain("acme", body, StringComparison.Ordinal);
        var entry = Assert.Single(log.Errors, entry => entry.Event == "EndpointNotGuarded");
        Assert.Contains("app.UseTenancy()", entry.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_admin_api_cannot_be_opened_to_everybody()
    {
        await using var app = BareServer.Build();
        app.UseTenancy();
        app.MapTenantAdmin().AllowAnonymous();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => app.StartAsync(Token));
        Assert.Contains("AllowAnonymous", refused.Message, StringComparison.Ordinal);
    }

    private static void Map(WebApplication app, string kind)
    {
        switch (kind)
        {
            case "own":
                app.MapGet("/{tenant}/name", (HttpContext context) => "it ran for acme").RequireTenant();
                break;
            case "mcp":
                app.MapTenantMcp();
                break;
            case "health":
                app.MapTenantHealth();
                break;
            default:
                app.MapTenantAdmin();
                break;
        }
    }

    private static async Task<(HttpStatusCode Status, string Body)> GetAsync(WebApplication app, string path)
    {
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        client.DefaultRequestHeaders.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        using var response = await client.GetAsync(path, Token);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Token));
    }
}

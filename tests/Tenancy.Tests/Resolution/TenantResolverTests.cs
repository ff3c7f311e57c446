using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Resolution;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Resolution;

/// <summary>One registration puts a user's own resolver in place of ours, or around it.</summary>
[Tier(Tier.Server)]
public sealed class TenantResolverTests
{
    [Theory]
    [InlineData("/mcp", "globex", HttpStatusCode.OK, "globex-shelf")]
    [InlineData("/acme/mcp", "globex", HttpStatusCode.OK, "globex-shelf")]
    [InlineData("/acme/mcp", null, HttpStatusCode.BadRequest, "The request names no tenant.")]
    [InlineData("/acme/mcp", "nobody", HttpStatusCode.NotFound, "There is no such tenant.")]
    [InlineData("/acme/mcp", "empty", HttpStatusCode.NotFound, "There is no such tenant.")]
    [InlineData("/acme/mcp", "../acme", HttpStatusCode.NotFound, "There is no such tenant.")]
    [InlineData("/acme/mcp", "reject", HttpStatusCode.BadRequest, "because I say so")]
    public async Task A_resolver_of_ones_own_stands_in_place_of_ours(string path, string? cookie, HttpStatusCode status, string text)
    {
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton<ITenantResolver, CookieResolver>()
        );
        await AssertAsync(server, "localhost", path, cookie, status, text);
    }

    [Theory]
    [InlineData("/acme/mcp", null, HttpStatusCode.OK, "acme-banner")]
    [InlineData("/mcp", "globex", HttpStatusCode.OK, "globex-shelf")]
    [InlineData("/acme/mcp", "globex", HttpStatusCode.OK, "acme-banner")]
    [InlineData("/mcp", null, HttpStatusCode.BadRequest, "The request names no tenant.")]
    public async Task A_resolver_of_ones_own_stands_around_ours(string path, string? cookie, HttpStatusCode status, string text)
    {
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton<ITenantResolver, CookieAfterOurs>()
        );
        await AssertAsync(server, "localhost", path, cookie, status, text);
    }

    [Fact]
    public void A_resolver_that_is_registered_before_ours_stays()
    {
        // As a user may write it: AddTenancy comes last.
        var services = new ServiceCollection();
        services.AddSingleton<ITenantResolver, CookieResolver>();
        services.AddTenancy(new Microsoft.Extensions.Configuration.ConfigurationManager());
        Assert.Equal(
            typeof(CookieResolver),
            Assert.Single(services, service => service.ServiceType == typeof(ITenantResolver)).ImplementationType
        );
    }

    [Fact]
    public async Task No_resolver_gets_a_request_past_the_hosts_that_are_allowed_or_to_a_tenant_that_is_not_served()
    {
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton<ITenantResolver, CookieResolver>()
        );
        await AssertAsync(server, "evil.example.com", "/mcp", "acme", HttpStatusCode.BadRequest, "No tenant may be called at this host.");
        using (var suspension = await server.AdminAsync(HttpMethod.Patch, "/acme", new { status = "suspended" }))
        {
            Assert.True(suspension.IsSuccessStatusCode);
        }

        await AssertAsync(server, "localhost", "/mcp", "acme", HttpStatusCode.NotFound, "There is no such tenant.");
    }

    private static async Task AssertAsync(
        TenancyServer server,
        string host,
        string path,
        string? cookie,
        HttpStatusCode status,
        string text
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(McpCalls.Call("get_products"), System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Host = host;
        request.Headers.Add("Accept", "application/json");
        if (cookie is not null)
        {
            request.Headers.Add("Cookie", "tenant=" + cookie);
        }

        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(status, response.StatusCode);
        Assert.Contains(text, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private sealed class CookieResolver : ITenantResolver
    {
        public ValueTask<TenantResolution> ResolveAsync(HttpContext context) =>
            new(
                context.Request.Cookies["tenant"] switch
                {
                    null => TenantResolution.None,
                    "empty" => TenantResolution.Found(""),
                    "reject" => TenantResolution.Rejected("because I say so"),
                    var id => TenantResolution.Found(id),
                }
            );
    }

    private sealed class CookieAfterOurs(TenantResolver ours) : ITenantResolver
    {
        public async ValueTask<TenantResolution> ResolveAsync(HttpContext context) =>
            await ours.ResolveAsync(context) is var resolution
            && resolution == TenantResolution.None
            && context.Request.Cookies["tenant"] is { } id
                ? TenantResolution.Found(id)
                : resolution;
    }
}

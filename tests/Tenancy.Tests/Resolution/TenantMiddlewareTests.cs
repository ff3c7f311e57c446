using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Resolution;

/// <summary>A request is for one tenant, or for none.</summary>
[Tier(Tier.Server)]
public sealed class TenantMiddlewareTests(SharedServer shared) : IClassFixture<SharedServer>
{
    [Theory]
    [InlineData("acme.example.com", "/mcp", null, "acme")]
    [InlineData("ACME.Example.COM", "/mcp", null, "acme")]
    [InlineData("acme.example.com.", "/mcp", null, "acme")]
    [InlineData("acme.example.com:443", "/mcp", null, "acme")]
    [InlineData("acme.example.com", "/acme/mcp", null, "acme")]
    [InlineData("acme.localhost", "/mcp", "acme", "acme")]
    [InlineData("acme.localhost:1234", "/mcp", null, "acme")]
    [InlineData("shared.example.com", "/shops/globex/mcp", null, "globex")]
    [InlineData("localhost", "/globex/mcp", null, "globex")]
    [InlineData("localhost", "/%67lobex/mcp", null, "globex")]
    [InlineData("localhost", "/acme/../globex/mcp", null, "globex")]
    [InlineData("localhost", "/mcp", "globex", "globex")]
    [InlineData("localhost", "/globex/mcp", " ", "globex")]
    [InlineData("localhost", "/globex/mcp/", null, "globex")]
    public async Task A_request_is_for_the_tenant_that_it_names(string host, string path, string? header, string tenant)
    {
        var server = shared.Host;
        var (status, body) = await PostAsync(server, host, path, header);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains(tenant == "acme" ? "acme-banner" : "globex-shelf", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", "/mcp", null, "The request names no tenant.")]
    [InlineData("localhost", "/mcp", "", "The request names no tenant.")]
    [InlineData("acme.localhost", "/globex/mcp", null, "The request names more than one tenant.")]
    [InlineData("acme.example.com", "/globex/mcp", null, "The request names more than one tenant.")]
    [InlineData("acme.example.com", "/nobody/mcp", null, "The request names more than one tenant.")]
    [InlineData("acme.example.com", "/a/b/mcp", null, "The request names more than one tenant.")]
    [InlineData("localhost", "/acme/mcp", "globex", "The request names more than one tenant.")]
    [InlineData("localhost", "/acme/mcp", "acme,globex", "The header X-Tenant-ID may be sent once only.")]
    [InlineData("evil.example.com", "/acme/mcp", null, "No tenant may be called at this host.")]
    [InlineData("example.com", "/mcp", null, "No tenant may be called at this host.")]
    [InlineData("acme.example.com.evil.com", "/mcp", null, "No tenant may be called at this host.")]
    [InlineData("acme.example.com:8443", "/mcp", null, "No tenant may be called at this host.")]
    [InlineData("localhost.evil.com", "/acme/mcp", null, "No tenant may be called at this host.")]
    public async Task A_request_that_names_no_tenant_or_two_or_comes_to_a_foreign_host_is_400(
        string host,
        string path,
        string? header,
        string detail
    )
    {
        var server = shared.Host;
        var (status, body) = await PostAsync(server, host, path, header);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.StartsWith(detail, JsonNode.Parse(body)!["error"]!["message"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", "/nobody/mcp", null)]
    [InlineData("localhost", "/ACME/mcp", null)]
    [InlineData("localhost", "/admin/mcp", null)]
    [InlineData("localhost", "/a/b/mcp", null)]
    [InlineData("localhost", "/acme/b/c/mcp", null)]
    [InlineData("localhost", "/mcp", "nobody")]
    [InlineData("localhost", "/mcp", "{acme}")]
    [InlineData("nobody.localhost", "/mcp", null)]
    [InlineData("a.b.localhost", "/mcp", null)]
    [InlineData("shared.example.com", "/shops/mcp", null)]
    [InlineData("shared.example.com", "/shops/globex/more/mcp", null)]
    public async Task An_unknown_tenant_is_404(string host, string path, string? header)
    {
        var server = shared.Host;
        var (status, body) = await PostAsync(server, host, path, header);
        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Equal("There is no such tenant.", JsonNode.Parse(body)!["error"]!["message"]!.ToString());
    }

    [Theory]
    [InlineData("Development", true)]
    [InlineData("Staging", false)]
    public async Task In_development_a_request_that_names_no_tenant_is_told_how_to_name_one(string environment, bool isTold)
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:AllowDevelopmentValues"] = environment == "Development" ? "false" : "true",
        };
        await using var server = await TenancyServer.StartAsync(settings: settings, environment: environment);
        var (status, body) = await PostAsync(server, "localhost", "/mcp", null);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        foreach (var way in new[] { "/acme/mcp", "X-Tenant-ID: acme", "acme.localhost" })
        {
            Assert.Equal(isTold, body.Contains(way, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_default_tenant_gets_what_names_none_and_nothing_else()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:DefaultTenant"] = "acme" };
        await using var server = await TenancyServer.StartAsync(settings: settings);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(server, "localhost", "/mcp", null)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync(server, "localhost", "/nobody/mcp", null)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(server, "evil.example.com", "/mcp", null)).Status);
    }

    [Fact]
    public async Task A_tenant_whose_platform_cannot_be_built_is_503_and_disturbs_nobody()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:0:settings:fail"] = "no ad server configured",
        };
        await using var server = await TenancyServer.StartAsync(settings: settings);
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("get_products"));
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.True(response.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        Assert.Equal(-32027, (int)(await McpCalls.ReadAsync(response))["error"]!["code"]!);
        Assert.NotNull(await server.CallAsync("globex", McpCalls.Globex, "get_products"));

        using var admin = await server.AdminAsync(HttpMethod.Get, "/acme");
        var tenant = await McpCalls.ReadAsync(admin);
        Assert.Equal("disabled", tenant["health"]!.ToString());
        Assert.Equal("no ad server configured", tenant["reason"]!.ToString());
    }

    [Theory]
    [InlineData("https://acme.example.com", HttpStatusCode.OK)]
    [InlineData("http://acme.localhost:5000", HttpStatusCode.OK)]
    [InlineData("http://localhost:6274", HttpStatusCode.OK)]
    [InlineData("http://127.0.0.1:6274", HttpStatusCode.OK)]
    [InlineData("http://localhost.evil.com", HttpStatusCode.Forbidden)]
    [InlineData("https://evil.example.com", HttpStatusCode.Forbidden)]
    [InlineData("http://acme.example.com", HttpStatusCode.Forbidden)]
    [InlineData("https://globex.localhost", HttpStatusCode.Forbidden)]
    [InlineData("null", HttpStatusCode.Forbidden)]
    [InlineData("", HttpStatusCode.Forbidden)]
    public async Task A_foreign_origin_is_403(string origin, HttpStatusCode expected)
    {
        var server = shared.Host;
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("get_products"));
        request.Headers.TryAddWithoutValidation("Origin", origin);
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task A_page_of_this_machine_calls_in_development_only()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:AllowDevelopmentValues"] = "true" };
        await using var server = await TenancyServer.StartAsync(settings: settings, environment: "Staging");
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("get_products"));
        request.Headers.Host = "localhost";
        request.Headers.Add("Origin", "http://localhost:6274");
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Theory]
    [InlineData("mcp-param-region", "mcp-param-region")]
    [InlineData("content-type, mcp-param-region,Mcp-Param-X", "mcp-param-region, Mcp-Param-X")]
    [InlineData("mcp-param-a\"b, x-other", null)]
    public async Task A_page_may_send_the_parameters_that_travel_as_headers(string asked, string? allowed)
    {
        var server = shared.Host;
        using var request = new HttpRequestMessage(HttpMethod.Options, $"http://127.0.0.1:{server.Port}/acme/mcp");
        request.Headers.Add("Origin", "https://acme.example.com");
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Headers", asked);
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        var headers = string.Join(", ", response.Headers.GetValues("Access-Control-Allow-Headers"));
        Assert.EndsWith($"X-Tenant-ID{(allowed is null ? "" : ", " + allowed)}", headers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_may_send_the_headers_that_a_setting_names_at_allowed_origins_only()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:AllowedHeaders:0"] = "X-Api-Key" };
        await using var server = await TenancyServer.StartAsync(settings: settings);
        foreach (var (origin, isAllowed) in new[] { ("https://acme.example.com", true), ("https://evil.example", false) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Options, $"http://127.0.0.1:{server.Port}/acme/mcp");
            request.Headers.Add("Origin", origin);
            request.Headers.Add("Access-Control-Request-Method", "POST");
            request.Headers.Add("Access-Control-Request-Headers", "x-api-key");
            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            var headers = response.Headers.TryGetValues("Access-Control-Allow-Headers", out var values) ? string.Join(", ", values) : "";
            Assert.Equal(isAllowed, headers.Contains("X-Api-Key", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("/nobody/mcp", 404)]
    [InlineData("/mcp", 400)]
    public async Task A_page_can_read_why_it_finds_no_tenant(string path, int status)
    {
        var server = shared.Host;
        using var request = McpCalls.Post(server.Port, Way.Path, "any", McpCalls.Acme, McpCalls.Call("get_products"));
        request.RequestUri = new($"http://127.0.0.1:{server.Port}{path}");
        request.Headers.Add("Origin", "http://localhost:6274");
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("http://localhost:6274", response.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Theory]
    [InlineData("/acme/mcp", "active", "http://localhost:6274", 204)]
    [InlineData("/nobody/mcp", "active", "http://localhost:6274", 204)]
    [InlineData("/mcp", "active", "http://localhost:6274", 204)]
    [InlineData("/acme/mcp", "suspended", "http://localhost:6274", 204)]
    [InlineData("/acme/mcp", "disabled", "http://localhost:6274", 204)]
    [InlineData("/acme/mcp", "disabled", "https://acme.example.com", 204)]
    [InlineData("/acme/mcp", "disabled", "https://evil.example.com", 503)]
    [InlineData("/acme/mcp", "active", "https://evil.example.com", 403)]
    [InlineData("/acme/mcp", "suspended", "https://acme.example.com", 404)]
    [InlineData("/nobody/mcp", "active", "https://acme.example.com", 404)]
    public async Task A_page_that_may_call_a_tenant_is_let_through_to_read_why_it_cannot_now(
        string path,
        string state,
        string origin,
        int asked
    )
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings);
        settings["Tenancy:Tenants:0:settings:fail"] = state == "disabled" ? "no ad server configured" : null;
        settings["Tenancy:Tenants:0:status"] = state == "suspended" ? "suspended" : "active";
        await using var server = await TenancyServer.StartAsync(settings: settings);
        using var preflight = new HttpRequestMessage(HttpMethod.Options, path) { Headers = { { "Origin", origin } } };
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        using var answer = await server.Client.SendAsync(preflight, TestContext.Current.CancellationToken);
        Assert.Equal(asked, (int)answer.StatusCode);
        Assert.Equal(asked == 204, answer.Headers.Contains("Access-Control-Allow-Methods"));

        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Headers = { { "Origin", origin } } };
        request.Content = new StringContent(McpCalls.Call("get_products"), System.Text.Encoding.UTF8, "application/json");
        using var refused = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(asked == 204, refused.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Endpoints_of_ones_own_get_a_tenant_only_where_they_ask_for_one()
    {
        await using var server = await TenancyServer.StartAsync(endpoints: app =>
        {
            app.MapGet("/open", () => "open");
            app.MapGet("/{tenant}/name", (Microsoft.AspNetCore.Http.HttpContext context) => context.GetTenant().Id.Value).RequireTenant();
        });
        Assert.Equal("open", await server.Client.GetStringAsync("/open", TestContext.Current.CancellationToken));
        Assert.Equal("globex", await server.Client.GetStringAsync("/globex/name", TestContext.Current.CancellationToken));
        using var unknown = await server.Client.GetAsync("/nobody/name", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        using var icon = await server.Client.GetAsync("/favicon.ico", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, icon.StatusCode);
        Assert.Equal("", await icon.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("/acme/health", HttpStatusCode.OK)]
    [InlineData("/nobody/health", HttpStatusCode.NotFound)]
    [InlineData("/health/live", HttpStatusCode.OK)]
    [InlineData("/health/ready", HttpStatusCode.OK)]
    public async Task Health_tells_of_the_server_and_of_each_tenant(string path, HttpStatusCode expected)
    {
        var server = shared.Host;
        using var response = await server.Client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(expected, response.StatusCode);
    }

    private static async Task<(HttpStatusCode Status, string Body)> PostAsync(
        TenancyServer server,
        string host,
        string path,
        string? header
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(McpCalls.Call("get_products"), System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Host = host;
        request.Headers.Add("Accept", "application/json");
        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Tenant-ID", header.Split(','));
        }

        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}

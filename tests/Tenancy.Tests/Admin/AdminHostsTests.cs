using System.Net;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>
/// A page of another site cannot reach the admin API, neither by DNS rebinding nor across origins, not even with the development key.
/// </summary>
[Tier(Tier.Server)]
public sealed class AdminHostsTests
{
    private const string LongKey = "uGk3zR8vN1xQ5bTt0WcYh7LmPfJdS2aE9oViBnKqXwM";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost:5099")]
    [InlineData("admin.localhost")]
    public async Task In_development_the_admin_api_answers_on_loopback(string host)
    {
        await using var server = await TenancyServer.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(server, host)).Status);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("localhost.evil.example")]
    [InlineData("evil.example:5099")]
    [InlineData("192.0.2.7")]
    public async Task A_foreign_host_is_refused_although_the_key_is_right(string host)
    {
        await using var server = await TenancyServer.StartAsync();
        var (status, text) = await SendAsync(server, host);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.DoesNotContain("acme", text, StringComparison.Ordinal);
        Assert.Contains("Tenancy:Admin:AllowedHosts", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_of_a_tenants_own_is_foreign_to_the_admin_api_because_its_dns_is_the_tenants()
    {
        await using var server = await TenancyServer.StartAsync();
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(server, "acme.example.com")).Status);
    }

    [Theory]
    [InlineData("http://evil.example")]
    [InlineData("null")]
    [InlineData("https://acme.example.com")]
    [InlineData("https://console.example", "https://console.example")]
    public async Task A_foreign_origin_is_refused_although_key_and_host_are_right(params string[] origins)
    {
        await using var server = await TenancyServer.StartAsync(settings: WithConsole());
        var (status, text) = await SendAsync(server, "localhost", origins);
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.DoesNotContain("globex", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_origin_of_the_list_may_call()
    {
        await using var server = await TenancyServer.StartAsync(settings: WithConsole());
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(server, "localhost", ["https://console.example"])).Status);
    }

    [Theory]
    [InlineData("agents.example.com", HttpStatusCode.OK)]
    [InlineData("tenants.example.com", HttpStatusCode.OK)]
    [InlineData("admin.internal:8080", HttpStatusCode.OK)]
    [InlineData("ADMIN.internal", HttpStatusCode.OK)]
    [InlineData("10.0.0.5:8080", HttpStatusCode.OK)]
    [InlineData("10.0.0.5:8081", HttpStatusCode.BadRequest)]
    [InlineData("localhost", HttpStatusCode.BadRequest)]
    [InlineData("127.0.0.1", HttpStatusCode.BadRequest)]
    [InlineData("admin.internal.evil.example", HttpStatusCode.BadRequest)]
    public async Task In_production_it_answers_at_the_servers_own_hosts_and_at_those_that_are_configured(
        string host,
        HttpStatusCode expected
    )
    {
        await using var server = await TenancyServer.StartAsync(
            environment: "Production",
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:PublicUrl"] = "https://agents.example.com",
                ["Tenancy:BaseDomain"] = "tenants.example.com",
                ["Tenancy:AcceptEmbeddedStore"] = "true",
                ["Tenancy:Admin:Keys:0"] = LongKey,
                ["Tenancy:Admin:AllowedHosts"] = "admin.internal,10.0.0.5:8080",
            }
        );
        Assert.Equal(expected, (await SendAsync(server, host, key: LongKey)).Status);
    }

    [Theory]
    [InlineData("Development", HttpStatusCode.BadRequest)]
    [InlineData("Production", HttpStatusCode.OK)]
    public async Task A_server_for_one_tenant_that_names_no_host_answers_at_any_but_in_development_where_the_key_is_known(
        string environment,
        HttpStatusCode expected
    )
    {
        await using var server = await TenancyServer.StartAsync(
            environment: environment,
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:MultiTenant"] = "false",
                ["Tenancy:Identification"] = "host",
                ["Tenancy:AcceptEmbeddedStore"] = "true",
                ["Tenancy:Admin:Keys:0"] = LongKey,
            }
        );
        Assert.Equal(expected, (await SendAsync(server, "anything.example", key: LongKey)).Status);
    }

    private static Dictionary<string, string?> WithConsole() =>
        new(TenancyServer.DefaultSettings) { ["Tenancy:AllowedOrigins:0"] = "https://console.example" };

    private static async Task<(HttpStatusCode Status, string Text)> SendAsync(
        TenancyServer server,
        string host,
        string[]? origins = null,
        string key = TenancyServer.AdminKey
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/admin/tenants");
        request.Headers.Host = host;
        request.Headers.Add("X-Admin-API-Key", key);
        foreach (var origin in origins ?? [])
        {
            request.Headers.TryAddWithoutValidation("Origin", origin);
        }

        using var response = await server.Client.SendAsync(request, Token);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Token));
    }
}

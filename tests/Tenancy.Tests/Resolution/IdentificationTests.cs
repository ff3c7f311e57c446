using System.Net;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Resolution;

/// <summary>The ways in which a request may name its tenant, alone and together.</summary>
[Tier(Tier.Server)]
public sealed class IdentificationTests(IdentificationTests.Servers servers) : IClassFixture<IdentificationTests.Servers>
{
    private const string Acme = "acme-banner";
    private const string Globex = "globex-shelf";

    // What a request says: by subdomain, by path, by header, by token.
    private static readonly Dictionary<string, Call> Calls = new()
    {
        ["host"] = new("acme.localhost", "/mcp", null, null),
        ["path"] = new("localhost", "/acme/mcp", null, null),
        ["header"] = new("localhost", "/mcp", "acme", null),
        ["token"] = new("localhost", "/mcp", null, McpCalls.Acme),
        ["host and header agree"] = new("acme.localhost", "/mcp", "acme", null),
        ["path and header agree"] = new("localhost", "/acme/mcp", "acme", null),
        ["host and path agree"] = new("acme.localhost", "/acme/mcp", null, null),
        ["header and token agree"] = new("localhost", "/mcp", "acme", McpCalls.Acme),
        ["host and header differ"] = new("acme.localhost", "/mcp", "globex", null),
        ["path and header differ"] = new("localhost", "/acme/mcp", "globex", null),
        ["host and path differ"] = new("acme.localhost", "/globex/mcp", null, null),
        ["header and token differ"] = new("localhost", "/mcp", "globex", McpCalls.Acme),
        ["path and token differ"] = new("localhost", "/globex/mcp", null, McpCalls.Acme),
        ["nothing"] = new("localhost", "/mcp", null, null),
        ["foreign host"] = new("evil.example.com", "/acme/mcp", "acme", McpCalls.Acme),
    };

    [Theory]
    // One way: the others say nothing, except that a path that no way reads leads nowhere.
    [InlineData("host", "host", HttpStatusCode.OK)]
    [InlineData("host", "path", HttpStatusCode.NotFound)]
    [InlineData("host", "header", HttpStatusCode.BadRequest)]
    [InlineData("host", "token", HttpStatusCode.BadRequest)]
    [InlineData("host", "host and header differ", HttpStatusCode.OK)]
    [InlineData("host", "host and path differ", HttpStatusCode.BadRequest)]
    [InlineData("host", "host and path agree", HttpStatusCode.BadRequest)]
    [InlineData("subdomain", "host", HttpStatusCode.OK)]
    [InlineData("path", "host", HttpStatusCode.BadRequest)]
    [InlineData("path", "path", HttpStatusCode.OK)]
    [InlineData("path", "header", HttpStatusCode.BadRequest)]
    [InlineData("path", "path and header differ", HttpStatusCode.OK)]
    [InlineData("header", "host", HttpStatusCode.BadRequest)]
    [InlineData("header", "path", HttpStatusCode.NotFound)]
    [InlineData("header", "header", HttpStatusCode.OK)]
    [InlineData("header", "path and header agree", HttpStatusCode.BadRequest)]
    [InlineData("header", "path and header differ", HttpStatusCode.BadRequest)]
    [InlineData("header", "header and token differ", HttpStatusCode.Unauthorized)]
    [InlineData("token", "token", HttpStatusCode.OK)]
    [InlineData("token", "host", HttpStatusCode.BadRequest)]
    [InlineData("token", "path", HttpStatusCode.NotFound)]
    [InlineData("token", "path and token differ", HttpStatusCode.BadRequest)]
    [InlineData("token", "header and token differ", HttpStatusCode.OK)]
    // Two ways: either is enough, both must agree.
    [InlineData("host,path", "host", HttpStatusCode.OK)]
    [InlineData("host,path", "path", HttpStatusCode.OK)]
    [InlineData("host,path", "host and path agree", HttpStatusCode.OK)]
    [InlineData("host,path", "host and path differ", HttpStatusCode.BadRequest)]
    [InlineData("host,path", "header", HttpStatusCode.BadRequest)]
    [InlineData("host,header", "host", HttpStatusCode.OK)]
    [InlineData("host,header", "header", HttpStatusCode.OK)]
    [InlineData("host,header", "host and header agree", HttpStatusCode.OK)]
    [InlineData("host,header", "host and header differ", HttpStatusCode.BadRequest)]
    [InlineData("host,header", "path", HttpStatusCode.NotFound)]
    [InlineData("path,header", "path", HttpStatusCode.OK)]
    [InlineData("path,header", "header", HttpStatusCode.OK)]
    [InlineData("path,header", "path and header agree", HttpStatusCode.OK)]
    [InlineData("path,header", "path and header differ", HttpStatusCode.BadRequest)]
    [InlineData("header,token", "header", HttpStatusCode.OK)]
    [InlineData("header,token", "token", HttpStatusCode.OK)]
    [InlineData("header,token", "header and token agree", HttpStatusCode.OK)]
    [InlineData("header,token", "header and token differ", HttpStatusCode.BadRequest)]
    [InlineData("path,token", "path and token differ", HttpStatusCode.BadRequest)]
    // All ways.
    [InlineData("host,path,header,token", "token", HttpStatusCode.OK)]
    [InlineData("host,path,header,token", "nothing", HttpStatusCode.BadRequest)]
    [InlineData("host,path,header,token", "foreign host", HttpStatusCode.BadRequest)]
    public async Task A_tenant_is_named_in_the_ways_that_are_configured_and_in_no_other(string ways, string call, HttpStatusCode expected)
    {
        var (status, body) = await SendAsync(Settings(ways), Calls[call]);
        Assert.Equal(expected, status);
        Assert.Equal(expected == HttpStatusCode.OK, body.Contains(Acme, StringComparison.Ordinal));
        Assert.DoesNotContain(Globex, body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "nothing", HttpStatusCode.OK)]
    [InlineData("", "header", HttpStatusCode.OK)]
    [InlineData("", "host", HttpStatusCode.OK)]
    [InlineData("", "path", HttpStatusCode.NotFound)]
    [InlineData("", "foreign host", HttpStatusCode.BadRequest)]
    [InlineData("path", "nothing", HttpStatusCode.OK)]
    [InlineData("path", "path and header differ", HttpStatusCode.OK)]
    [InlineData("header", "nothing", HttpStatusCode.OK)]
    [InlineData("header", "path", HttpStatusCode.NotFound)]
    [InlineData("header", "host and path differ", HttpStatusCode.NotFound)]
    [InlineData("host,path,header", "host and path differ", HttpStatusCode.BadRequest)]
    public async Task The_default_tenant_gets_only_what_names_no_tenant(string ways, string call, HttpStatusCode expected)
    {
        var settings = Settings(ways);
        settings["Tenancy:DefaultTenant"] = "acme";
        var (status, body) = await SendAsync(settings, Calls[call]);
        Assert.Equal(expected, status);
        Assert.Equal(expected == HttpStatusCode.OK, body.Contains(Acme, StringComparison.Ordinal));
        Assert.DoesNotContain(Globex, body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("header and token differ")]
    [InlineData("host and path differ")]
    [InlineData("path and header differ")]
    public async Task A_server_for_one_tenant_sends_every_request_to_it(string call)
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:MultiTenant"] = "false",
            ["Tenancy:DefaultTenant"] = "acme",
        };
        var (status, body) = await SendAsync(settings, Calls[call]);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains(Acme, body, StringComparison.Ordinal);
    }

    private static Dictionary<string, string?> Settings(string ways)
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:Identification"] = ways };

        // URLs are refused where no way reads them.
        settings.Remove("Tenancy:Tenants:0:urls:0");
        settings.Remove("Tenancy:Tenants:1:urls:0");
        return settings;
    }

    private async Task<(HttpStatusCode Status, string Body)> SendAsync(Dictionary<string, string?> settings, Call call)
    {
        var server = await servers.GetAsync(settings);
        using var request = new HttpRequestMessage(HttpMethod.Post, call.Path)
        {
            Content = new StringContent(McpCalls.Call("get_products"), System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Host = call.Host;
        request.Headers.Add("Accept", "application/json");
        if (call.Header is not null)
        {
            request.Headers.Add("X-Tenant-ID", call.Header);
        }

        if (call.Token is not null)
        {
            request.Headers.Add("Authorization", "Bearer " + call.Token);
        }

        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>One server for each set of settings: all requests only read.</summary>
    public sealed class Servers : IAsyncLifetime
    {
        private readonly Dictionary<string, TenancyServer> _servers = [];

        public ValueTask InitializeAsync() => default;

        public async ValueTask DisposeAsync()
        {
            foreach (var server in _servers.Values)
            {
                await server.DisposeAsync();
            }
        }

        internal async Task<TenancyServer> GetAsync(Dictionary<string, string?> settings)
        {
            var key = string.Join('\n', settings.Select(setting => $"{setting.Key}={setting.Value}"));
            if (!_servers.TryGetValue(key, out var server))
            {
                _servers.Add(key, server = await StartAsync(settings));
            }

            return server;
        }

        // The server outlives the test that comes first, and must not write into its output later.
        private static Task<TenancyServer> StartAsync(Dictionary<string, string?> settings)
        {
            using (ExecutionContext.SuppressFlow())
            {
                return Task.Run(() => TenancyServer.StartAsync(settings: settings));
            }
        }
    }

    private sealed record Call(string Host, string Path, string? Header, string? Token);
}

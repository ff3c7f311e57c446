using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin.Start;

/// <summary>The page at <c>/</c> in Development.</summary>
[Tier(Tier.Server)]
public sealed class StartPageTests
{
    private static readonly string AdminKey = new('k', 44);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_says_what_runs_here_and_how_each_tenant_is_called_and_that_is_so()
    {
        await using var server = await TenancyServer.StartAsync();
        var page = await ReadAsync(server, "/");
        Assert.Contains("<h2>acme</h2>", page, StringComparison.Ordinal);
        Assert.Contains("<h2>globex</h2>", page, StringComparison.Ordinal);
        Assert.Contains("<a href=\"/admin\">", page, StringComparison.Ordinal);

        var configuration = JsonNode.Parse(Block(page, ".mcp.json"))!["mcpServers"]!["acme"]!;
        Assert.Equal("http", (string?)configuration["type"]);
        Assert.Equal("Bearer acme.dev-buyer", (string?)configuration["headers"]!["Authorization"]);
        foreach (var command in (string[])["curl", "MCP Inspector"])
        {
            Assert.Contains($"'{configuration["url"]}'", Block(page, command), StringComparison.Ordinal);
            Assert.Contains("'Authorization: Bearer acme.dev-buyer'", Block(page, command), StringComparison.Ordinal);
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, (string)configuration["url"]!)
        {
            Content = new StringContent("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""", Encoding.UTF8, "application/json"),
            Headers = { Authorization = AuthenticationHeaderValue.Parse((string)configuration["headers"]!["Authorization"]!) },
        };
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("get_products", await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("path", null, "http://127.0.0.1:{port}/acme/mcp", null)]
    [InlineData("header", null, "http://127.0.0.1:{port}/mcp", "X-Tenant-ID: acme")]
    [InlineData("host", "http://localhost:8080", "http://acme.localhost:8080/mcp", null)]
    public async Task A_tenant_is_called_as_the_settings_have_it(string ways, string? publicUrl, string url, string? header)
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:Identification"] = ways };

        // URLs of their own would be another way.
        settings.Remove("Tenancy:Tenants:0:urls:0");
        settings.Remove("Tenancy:Tenants:1:urls:0");
        if (publicUrl is not null)
        {
            settings["Tenancy:PublicUrl"] = publicUrl;
        }

        await using var server = await TenancyServer.StartAsync(settings: settings);
        var curl = Block(await ReadAsync(server, "/"), "curl");
        Assert.Contains(
            $"'{url.Replace("{port}", server.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)}'",
            curl,
            StringComparison.Ordinal
        );
        Assert.Equal(header is not null, curl.Contains("X-Tenant-ID: acme", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_shows_twenty_tenants_and_how_many_more_there_are()
    {
        await using var server = await TenancyServer.StartAsync();
        for (var i = 0; i < 30; i++)
        {
            using var made = await server.AdminAsync(HttpMethod.Post, "", new { id = $"t{i:00}" });
        }

        var page = await ReadAsync(server, "/");
        Assert.Equal(20, Regex.Count(page, "<h2>"));
        Assert.Contains("And 12 more.", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Texts_of_tenants_stay_texts_and_tokens_that_are_secrets_are_not_shown()
    {
        var secret = "acme." + new string('s', 43);
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:0:name"] = "</pre><script>alert('x')</script>",
            ["Tenancy:Tenants:0:principals:0:token"] = secret,
        };
        await using var server = await TenancyServer.StartAsync(settings: settings);
        using var response = await server.Client.GetAsync("/", Token);
        var page = await response.Content.ReadAsStringAsync(Token);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("&lt;script&gt;alert", page, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, page, StringComparison.Ordinal);
        Assert.Contains("Bearer TOKEN", Block(page, "curl"), StringComparison.Ordinal);
        Assert.StartsWith("default-src 'none'", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.True(response.Headers.CacheControl is { NoStore: true });
    }

    [Fact]
    public async Task Outside_of_development_it_is_not_there()
    {
        var settings = new Dictionary<string, string?>
        {
            ["Tenancy:PublicUrl"] = "https://agents.example.com",
            ["Tenancy:Admin:Keys:0"] = AdminKey,
            ["Tenancy:AcceptEmbeddedStore"] = "true",
        };
        await using var server = await TenancyServer.StartAsync(settings: settings, environment: "Staging");
        foreach (var host in (string[])["agents.example.com", $"127.0.0.1:{server.Port}"])
        {
            Assert.Equal("NotFound ", await AnswerAsync(server, host));
        }
    }

    [Fact]
    public async Task At_a_host_that_is_a_tenants_or_anybody_elses_it_is_not_there()
    {
        await using var server = await TenancyServer.StartAsync();
        Assert.Equal("NotFound ", await AnswerAsync(server, "acme.example.com"));
        Assert.Equal("NotFound ", await AnswerAsync(server, "evil.example"));
        Assert.StartsWith("OK <!doctype", await AnswerAsync(server, $"localhost:{server.Port}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_application_has_at_this_path_answers_instead()
    {
        await using (var server = await TenancyServer.StartAsync(endpoints: app => app.MapGet("/", () => "mine")))
        {
            Assert.Equal("mine", await ReadAsync(server, "/"));
        }

        await using (var server = await TenancyServer.StartAsync(endpoints: app => app.MapFallback(() => "fallback")))
        {
            Assert.Equal("fallback", await ReadAsync(server, "/"));
        }

        await using (var server = await TenancyServer.StartAsync(endpoints: app => app.MapGet("/", () => Results.NotFound())))
        {
            Assert.Equal("NotFound ", await AnswerAsync(server, $"localhost:{server.Port}"));
        }

        await using (
            var server = await TenancyServer.StartAsync(endpoints: app => app.Run(context => context.Response.WriteAsync("a middleware's")))
        )
        {
            Assert.Equal("a middleware's", await ReadAsync(server, "/"));
        }
    }

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/index.html")]
    public async Task Other_paths_are_not_its(string path)
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await server.Client.GetAsync(path, Token);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        using var posted = await server.Client.PostAsync("/", content: null, Token);
        Assert.Equal(HttpStatusCode.NotFound, posted.StatusCode);
    }

    [Fact]
    public async Task Without_an_admin_api_it_links_no_console()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings);
        settings.Remove("Tenancy:Admin:Keys:0");
        await using var server = await TenancyServer.StartAsync(settings: settings);
        var page = await ReadAsync(server, "/");
        Assert.DoesNotContain("<a ", page, StringComparison.Ordinal);
        Assert.Contains("There is no console", page, StringComparison.Ordinal);
    }

    private static Task<string> ReadAsync(TenancyServer server, string path) => server.Client.GetStringAsync(path, Token);

    private static async Task<string> AnswerAsync(TenancyServer server, string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = host } };
        using var response = await server.Client.SendAsync(request, Token);
        return $"{response.StatusCode} {await response.Content.ReadAsStringAsync(Token)}";
    }

    // The first block with a heading, as a person would copy it.
    private static string Block(string page, string heading) =>
        WebUtility.HtmlDecode(Regex.Match(page, $"{Regex.Escape(heading)}<pre>(.*?)</pre>", RegexOptions.Singleline).Groups[1].Value);
}

using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Tenancy.Admin.Console;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin.Console;

/// <summary>The console's page and its files: who gets them, where, and what a browser may do with them.</summary>
[Tier(Tier.Server)]
public sealed partial class ConsolePageTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Paths => ["/admin", .. ConsoleFile.Names.Select(name => "/admin/console/" + name)];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task The_page_opens_without_a_key_under_a_policy_that_allows_its_own_files_only(string path)
    {
        using var response = await shared.Host.Client.GetAsync(path, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(
            [
                "base-uri 'none'",
                "connect-src 'self'",
                "default-src 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
                "img-src data:",
                "require-trusted-types-for 'script'",
                "script-src 'self'",
                "style-src 'self'",
                "trusted-types 'none'",
            ],
            response.Headers.GetValues("Content-Security-Policy").Single().Split("; ").Order(StringComparer.Ordinal)
        );
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("no-referrer", response.Headers.GetValues("Referrer-Policy").Single());
        Assert.True(response.Headers.CacheControl is { NoStore: true });
    }

    [Fact]
    public async Task All_that_the_page_names_is_there_and_nothing_stands_in_it_that_the_policy_stops()
    {
        var html = await shared.Host.Client.GetStringAsync("/admin", Token);
        var named = Reference().Matches(html).Select(match => match.Groups[1].Value).Where(name => name is not ("data:," or "#main"));
        foreach (var name in named.Where(name => name[0] != '#'))
        {
            using var response = await shared.Host.Client.GetAsync("/" + name, Token);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Contains("admin/console/main.js", named);
        Assert.DoesNotMatch("""<style|<script(?![^>]* src=)| style=| on[a-z]+=""", html);
    }

    [Fact]
    public void No_script_makes_markup_of_text_or_keeps_anything()
    {
        var scripts = ConsoleFile.Names.Where(name => name.EndsWith(".js", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(scripts);
        Assert.All(scripts, name =>
            Assert.DoesNotMatch(
                "innerHTML|outerHTML|insertAdjacentHTML|document\\.write|DOMParser|srcdoc|eval\\(|Function\\(|localStorage|sessionStorage"
                    + "|indexedDB|\\.cookie|https?://(?!www\\.w3\\.org/2000/svg)(?!acme\\.example\\.com)",
                Encoding.UTF8.GetString(ConsoleFile.Read(name).Content.Span)
            )
        );
    }

    [Fact]
    public async Task The_page_and_its_files_are_under_60_KB_together()
    {
        var (sent, unpacked) = (0L, 0L);
        foreach (var path in Paths)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path.Data) { Headers = { { "Accept-Encoding", "gzip, br" } } };
            using var response = await shared.Host.Client.SendAsync(request, Token);
            Assert.Equal(["gzip"], response.Content.Headers.ContentEncoding);
            var packed = await response.Content.ReadAsByteArrayAsync(Token);
            using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
            using var content = new MemoryStream();
            await gzip.CopyToAsync(content, Token);
            Assert.Equal(await shared.Host.Client.GetByteArrayAsync(path.Data, Token), content.ToArray());
            (sent, unpacked) = (sent + packed.Length, unpacked + content.Length);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{sent} bytes are sent, {unpacked} unpacked.");
        Assert.InRange(sent, 1, 60_000);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_host_at_which_the_api_does_not_answer_gets_what_the_api_says_there(string path)
    {
        var answers = new List<string>();
        foreach (var asked in (string[])[path, "/admin/tenants"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, asked) { Headers = { Host = "acme.example.com" } };
            using var response = await shared.Host.Client.SendAsync(request, Token);
            answers.Add($"{response.StatusCode} {response.Headers.CacheControl} {await response.Content.ReadAsStringAsync(Token)}");
        }

        Assert.StartsWith("BadRequest no-store {", answers[1], StringComparison.Ordinal);
        Assert.Equal(answers[1], answers[0]);
    }

    [Fact]
    public async Task Without_an_admin_key_in_the_settings_there_is_no_page()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings);
        settings.Remove("Tenancy:Admin:Keys:0");
        await using var server = await TenancyServer.StartAsync(settings: settings);
        foreach (var path in Paths)
        {
            using var response = await server.Client.GetAsync(path.Data, Token);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("http://127.0.0.1:{port}", "127.0.0.1:{port}", HttpStatusCode.Created)]
    [InlineData("http://localhost:{port}", "localhost:{port}", HttpStatusCode.Created)]
    [InlineData("https://localhost:{port}", "localhost:{port}", HttpStatusCode.Created)]
    [InlineData("http://localhost:1", "localhost:{port}", HttpStatusCode.Forbidden)]
    [InlineData("http://evil.example", "localhost:{port}", HttpStatusCode.Forbidden)]
    [InlineData("http://evil.example", "evil.example", HttpStatusCode.BadRequest)]
    [InlineData("http://localhost:{port}/", "127.0.0.1:{port}", HttpStatusCode.Forbidden)]
    [InlineData("null", "localhost:{port}", HttpStatusCode.Forbidden)]
    // A tenant's own subdomain, where its pages may be.
    [InlineData("http://acme.localhost:{port}", "acme.localhost:{port}", HttpStatusCode.Forbidden)]
    public async Task The_servers_own_page_may_change_tenants_and_another_ones_may_not(string origin, string host, HttpStatusCode status)
    {
        await using var server = await TenancyServer.StartAsync();
        var port = server.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/admin/tenants")
        {
            Content = new StringContent("""{"id":"initech"}""", Encoding.UTF8, "application/json"),
            Headers =
            {
                { "X-Admin-API-Key", TenancyServer.AdminKey },
                { "Origin", origin.Replace("{port}", port, StringComparison.Ordinal) },
            },
        };
        request.Headers.Host = host.Replace("{port}", port, StringComparison.Ordinal);
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(status, response.StatusCode);
    }

    [Fact]
    public async Task A_page_of_another_site_may_not_change_tenants_where_any_host_leads_to_the_server()
    {
        // One tenant, and neither a public URL nor a base domain: DNS rebinding makes a page of another site one of this host.
        var settings = new Dictionary<string, string?>
        {
            ["Tenancy:MultiTenant"] = "false",
            ["Tenancy:Identification"] = "host",
            ["Tenancy:Admin:Keys:0"] = new string('k', 44),
            ["Tenancy:AcceptEmbeddedStore"] = "true",
        };
        await using var server = await TenancyServer.StartAsync(settings: settings, environment: "Production");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/admin/tenants")
        {
            Content = new StringContent("""{"id":"default"}""", Encoding.UTF8, "application/json"),
            Headers = { { "X-Admin-API-Key", new string('k', 44) }, { "Origin", "http://evil.example" } },
        };
        request.Headers.Host = "evil.example";
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task A_page_of_the_application_at_its_place_comes_first()
    {
        await using var server = await TenancyServer.StartAsync(endpoints: app => app.MapGet("/admin", () => "mine"));
        Assert.Equal("mine", await server.Client.GetStringAsync("/admin", Token));
    }

    [Fact]
    public async Task With_a_slash_at_its_end_it_leads_to_the_page()
    {
        using var response = await shared.Host.Client.GetAsync("/admin/", HttpCompletionOption.ResponseHeadersRead, Token);
        Assert.Equal("/admin", response.RequestMessage!.RequestUri!.AbsolutePath);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [GeneratedRegex("(?:href|src)=\"([^\"]+)\"")]
    private static partial Regex Reference();
}

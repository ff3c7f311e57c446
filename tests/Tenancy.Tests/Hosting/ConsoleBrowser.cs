using System.Text.Json;
using Microsoft.Playwright;

namespace Tenancy.Tests.Hosting;

/// <summary>
/// Debian's Chromium, in which tests look at the console. Skips the test where there is none, unless TENANCY_REQUIRE_BROWSER says that
/// there must be one. It notes what the page writes to its console: errors of scripts, and what the content security policy stopped.
/// </summary>
internal sealed class ConsoleBrowser : IAsyncDisposable
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private ConsoleBrowser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>Where axe is, as <c>tests/Console/install</c> puts it there.</summary>
    private static string Axe => Path.Combine(Repository.Root, "tests", "Console", "node_modules", "axe-core", "axe.min.js");

    /// <summary>What pages complained of.</summary>
    public List<string> Complaints { get; } = [];

    public static async Task<ConsoleBrowser> StartAsync()
    {
        var program = Array.Find(Places, File.Exists);
        Require(program is not null, "chromium is not installed");
        Require(File.Exists(Axe), "axe is not installed: bash tests/Console/install");
        var playwright = await Playwright.CreateAsync();

        // A list loads itself again every five seconds at most, and so does what the server refused.
        Assertions.SetDefaultExpectTimeout(15_000);
        try
        {
            // Whoever runs as root, as containers do, has no sandbox of Chromium's.
            return new(
                playwright,
                await playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = ["--no-sandbox", "--disable-gpu"] })
            );
        }
        catch
        {
            playwright.Dispose();
            throw;
        }
    }

    /// <summary>Opens a page, in a window of its own.</summary>
    public async Task<IPage> OpenAsync(string url, int width = 1280, int height = 900, ColorScheme scheme = ColorScheme.Light)
    {
        var context = await _browser.NewContextAsync(
            new()
            {
                ViewportSize = new() { Width = width, Height = height },
                ColorScheme = scheme,
                ReducedMotion = ReducedMotion.Reduce,
            }
        );
        context.SetDefaultTimeout(30_000);
        var page = await context.NewPageAsync();
        page.Console += (_, message) =>
        {
            // A refusal of the API is said in the page, and by the browser in its console.
            if (message.Type is "error" or "warning" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
            {
                Complaints.Add(message.Text);
            }
        };
        page.PageError += (_, error) => Complaints.Add(error);
        await page.GotoAsync(url);
        return page;
    }

    /// <summary>Opens the console, and signs in.</summary>
    public async Task<IPage> SignInAsync(int port, int width = 1280, int height = 900, ColorScheme scheme = ColorScheme.Light)
    {
        var page = await OpenAsync($"http://127.0.0.1:{port}/admin", width, height, scheme);
        await page.GetByLabel("Admin key").FillAsync(TenancyServer.AdminKey);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "All tenants" }).WaitForAsync();
        return page;
    }

    /// <summary>What axe finds wrong with a page, by rule and element.</summary>
    public static async Task<string[]> ViolationsAsync(IPage page)
    {
        var found = await page.EvaluateAsync<JsonElement>(
            await File.ReadAllTextAsync(Axe)
                + """
                ;axe.run(document, { resultTypes: ['violations'] }).then(result => result.violations.flatMap(one =>
                  one.nodes.map(node => `${one.id} at ${node.target.join(' ')}: ${node.failureSummary}`)))
                """
        );
        return [.. found.EnumerateArray().Select(one => one.GetString()!)];
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    private static void Require(bool isThere, string what)
    {
        Assert.SkipUnless(isThere || Environment.GetEnvironmentVariable("TENANCY_REQUIRE_BROWSER") is "1", what);
        Assert.True(isThere, $"{what}, and TENANCY_REQUIRE_BROWSER says that it must be.");
    }
}

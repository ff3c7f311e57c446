using Microsoft.Playwright;
using Tenancy.Tests.Hosting;
using static Microsoft.Playwright.Assertions;

namespace Tenancy.Tests.Admin.Console;

/// <summary>Who uses a keyboard, a screen reader, a dark screen or a phone uses the console, too.</summary>
[Tier(Tier.Server)]
public sealed class ConsoleAccessTests(SharedServer shared) : IClassFixture<SharedServer>, IAsyncLifetime
{
    private static readonly object Broken = new { id = "broken", authentication = new { kind = "jwks", issuer = "http://127.0.0.1:1" } };

    private ConsoleBrowser _browser = null!;

    public async ValueTask InitializeAsync() => _browser = await ConsoleBrowser.StartAsync();

    public ValueTask DisposeAsync() => _browser?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(360, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Axe_finds_nothing_and_nothing_is_wider_than_the_screen(int width, ColorScheme scheme)
    {
        using (await shared.Host.AdminAsync(HttpMethod.Post, "", Broken))
        {
            // Whether it is there already, another case of this test has made it.
        }

        var page = await _browser.OpenAsync($"http://127.0.0.1:{shared.Host.Port}/admin", width, 740, scheme);
        await AssertFineAsync(page);
        await page.GetByLabel("Admin key").FillAsync(TenancyServer.AdminKey);
        await page.Keyboard.PressAsync("Enter");
        await page.Locator(".tenants").First.WaitForAsync();
        await AssertFineAsync(page);
        await page.GotoAsync($"http://127.0.0.1:{shared.Host.Port}/admin#/tenants/acme");
        await page.GetByRole(AriaRole.Heading, new() { Name = "Audit" }).WaitForAsync();
        await AssertFineAsync(page);
        foreach (var details in await page.Locator("summary").AllAsync())
        {
            await details.ClickAsync();
        }

        await AssertFineAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await AssertFineAsync(page);
        await page.Keyboard.PressAsync("Escape");
        await page.GetByRole(AriaRole.Link, new() { Name = "Nodes" }).ClickAsync();
        await page.GetByRole(AriaRole.Table).WaitForAsync();
        await AssertFineAsync(page);
        await page.GetByRole(AriaRole.Link, new() { Name = "New tenant" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create the tenant" }).ClickAsync();
        await Expect(page.Locator("[aria-invalid=true]").First).ToBeFocusedAsync();
        await AssertFineAsync(page);
        Assert.Empty(_browser.Complaints);
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Axe_finds_nothing_at_the_page_that_leads_to_the_console(ColorScheme scheme)
    {
        var page = await _browser.OpenAsync($"http://127.0.0.1:{shared.Host.Port}/", 390, 740, scheme);
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Open the console" })).ToBeVisibleAsync();
        await AssertFineAsync(page);
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_keyboard_alone_signs_in_finds_a_tenant_and_comes_back_to_where_it_was()
    {
        var page = await _browser.OpenAsync($"http://127.0.0.1:{shared.Host.Port}/admin");
        await Expect(page.GetByLabel("Admin key")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync(TenancyServer.AdminKey);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "All tenants" })).ToBeFocusedAsync();
        await page.GetByLabel("Id, name or URL").FocusAsync();
        await page.Keyboard.TypeAsync("globex");
        await Expect(page.GetByText("1 tenant", new() { Exact = true })).ToBeVisibleAsync();
        var link = page.GetByRole(AriaRole.Link, new() { Name = "globex", Exact = true }).Last;
        await TabToAsync(page, link);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "globex" })).ToBeFocusedAsync();
        var delete = page.GetByRole(AriaRole.Button, new() { Name = "Delete" });
        await TabToAsync(page, delete);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await Expect(delete).ToBeFocusedAsync();

        // What is pressed keeps the focus while it works, and when what is around it is shown anew.
        var recheck = page.GetByRole(AriaRole.Button, new() { Name = "Recheck" });
        await recheck.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("globex is healthy.")).ToBeVisibleAsync();
        await Expect(recheck).ToBeFocusedAsync();
    }

    [Fact]
    public async Task A_key_of_one_tenant_shows_that_one_and_asks_once_at_most_for_what_it_is_refused()
    {
        const string OfAcme = "a-key-of-acme";
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:Admin:TenantKeys:0"] = $"acme={OfAcme}" };
        await using var server = await TenancyServer.StartAsync(settings: settings);
        var url = $"http://127.0.0.1:{server.Port}/admin";
        var page = await _browser.OpenAsync(url);
        var refused = 0;
        page.Response += (_, response) => refused += response.Status == 403 ? 1 : 0;
        await page.GetByLabel("Admin key").FillAsync(OfAcme);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".tenants a")).ToHaveTextAsync("acme");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Nodes" })).ToBeHiddenAsync();
        await page.GotoAsync(url + "#/nodes");
        await Expect(page.GetByText("A key for one tenant is told of no nodes.")).ToBeVisibleAsync();
        await page.GotoAsync(url + "#/");
        await Expect(page.Locator(".tenants a")).ToHaveTextAsync("acme");
        Assert.InRange(refused, 0, 1);
        Assert.Empty(_browser.Complaints);
    }

    private static async Task TabToAsync(IPage page, ILocator wanted)
    {
        for (var i = 0; i < 60; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            if (await wanted.EvaluateAsync<bool>("element => element === document.activeElement"))
            {
                return;
            }
        }

        Assert.Fail("The keyboard does not get there.");
    }

    private static async Task AssertFineAsync(IPage page)
    {
        Assert.Empty(await ConsoleBrowser.ViolationsAsync(page));
        Assert.Equal(0, await page.EvaluateAsync<int>("Math.max(0, document.documentElement.scrollWidth - innerWidth)"));
    }
}

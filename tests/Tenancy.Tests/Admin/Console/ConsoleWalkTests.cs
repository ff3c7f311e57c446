using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using Tenancy.Tests.Fleet;
using Tenancy.Tests.Hosting;
using static Microsoft.Playwright.Assertions;

namespace Tenancy.Tests.Admin.Console;

/// <summary>What a person does in the console, in a real browser, at one of two nodes on a real Redis.</summary>
[Tier(Tier.Process)]
public sealed class ConsoleWalkTests : IAsyncLifetime
{
    private const string HostileName = "<img src=x onerror=\"document.title='taken'\"> & <script>document.title='taken'</script>";

    private const string Secret = "s3cret-d4e5f6";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private NodesOnOneStore _nodes = null!;
    private StubServer _issuer = null!;
    private ConsoleBrowser _browser = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private int Port => _nodes[0].Port;

    public async ValueTask InitializeAsync()
    {
        _browser = await ConsoleBrowser.StartAsync();
        _issuer = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(_key, "one")));
        _nodes = await NodesOnOneStore.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var one in (IAsyncDisposable?[])[_browser, _nodes, _issuer])
        {
            await (one?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        _key.Dispose();
    }

    [Fact]
    public async Task A_tenant_is_made_breaks_is_repaired_is_suspended_elsewhere_and_is_deleted()
    {
        var page = await _browser.OpenAsync($"http://127.0.0.1:{Port}/admin");

        // Without a key there is a page, and nothing on it.
        await Expect(page).ToHaveTitleAsync("Sign in · Tenants");
        await page.GetByLabel("Admin key").FillAsync("a-key-that-nobody-has");
        await Button(page, "Sign in").ClickAsync();
        await Expect(page.GetByText("The server does not know this key.")).ToBeVisibleAsync();
        await Expect(page.GetByText("acme")).ToHaveCountAsync(0);

        await page.GetByLabel("Admin key").FillAsync(TenancyServer.AdminKey);
        await page.Keyboard.PressAsync("Enter");
        await Expect(Heading(page, "All tenants")).ToBeVisibleAsync();
        await Expect(Row(page, "acme").GetByText("healthy")).ToBeVisibleAsync();
        await Expect(Heading(page, "Nothing is broken")).ToBeVisibleAsync();

        await CreateAsync(page);
        await Expect(State(page)).ToContainTextAsync("healthy");

        // The identity provider breaks: what it answers is shown, as text, on the first page and without a click.
        _issuer.Answer = static context =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return context.Response.WriteAsync(HostileName);
        };
        await Button(page, "Recheck").ClickAsync();
        await Expect(State(page)).ToContainTextAsync("unverified");
        await page.GetByRole(AriaRole.Link, new() { Name = "← All tenants" }).ClickAsync();
        var broken = page.GetByRole(AriaRole.Region, new() { Name = "Broken: 1" });
        await Expect(broken.GetByText("503")).ToBeVisibleAsync();
        await Expect(broken).ToContainTextAsync(await ReasonAsync("initech"));
        await Expect(broken.GetByText("unverified")).ToBeVisibleAsync();

        _issuer.Answer = StubServer.Issuer(TestKeys.Set(TestKeys.Ec(_key, "one")));
        await Button(page, "Recheck initech").ClickAsync();
        await Expect(Heading(page, "Nothing is broken")).ToBeVisibleAsync();

        // Another node suspends it. Nobody touches the page.
        using (var suspended = await _nodes[1].AdminAsync(HttpMethod.Patch, "/initech", new { status = "suspended" }))
        {
            Assert.Equal(HttpStatusCode.OK, suspended.StatusCode);
        }

        await Expect(Row(page, "initech").GetByText("suspended")).ToBeVisibleAsync();

        await DeleteAsync(page);
        await AssertNothingIsKeptAsync(page);
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task To_skip_to_the_content_leaves_the_page_as_it_is()
    {
        var page = await OpenTenantAsync("acme");
        await page.Locator(".skip").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("main")).ToBeFocusedAsync();
        await Expect(Heading(page, "acme")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_token_stays_until_somebody_has_it_also_where_the_key_is_refused_meanwhile()
    {
        var page = await OpenTenantAsync("acme");
        await page.GetByText("Issue a principal").ClickAsync();
        var form = page.GetByRole(AriaRole.Region, new() { Name = "Principals" });
        await form.GetByLabel("Name").FillAsync("kept");
        await Button(form, "Issue").ClickAsync();
        var field = page.GetByRole(AriaRole.Dialog).Locator("textarea");
        await Expect(field).ToBeVisibleAsync();
        await page.RouteAsync("**/admin/nodes*", route => route.FulfillAsync(new() { Status = 401, Body = "{}" }));
        await page.EvaluateAsync("location.hash = '#/nodes'");
        await Expect(page.Locator("#sign-in")).ToBeVisibleAsync();
        Assert.Equal(HttpStatusCode.OK, await _nodes.StatusAsync(0, "acme", await field.InputValueAsync()));
    }

    [Fact]
    public async Task A_token_is_shown_once_when_a_principal_is_issued_and_when_it_is_rotated()
    {
        var page = await OpenTenantAsync("acme");
        await page.GetByText("Issue a principal").ClickAsync();
        var form = page.GetByRole(AriaRole.Region, new() { Name = "Principals" });
        await form.GetByLabel("Name").FillAsync(HostileName);
        await Button(form, "Issue").ClickAsync();

        // A token that is shown once goes by its button alone.
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await page.Keyboard.PressAsync("Escape");
        var issued = await TakeTokenAsync(page);
        Assert.Equal(HttpStatusCode.OK, await _nodes.StatusAsync(0, "acme", issued));

        // Sessions, audit and an explanation of a token name a principal by its id.
        var row = form.GetByRole(AriaRole.Row).Filter(new() { HasText = HostileName });
        await Expect(row.Locator("code")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^[A-Za-z0-9_-]{16}$"));

        // Who presses Escape while the server works gets the token all the same.
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await page.RouteAsync("**/rotate*", async route =>
        {
            await held.Task;
            await route.ContinueAsync();
        });
        await Button(page, $"Rotate the token of {HostileName}").ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Rotate" }).ClickAsync();
        await page.Keyboard.PressAsync("Escape");
        await page.Keyboard.PressAsync("Escape");
        held.SetResult();
        var rotated = await TakeTokenAsync(page);
        Assert.NotEqual(issued, rotated);
        Assert.Equal(HttpStatusCode.OK, await _nodes.StatusAsync(0, "acme", rotated));

        await Button(page, $"Revoke {HostileName}").ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Expect(Button(page, $"Revoke {HostileName}")).ToHaveCountAsync(0);
        Assert.Equal(HttpStatusCode.Unauthorized, await _nodes.StatusAsync(0, "acme", rotated));
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_detail_shows_why_tokens_were_refused_and_who_did_what()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await _nodes.StatusAsync(0, "acme", "acme.<script>alert(1)</script>"));
        Assert.Equal(HttpStatusCode.OK, await _nodes.StatusAsync(0, "acme", "acme.dev-buyer"));
        var page = await OpenTenantAsync("acme");
        await Expect(Region(page, "Refused tokens").GetByRole(AriaRole.Rowheader, new() { Name = "principal" })).ToBeVisibleAsync();
        await Button(page, "Suspend").ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Suspend" }).ClickAsync();
        await Expect(State(page)).ToContainTextAsync("suspended");
        await Expect(Region(page, "Audit").GetByText("tenant.suspended")).ToBeVisibleAsync();
        await Button(page, "Resume").ClickAsync();
        await Expect(State(page)).ToContainTextAsync("healthy");

        await page.GetByRole(AriaRole.Link, new() { Name = "Nodes" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(3);
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_secret_is_set_and_taken_out_and_its_value_is_not_shown()
    {
        var page = await OpenTenantAsync("acme");
        var part = Region(page, "Secrets");
        await Expect(part.GetByText("No secrets.")).ToBeVisibleAsync();
        await part.GetByText("Set a secret").ClickAsync();
        await part.GetByLabel("Name", new() { Exact = true }).FillAsync("adServerKey");
        await part.GetByLabel("Value", new() { Exact = true }).FillAsync(Secret);
        await Button(part, "Set").ClickAsync();
        await Expect(part.GetByRole(AriaRole.Rowheader, new() { Name = "adServerKey" })).ToBeVisibleAsync();
        await Expect(part.GetByText("(hidden)")).ToBeVisibleAsync();
        await Expect(part.GetByLabel("Value", new() { Exact = true })).ToHaveValueAsync("");
        Assert.DoesNotContain(Secret, await page.EvaluateAsync<string>(Everything), StringComparison.Ordinal);

        await Button(part, "Take the secret adServerKey out").ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Take out" }).ClickAsync();
        await Expect(part.GetByText("No secrets.")).ToBeVisibleAsync();
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_server_that_is_away_for_a_while_takes_nothing_from_the_page()
    {
        const string Tenant = "**/admin/tenants/acme";
        var page = await OpenTenantAsync("acme");
        await Expect(Region(page, "Audit")).ToBeVisibleAsync();
        await page.RouteAsync(Tenant, route => route.FulfillAsync(new() { Status = 503, Body = "{}" }));
        using (var suspended = await _nodes[1].AdminAsync(HttpMethod.Patch, "/acme", new { status = "suspended" }))
        {
            Assert.Equal(HttpStatusCode.OK, suspended.StatusCode);
        }

        var note = page.GetByText("The server answered 503.");
        await Expect(note).ToBeVisibleAsync();
        await Expect(Region(page, "Audit")).ToBeVisibleAsync();
        await Expect(State(page)).ToContainTextAsync("healthy");

        await page.UnrouteAllAsync();
        await Expect(State(page)).ToContainTextAsync("suspended");
        await Expect(note).ToBeHiddenAsync();
        await Expect(Region(page, "Audit")).ToBeVisibleAsync();
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_key_that_is_withdrawn_leads_back_to_the_start()
    {
        var page = await OpenTenantAsync("acme");
        await page.RouteAsync("**/admin/tenants/acme/recheck", route => route.FulfillAsync(new() { Status = 401, Body = "{}" }));
        await Button(page, "Recheck").ClickAsync();
        await Expect(page.GetByText("The server does not know this key.")).ToBeVisibleAsync();
        await Expect(Heading(page, "acme")).ToHaveCountAsync(0);
        await Expect(page.GetByLabel("Admin key")).ToBeFocusedAsync();
        await Expect(page.GetByLabel("Admin key")).ToHaveValueAsync("");
    }

    private async Task CreateAsync(IPage page)
    {
        await page.GetByRole(AriaRole.Link, new() { Name = "New tenant" }).ClickAsync();
        await page.GetByLabel("Id (required)").FillAsync("Initech!");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync(HostileName);
        await page.GetByLabel("Callers prove who they are by").SelectOptionAsync("jwks");
        await page.GetByLabel("Issuer").FillAsync(_issuer.Url);
        await page.GetByLabel("Name of secret 1").FillAsync("adServerKey");
        await page.GetByLabel("Value of secret 1").FillAsync(Secret);
        await Button(page, "Create the tenant").ClickAsync();

        // What is wrong stands at its field, which has the focus.
        var id = page.GetByLabel("Id (required)");
        await Expect(id).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(id).ToBeFocusedAsync();
        await Expect(page.Locator("#field-id-error")).Not.ToBeEmptyAsync();
        await id.FillAsync("initech");
        await page.Keyboard.PressAsync("Enter");
        await Expect(Heading(page, "initech")).ToBeVisibleAsync();
        await Expect(page.GetByText(HostileName).First).ToBeVisibleAsync();
        await Expect(Region(page, "Secrets").GetByText("adServerKey", new() { Exact = true })).ToBeVisibleAsync();
        Assert.DoesNotContain(Secret, await page.EvaluateAsync<string>(Everything), StringComparison.Ordinal);
    }

    private async Task DeleteAsync(IPage page)
    {
        await Row(page, "initech").GetByRole(AriaRole.Link).ClickAsync();
        await Button(page, "Delete").ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        var go = dialog.GetByRole(AriaRole.Button, new() { Name = "Delete it and all its data" });
        await Expect(go).ToBeDisabledAsync();
        await Expect(dialog.GetByRole(AriaRole.Textbox)).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("initec");
        await Expect(go).ToBeDisabledAsync();
        await page.Keyboard.TypeAsync("h");
        await page.Keyboard.PressAsync("Enter");
        await Expect(Heading(page, "All tenants")).ToBeVisibleAsync();
        await Expect(page.GetByText("initech is deleted, with all its data.")).ToBeVisibleAsync();
        await Expect(Row(page, "initech")).ToHaveCountAsync(0);
        using var gone = await _nodes[1].AdminAsync(HttpMethod.Get, "/initech");
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    private static async Task AssertNothingIsKeptAsync(IPage page)
    {
        var kept = await page.EvaluateAsync<string>(
            "JSON.stringify([localStorage.length, sessionStorage.length, document.cookie, location.href, "
                + "performance.getEntriesByType('resource').map(one => one.name)])"
        );
        Assert.StartsWith("""[0,0,"",""", kept, StringComparison.Ordinal);
        Assert.DoesNotContain(TenancyServer.AdminKey, kept, StringComparison.Ordinal);
        await page.ReloadAsync();
        await Expect(page.GetByLabel("Admin key")).ToBeVisibleAsync();
    }

    private async Task<IPage> OpenTenantAsync(string id)
    {
        var page = await _browser.SignInAsync(Port);
        await Row(page, id).GetByRole(AriaRole.Link).ClickAsync();
        await Expect(Heading(page, id)).ToBeVisibleAsync();
        return page;
    }

    private static async Task<string> TakeTokenAsync(IPage page)
    {
        var field = page.GetByRole(AriaRole.Dialog).Locator("textarea");
        await Expect(field).ToBeVisibleAsync();
        var token = await field.InputValueAsync();
        await Button(page, "I have it").ClickAsync();
        Assert.DoesNotContain(token, await page.EvaluateAsync<string>(Everything), StringComparison.Ordinal);
        return token;
    }

    private const string Everything =
        "document.documentElement.outerHTML + [...document.querySelectorAll('input, textarea')].map(one => one.value).join()";

    private async Task<string> ReasonAsync(string id)
    {
        using var response = await _nodes[0].AdminAsync(HttpMethod.Get, "/" + id);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!["reason"]!.GetValue<string>();
    }

    private static ILocator Button(IPage page, string name) => page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    private static ILocator Button(ILocator place, string name) => place.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    private static ILocator Heading(IPage page, string name) => page.GetByRole(AriaRole.Heading, new() { Name = name, Exact = true });

    private static ILocator Region(IPage page, string name) => page.GetByRole(AriaRole.Region, new() { Name = name, Exact = true });

    private static ILocator State(IPage page) => page.Locator("main .head .state");

    private static ILocator Row(IPage page, string id) =>
        Region(page, "Tenants")
            .GetByRole(AriaRole.Row)
            .Filter(new() { Has = page.GetByRole(AriaRole.Link, new() { Name = id, Exact = true }) });
}

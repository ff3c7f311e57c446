using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;
using static Microsoft.Playwright.Assertions;

namespace Tenancy.Tests.Admin.Console;

/// <summary>The console's lists: their pages, and what stays as it was when what they show is loaded again.</summary>
[Tier(Tier.Server)]
public sealed class ConsoleListsTests : IAsyncLifetime
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private StubServer _issuer = null!;
    private TenancyServer _server = null!;
    private ConsoleBrowser _browser = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _browser = await ConsoleBrowser.StartAsync();
        _issuer = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(_key, "one")));
        _server = await TenancyServer.StartAsync();
        await RegisterAsync(new { id = "initech", authentication = new { kind = "jwks", issuer = _issuer.Url } });
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var one in (IAsyncDisposable?[])[_browser, _server, _issuer])
        {
            await (one?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        _key.Dispose();
    }

    [Fact]
    public async Task Each_list_of_a_tenant_has_pages()
    {
        await FillAsync("initech", 45);
        var page = await OpenTenantAsync("initech");
        foreach (var (title, noun) in new[] { ("Principals", "principals"), ("OAuth clients", "clients"), ("MCP sessions", "sessions") })
        {
            var part = Region(page, title);
            await Expect(part).ToContainTextAsync($"{noun}, 1 to 20");
            await Expect(Button(part, "Previous")).ToBeDisabledAsync();
            await Button(part, "Next").ClickAsync();
            await Expect(part).ToContainTextAsync($"{noun}, 21 to 40");
            await Button(part, "Next").ClickAsync();
            await Expect(part).ToContainTextAsync($"{noun}, 41 to ");
            await Expect(Button(part, "Next")).ToBeDisabledAsync();
            await Button(part, "Previous").ClickAsync();
            await Expect(part).ToContainTextAsync($"{noun}, 21 to 40");
        }

        foreach (var (title, caption) in new[] { ("Refused requests", "By minute and reason"), ("Audit", "What was done") })
        {
            var part = Region(page, title);
            await Expect(Rows(part)).ToHaveCountAsync(20);
            var first = await Rows(part).First.TextContentAsync();
            await Button(part, "Next").ClickAsync();
            await Expect(part).ToContainTextAsync($"{caption}, the latest first, page 2");
            await Expect(Rows(part).First).Not.ToHaveTextAsync(first!);
        }

        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task What_was_spent_of_limits_is_a_chart_with_a_table_beside_it()
    {
        await PatchAsync("acme", new { limits = new { rateLimit = 2, maxConcurrentCalls = 4 } });
        for (var i = 0; i < 3; i++)
        {
            using var request = McpCalls.Post(_server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("whoami"));
            using var response = await _server.Client.SendAsync(request, Token);
            Assert.Equal(i < 2 ? HttpStatusCode.OK : HttpStatusCode.TooManyRequests, response.StatusCode);
        }

        var page = await OpenTenantAsync("acme");
        const string Told =
            "Spent at most in 24 hours: 100 % of the requests a minute, 25 % of the calls at a time; 1 request refused for it.";
        await Expect(page.GetByRole(AriaRole.Img, new() { Name = Told })).ToBeVisibleAsync();
        var table = page.Locator("details").Filter(new() { HasText = "Spent of the limits in steps" });
        await table.Locator("summary").ClickAsync();
        await Expect(Rows(table).Locator("td")).ToHaveTextAsync(["100 %", "25 %", "1"]);
        Assert.Empty(await ConsoleBrowser.ViolationsAsync(page));
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_page_whose_last_row_goes_leads_to_the_one_before()
    {
        await FillAsync("initech", 20);
        var page = await OpenTenantAsync("initech");
        var part = Region(page, "OAuth clients");
        await PostAsync("/initech/clients", new { clientId = "last", name = "last" });
        await Button(part, "Next").ClickAsync();
        await Expect(Rows(part)).ToHaveCountAsync(1);
        await Button(part, "Take out last").ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Take out" }).ClickAsync();
        await Expect(Rows(part)).ToHaveCountAsync(20);
        await Expect(Button(part, "Next")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task What_was_opened_and_scrolled_stays_so_and_only_what_changed_is_said()
    {
        await FillAsync("acme", 25);
        await _server.CallAsync("acme", McpCalls.Acme, "whoami");
        var page = await OpenTenantAsync("acme", width: 260);
        var details = Region(page, "The last 24 hours").Locator("details").First;
        await details.Locator("summary").ClickAsync();
        var scroll = details.Locator(".scroll");
        Assert.Equal(20, await scroll.EvaluateAsync<int>("element => { element.scrollLeft = 20; return element.scrollLeft; }"));
        await page.EvaluateAsync(
            """
            () => {
              window.said = [];
              window.kept = [document.querySelector('details[open]'), document.querySelector('#view h1')];
              new MutationObserver(all => all.forEach(one => {
                const place = (one.target.nodeType === 1 ? one.target : one.target.parentElement)?.closest('[role=status], [role=alert]');
                if (place) window.said.push(place.textContent);
              })).observe(document.body, { subtree: true, childList: true, characterData: true });
            }
            """
        );
        await PatchAsync("acme", new { name = "Acme of today" });
        await Expect(page.GetByText("Acme of today").First).ToBeVisibleAsync();
        await Expect(Rows(Region(page, "Audit")).First).ToContainTextAsync("Acme of today");
        await _server.CallAsync("acme", McpCalls.Acme, "whoami");
        await page.EvaluateAsync("() => document.dispatchEvent(new Event('visibilitychange'))");
        await PatchAsync("acme", new { name = "Acme of tomorrow" });
        await Expect(details.Locator("tbody td").First).ToHaveTextAsync("2", new() { Timeout = 20_000 });
        Assert.True(await page.EvaluateAsync<bool>("() => window.kept.every(one => one.isConnected) && window.kept[0].open"));
        Assert.Equal(20, await scroll.EvaluateAsync<int>("element => element.scrollLeft"));
        Assert.Empty(await page.EvaluateAsync<string[]>("() => window.said"));
    }

    [Fact]
    public async Task A_list_that_is_loaded_again_says_nothing_where_nothing_of_it_is_another()
    {
        var page = await _browser.SignInAsync(_server.Port);
        await Expect(page.GetByText("3 tenants", new() { Exact = true })).ToBeVisibleAsync();
        await page.EvaluateAsync(
            """
            () => {
              window.said = 0;
              window.row = document.querySelector('.tenants tbody tr');
              new MutationObserver(all => { window.said += all.length; })
                .observe(document.querySelector('.filter [role=status]'), { subtree: true, childList: true, characterData: true });
            }
            """
        );
        await PatchAsync("acme", new { name = "Acme of today" });
        await Expect(Region(page, "Tenants").GetByText("Acme of today")).ToBeVisibleAsync();
        Assert.Equal(0, await page.EvaluateAsync<int>("() => window.said"));
        Assert.True(await page.EvaluateAsync<bool>("() => window.row.isConnected && window.row.textContent.includes('Acme of today')"));
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task Only_a_row_that_says_another_thing_lights_up()
    {
        var page = await _browser.SignInAsync(_server.Port);
        await Expect(page.GetByText("3 tenants", new() { Exact = true })).ToBeVisibleAsync();
        await page.EvaluateAsync(
            """
            () => {
              window.lit = [];
              new MutationObserver(all => all.forEach(({ target }) => {
                if (target.matches('.fresh')) window.lit.push(target.dataset.row);
              })).observe(document.querySelector('#view'), { subtree: true, attributeFilter: ['class'] });
            }
            """
        );
        await PostAsync("/acme/principals", new { name = "one more" });
        await PatchAsync("globex", new { name = "Globex of today" });
        await Expect(Region(page, "Tenants").GetByText("Globex of today")).ToBeVisibleAsync();
        Assert.Equal(["globex"], await page.EvaluateAsync<string[]>("() => window.lit"));
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_page_that_is_turned_is_said_and_its_button_stays_in_sight()
    {
        await FillAsync("acme", 21);
        for (var i = 0; i < 30; i++)
        {
            await RegisterAsync(new { id = $"t{i:00}" });
        }

        var page = await _browser.SignInAsync(_server.Port, 390);
        await Button(page.GetByRole(AriaRole.Navigation, new() { Name = "Pages of the list" }), "Next").PressAsync("Enter");
        await Expect(Heard(page, "Tenants 26 to 33 of 33, by id")).ToHaveCountAsync(1);
        await AssertFocusIsSeenAsync(page);

        await page.EvaluateAsync("() => { location.hash = '#/tenants/acme'; }");
        var part = Region(page, "Principals");
        await Button(part, "Next").PressAsync("Enter");
        await Expect(Heard(page, "22 principals, 21 to 22")).ToHaveCountAsync(1);
        await AssertFocusIsSeenAsync(page);
        await Button(part, "Previous").PressAsync("Enter");
        await Expect(Heard(page, "22 principals, 1 to 20")).ToHaveCountAsync(1);
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_change_of_health_is_said_once_in_the_list_and_at_the_tenant()
    {
        var page = await _browser.SignInAsync(_server.Port);
        await Expect(page.GetByText("3 tenants", new() { Exact = true })).ToBeVisibleAsync();

        // Each line by itself: a status is read as a whole where nothing says otherwise.
        await Expect(page.Locator("#said")).ToHaveAttributeAsync("aria-atomic", "false");
        await page.EvaluateAsync(
            """
            () => {
              window.said = [];
              new MutationObserver(all => all.forEach(one => one.addedNodes.forEach(line => window.said.push(line.textContent))))
                .observe(document.querySelector('#said'), { childList: true });
            }
            """
        );
        BreakIssuer();
        await PostAsync("/initech/recheck", null);
        await Poll.UntilAsync(async () => (await SaidAsync()).Length == 1);
        await page.EvaluateAsync("() => { location.hash = '#/tenants/initech'; }");
        await Expect(page.Locator("main .state")).ToContainTextAsync("unverified");
        _issuer.Answer = StubServer.Issuer(TestKeys.Set(TestKeys.Ec(_key, "one")));
        await PostAsync("/initech/recheck", null);
        await Poll.UntilAsync(async () => (await SaidAsync()).Length == 2);
        BreakIssuer();
        await page.GetByRole(AriaRole.Button, new() { Name = "Recheck" }).ClickAsync();
        await Expect(page.Locator("main .state")).ToContainTextAsync("unverified");

        // What happens besides is no change of health.
        await PatchAsync("initech", new { name = "Initech of today" });
        await Expect(page.GetByText("Initech of today").First).ToBeVisibleAsync();
        Assert.Equal(
            [
                "initech is unverified. Broken: 1.",
                "initech is healthy.",
                $"initech is unverified: {_issuer.Url}/.well-known/openid-configuration answered 503",
            ],
            await SaidAsync()
        );
        Assert.Empty(_browser.Complaints);

        Task<string[]> SaidAsync() => page.EvaluateAsync<string[]>("() => window.said");
    }

    [Fact]
    public async Task An_answer_that_comes_late_does_not_take_the_place_of_a_newer_one()
    {
        var page = await OpenTenantAsync("initech");
        await page.EvaluateAsync(
            """
            () => {
              window.states = [];
              new MutationObserver(() => window.states.push(document.querySelector('main .state')?.lastChild.data))
                .observe(document.querySelector('#view'), { subtree: true, childList: true, characterData: true });
            }
            """
        );
        var (held, came) = (new TaskCompletionSource(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await page.RouteAsync("**/initech/recheck", async route =>
        {
            var healthy = await route.FetchAsync();
            came.TrySetResult();
            await held.Task;
            await route.FulfillAsync(new() { Response = healthy });
        });
        await page.GetByRole(AriaRole.Button, new() { Name = "Recheck" }).ClickAsync();
        await came.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        BreakIssuer();
        await PostAsync("/initech/recheck", null);
        await Expect(page.Locator("main .state")).ToContainTextAsync("unverified");
        await page.EvaluateAsync("() => { window.states = []; }");
        var again = page.WaitForResponseAsync(response => response.Url.EndsWith("/admin/tenants/initech", StringComparison.Ordinal));
        held.SetResult();
        await (await again).FinishedAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Recheck" })).Not.ToHaveAttributeAsync("aria-busy", "true");
        await Expect(page.Locator("main .state")).ToContainTextAsync("unverified");
        Assert.DoesNotContain("healthy", await page.EvaluateAsync<string[]>("() => window.states"));
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_phone_shows_of_each_tenant_what_a_wide_screen_shows_and_breaks_no_word()
    {
        await PatchAsync("acme", new { limits = new { rateLimit = 10 } });
        await _server.CallAsync("acme", McpCalls.Acme, "whoami");
        var page = await _browser.SignInAsync(_server.Port, 390);
        var row = Region(page, "Tenants").Locator("[data-row=acme]");
        await Expect(row.Locator("time")).ToBeVisibleAsync();
        await Expect(row.Locator("[data-limit]")).ToHaveTextAsync("10 %");
        await Expect(row.Locator("[data-limit]")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Combobox, new() { Name = "Platform" })).ToBeVisibleAsync();

        await page.EvaluateAsync("() => { location.hash = '#/tenants/acme'; }");
        await Expect(Region(page, "Audit").GetByText("tenant.changed")).ToBeVisibleAsync();
        Assert.Empty(
            await page.EvaluateAsync<string[]>(
                """
                () => [...document.querySelectorAll('.scroll th, .scroll td')]
                  .filter(one => one.childElementCount === 0 && /^\S+$/.test(one.textContent))
                  .filter(one => {
                    const range = document.createRange();
                    range.selectNodeContents(one);
                    return range.getClientRects().length > 1;
                  }).map(one => one.textContent)
                """
            )
        );
    }

    [Fact]
    public async Task Nobody_waits_for_what_the_store_says_of_deletions_who_looks_at_the_tenants()
    {
        var page = await _browser.SignInAsync(_server.Port);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await page.RouteAsync("**/admin/deletions", _ =>
        {
            asked.TrySetResult();
            return Task.CompletedTask;
        });
        await page.EvaluateAsync("() => { location.hash = '#/new'; }");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "New tenant" })).ToBeVisibleAsync();
        await page.EvaluateAsync("() => { location.hash = '#/'; }");
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "3 All" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Nothing is broken" })).ToBeVisibleAsync();
        await Expect(Region(page, "Tenants").GetByRole(AriaRole.Link)).ToHaveCountAsync(3);
        await page.UnrouteAllAsync(new() { Behavior = UnrouteBehavior.IgnoreErrors });
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task Two_presses_of_next_lead_one_page_on()
    {
        for (var i = 0; i < 80; i++)
        {
            await RegisterAsync(new { id = $"t{i:00}" });
        }

        var page = await _browser.SignInAsync(_server.Port);
        await Expect(page.GetByText("Tenants 1 to 25 of 83, by id")).ToBeVisibleAsync();
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await page.RouteAsync("**/admin/tenants?*cursor=*", async route =>
        {
            await held.Task;
            await route.ContinueAsync();
        });
        var next = page.GetByRole(AriaRole.Button, new() { Name = "Next" });
        await next.DblClickAsync();
        held.SetResult();
        await Expect(Caption(page, "Tenants 26 to 50 of 83, by id")).ToBeVisibleAsync();
        await page.UnrouteAllAsync();
        await next.ClickAsync();
        await Expect(Caption(page, "Tenants 51 to 75 of 83, by id")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Previous" }).ClickAsync();
        await Expect(Caption(page, "Tenants 26 to 50 of 83, by id")).ToBeVisibleAsync();
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_search_that_overtakes_another_is_the_one_that_is_shown()
    {
        var page = await _browser.SignInAsync(_server.Port);
        await Expect(page.GetByText("3 tenants", new() { Exact = true })).ToBeVisibleAsync();
        var (held, came) = (new TaskCompletionSource(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await page.RouteAsync("**/admin/tenants?text=acme*", async route =>
        {
            came.TrySetResult();
            await held.Task;
            await route.ContinueAsync();
        });
        var field = page.GetByLabel("Id, name or URL");
        await field.FillAsync("acme");
        await came.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await field.FillAsync("globex");
        var rows = Region(page, "Tenants").GetByRole(AriaRole.Link);
        await Expect(rows).ToHaveTextAsync(["globex"]);
        var late = page.WaitForResponseAsync(response => response.Url.Contains("text=acme", StringComparison.Ordinal));
        held.SetResult();
        await late;
        await page.EvaluateAsync("() => new Promise(done => setTimeout(done))");
        await Expect(rows).ToHaveTextAsync(["globex"]);
        await Expect(page.GetByText("1 tenant", new() { Exact = true })).ToBeVisibleAsync();
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_holds_no_dialog()
    {
        var page = await OpenTenantAsync("acme", beginning: "AbortSignal.timeout = (all => time => all(time / 100))(AbortSignal.timeout)");
        await page.RouteAsync("**/admin/tenants/acme", static route =>
            route.Request.Method == "PATCH" ? Task.CompletedTask : route.ContinueAsync()
        );
        await page.GetByRole(AriaRole.Button, new() { Name = "Suspend" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Button(dialog, "Suspend").ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Alert))
            .ToHaveTextAsync(
                "The server did not answer within 60 seconds. Whether it did what was asked is not known: look, or ask again."
            );
        await page.Keyboard.PressAsync("Escape");
        await Expect(dialog).ToHaveCountAsync(0);
        await page.UnrouteAllAsync(new() { Behavior = UnrouteBehavior.IgnoreErrors });
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_key_that_is_held_answers_no_question_and_whoever_goes_back_is_asked_no_more()
    {
        var page = await OpenTenantAsync("acme");
        var suspend = page.GetByRole(AriaRole.Button, new() { Name = "Suspend" });
        var dialog = page.GetByRole(AriaRole.Dialog);
        await suspend.FocusAsync();
        await page.Keyboard.DownAsync("Enter");
        await Expect(dialog).ToBeVisibleAsync();

        // Pressed again without having been let go of, a key repeats itself.
        await page.Keyboard.DownAsync("Enter");
        await page.Keyboard.UpAsync("Enter");
        await Expect(dialog).ToBeVisibleAsync();
        await page.GoBackAsync();
        await Expect(dialog).ToHaveCountAsync(0);
        Assert.False(_server.Services.GetRequiredService<TenantRegistry>().Get("acme")!.IsSuspended);

        await page.GoForwardAsync();
        await suspend.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Enter");
        await Expect(dialog).ToHaveCountAsync(0);
        await Poll.UntilAsync(() => Task.FromResult(_server.Services.GetRequiredService<TenantRegistry>().Get("acme")!.IsSuspended));
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task Refusals_are_asked_for_again_until_those_of_the_minute_are_written()
    {
        var page = await OpenTenantAsync("acme");
        await page.Clock.InstallAsync();
        var asked = 0;
        page.Request += (_, request) => asked += request.Url.Contains("/acme/refusals", StringComparison.Ordinal) ? 1 : 0;
        using var request = McpCalls.Post(_server.Port, Way.Path, "acme", "acme.wrong", McpCalls.Call("whoami"));
        using var response = await _server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        var part = Region(page, "Refused requests");
        await Expect(part).ToContainTextAsync("Since this page was opened: 1 BadCredentials.");
        await Poll.UntilAsync(() => Task.FromResult(asked > 0));
        var before = asked;
        await page.Clock.FastForwardAsync(16_000);
        await Poll.UntilAsync(() => Task.FromResult(asked > before));
        await Expect(part).Not.ToContainTextAsync("None that is known.");
        await page.Clock.FastForwardAsync(16_000);
        await Poll.UntilAsync(() => Task.FromResult(asked > before + 1));
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task The_list_is_a_table_at_the_width_of_a_phone_too()
    {
        var page = await _browser.SignInAsync(_server.Port, width: 360);
        await Expect(page.GetByText("3 tenants", new() { Exact = true })).ToBeVisibleAsync();

        // As Chromium tells it to a screen reader, and not as the elements are called.
        var session = await page.Context.NewCDPSessionAsync(page);
        var roles = (await session.SendAsync("Accessibility.getFullAXTree"))!
            .Value.GetProperty("nodes")
            .EnumerateArray()
            .Where(static node => !node.GetProperty("ignored").GetBoolean())
            .CountBy(static node => node.GetProperty("role").GetProperty("value").GetString()!)
            .ToDictionary();
        Assert.Equal((1, 4, 3), (roles.GetValueOrDefault("table"), roles.GetValueOrDefault("row"), roles.GetValueOrDefault("rowheader")));
        Assert.InRange(roles.GetValueOrDefault("columnheader"), 3, 5);
        Assert.InRange(roles.GetValueOrDefault("cell"), 6, 12);

        // Other browsers go by how it is laid out, where no role says what it is.
        Assert.Empty(
            await page.EvaluateAsync<string[]>(
                """
                () => [...document.querySelectorAll('table, thead, tbody, tr, th, td')]
                  .filter(one => !getComputedStyle(one).display.startsWith('table') && !one.hasAttribute('role')).map(one => one.outerHTML)
                """
            )
        );
    }

    private void BreakIssuer() =>
        _issuer.Answer = static context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };

    private static async Task AssertFocusIsSeenAsync(IPage page) =>
        Assert.True(
            await page.EvaluateAsync<bool>(
                """
                () => {
                  const { top, bottom } = document.activeElement.getBoundingClientRect();
                  return document.activeElement.matches('.pages button') && top >= 0 && bottom <= innerHeight;
                }
                """
            )
        );

    // Principals, clients, sessions, refusals of many minutes, and with them entries of the audit.
    private async Task FillAsync(string tenant, int count)
    {
        var model = _server.Services.GetRequiredService<TenantRegistry>().Get(TenantId.Parse(tenant))!;
        var sessions = new SessionStore(_server.Services.GetRequiredService<RedisConnection>(), model.Id, model.Generation);
        var refusals = new List<string>();
        for (var i = 0; i < count; i++)
        {
            await PostAsync($"/{tenant}/principals", new { name = $"p{i}" });
            if (tenant == "initech")
            {
                await PostAsync($"/{tenant}/clients", new { clientId = $"c{i}" });
            }

            await sessions.BeginAsync($"session-{i}", new(model.Record.SessionEpoch, $"caller-{i}"));
            var minute = DateTimeOffset.UtcNow.AddMinutes(i);
            refusals.Add(
                AuditLog.Prepare(new RefusedAccess(minute, "reason" + i.ToString(CultureInfo.InvariantCulture), 401, tenant, 1, null))
            );
        }

        await _server.Services.GetRequiredService<AuditLog>().WriteRefusalsAsync(refusals);
    }

    private Task RegisterAsync(object tenant) => PostAsync("?wait=true", tenant);

    private async Task PostAsync(string path, object? body)
    {
        using var made = await _server.AdminAsync(HttpMethod.Post, path, body);
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(Token));
    }

    private async Task PatchAsync(string tenant, object patch)
    {
        using var patched = await _server.AdminAsync(HttpMethod.Patch, "/" + tenant, patch);
        Assert.Equal(HttpStatusCode.OK, patched.StatusCode);
    }

    private async Task<IPage> OpenTenantAsync(string id, int width = 1280, string? beginning = null)
    {
        var page = await _browser.SignInAsync(_server.Port, width);
        if (beginning is not null)
        {
            await page.EvaluateAsync(beginning);
        }

        await page.EvaluateAsync($"() => {{ location.hash = '#/tenants/{id}'; }}");
        await Expect(Region(page, "Audit").GetByRole(AriaRole.Table)).ToBeVisibleAsync();
        return page;
    }

    private static ILocator Region(IPage page, string name) => page.GetByRole(AriaRole.Region, new() { Name = name, Exact = true });

    private static ILocator Button(ILocator place, string name) => place.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    private static ILocator Caption(IPage page, string text) => page.Locator("caption").Filter(new() { HasText = text });

    private static ILocator Heard(IPage page, string text) => page.Locator("#said .heard").GetByText(text, new() { Exact = true });

    private static ILocator Rows(ILocator place) => place.Locator("tbody tr");
}

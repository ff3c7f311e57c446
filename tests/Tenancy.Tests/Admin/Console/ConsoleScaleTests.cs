using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;
using static Microsoft.Playwright.Assertions;

namespace Tenancy.Tests.Admin.Console;

/// <summary>With 100,000 tenants the console asks for no more than with few, and its page is small and soon there.</summary>
[Collection(nameof(AloneCollection))]
[Tier(Tier.Server)]
public sealed class ConsoleScaleTests : IAsyncLifetime
{
    private const int Few = 63;
    private const int Tenants = 100_000;
    private const int MostBytes = 60_000;
    private const int MostBytesOfSignIn = 40_000;

    private TenancyServer _server = null!;
    private ConsoleBrowser _browser = null!;

    public async ValueTask InitializeAsync()
    {
        _browser = await ConsoleBrowser.StartAsync();
        _server = await TenancyServer.StartAsync();

        // What the console asks about one by one is asked of the store, too.
        for (var i = 0; i < 60; i++)
        {
            await RegisterAsync(new { id = string.Create(CultureInfo.InvariantCulture, $"real-{i:00}") });
        }

        await RegisterAsync(new { id = "real-broken", authentication = new { kind = "jwks", issuer = "http://127.0.0.1:1" } });
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var one in (IAsyncDisposable?[])[_browser, _server])
        {
            await (one?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }

    [Fact]
    public async Task The_page_asks_as_often_and_for_as_much_with_100_000_tenants_as_with_63()
    {
        var few = await WalkAsync(Few);
        await PlaceAsync();
        var many = await WalkAsync(Few + Tenants);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{many.Values.Sum(one => one.Requests)} requests, {many.Values.Sum(one => one.Bytes)} bytes with {Few + Tenants:N0} tenants, "
                + $"{few.Values.Sum(one => one.Bytes)} bytes with {Few}; the largest answer: {many.Values.Max(one => one.Largest)} bytes."
        );
        Assert.Equal(
            few.ToDictionary(one => one.Key, one => one.Value.Requests),
            many.ToDictionary(one => one.Key, one => one.Value.Requests)
        );

        // Numbers have more digits.
        Assert.All(many, one => Assert.InRange(one.Value.Bytes, 1, few[one.Key].Bytes + 500));
        await AssertSearchIsCutInPiecesAsync();
        Assert.Empty(_browser.Complaints);
    }

    // How long a paint takes is also the browser's and the machine's matter: a page of one word says how much. What a machine does besides
    // makes a page later, and nothing makes it earlier, so that the best of some is what the page costs.
    [Fact]
    public async Task The_page_is_small_asks_nothing_of_the_api_before_somebody_signs_in_and_is_painted_with_a_page_of_one_word()
    {
        var page = await _browser.OpenAsync($"http://127.0.0.1:{_server.Port}/admin");
        await Expect(page.GetByLabel("Admin key")).ToBeVisibleAsync();
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        var asked = await page.EvaluateAsync<string[]>("performance.getEntriesByType('resource').map(one => new URL(one.name).pathname)");
        Assert.Equal(
            ["api.js", "dom.js", "live.js", "main.js", "style.css"],
            asked.Order(StringComparer.Ordinal).Select(path => path["/admin/console/".Length..])
        );
        Assert.InRange(await SizeAsync(page), 1, MostBytesOfSignIn);

        await using var word = await StubServer.StartAsync(static context =>
        {
            context.Response.ContentType = "text/html";
            return context.Response.WriteAsync("<!doctype html><p>Word");
        });
        var plain = await _browser.OpenAsync(word.Url);
        var (paints, others) = (new List<double>(), new List<double>());
        for (var i = 0; i < 10; i++)
        {
            await plain.ReloadAsync();
            others.Add(await PaintAsync(plain));
            await page.ReloadAsync();
            paints.Add(await PaintAsync(page));
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"First paint after {paints.Min()} ms, of a page of one word after {others.Min()} ms."
        );
        Assert.InRange(paints.Min() - others.Min(), double.MinValue, 100);
    }

    // They are there as others are, and nobody has registered them one by one.
    private async Task PlaceAsync()
    {
        var registry = _server.Services.GetRequiredService<TenantRegistry>();
        var sample = registry.Get(TenantId.Parse("acme"))!.Record;
        for (var i = 0; i < Tenants; i++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"tenant-{i:000000}");
            await registry.Stored.PlaceAsync(
                sample with
                {
                    Config = sample.Config with { Id = id, Name = null, Urls = [] },
                    Generation = 0,
                },
                wait: false,
                TestContext.Current.CancellationToken
            );
        }
    }

    // What is asked of the API from the sign-in to the second page of the list, by path, once all that these show is there.
    private async Task<Dictionary<string, (int Requests, long Bytes, long Largest)>> WalkAsync(int tenants)
    {
        var page = await _browser.SignInAsync(_server.Port);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = $"{tenants:N0} All" })).ToBeVisibleAsync();
        await Expect(page.GetByText("http://127.0.0.1:1").First).ToBeVisibleAsync();
        await Expect(page.Locator("caption", new() { HasText = $"Tenants 1 to 25 of {tenants:N0}, by id" })).ToBeVisibleAsync();
        await Expect(page.Locator("[data-traffic]:empty")).ToHaveCountAsync(0);
        Assert.InRange(await SizeAsync(page), 1, MostBytes);
        await page.GetByRole(AriaRole.Button, new() { Name = "Next" }).ClickAsync();
        await Expect(page.Locator("caption", new() { HasText = $"Tenants 26 to 50 of {tenants:N0}, by id" })).ToBeVisibleAsync();
        await Expect(page.Locator("[data-traffic]:empty")).ToHaveCountAsync(0);
        var asked = await ApiRequestsAsync(page);
        if (tenants > Few)
        {
            await AssertPageSearchesInPiecesAsync(page);
        }

        await page.Context.CloseAsync();
        return asked
            .GroupBy(one => Regex.Replace(one.Path, "/tenants/[^/]+/", "/tenants/{id}/"))
            .ToDictionary(path => path.Key, path => (path.Count(), path.Sum(one => one.Bytes), path.Max(one => one.Bytes)));
    }

    private static async Task AssertPageSearchesInPiecesAsync(IPage page)
    {
        await page.EvaluateAsync("performance.clearResourceTimings()");
        await page.GetByLabel("Id, name or URL").FillAsync("099999");
        await Expect(page.GetByText("1 tenant", new() { Exact = true })).ToBeVisibleAsync();
        var asked = await ApiRequestsAsync(page);
        Assert.Equal((Few + Tenants + 19_999) / 20_000, asked.Count(one => one.Path == "/admin/tenants"));
        Assert.All(asked, one => Assert.InRange(one.Bytes, 1, 5_000));
    }

    private static async Task<(string Path, long Bytes)[]> ApiRequestsAsync(IPage page)
    {
        var asked = await page.EvaluateAsync<string[]>(
            """
            performance.getEntriesByType('resource').map(one => [new URL(one.name).pathname, one.decodedBodySize])
              .filter(([path]) => !path.startsWith('/admin/console/') && path !== '/admin/events').map(one => one.join(' '))
            """
        );
        return [.. asked.Select(one => one.Split(' ')).Select(one => (one[0], long.Parse(one[1], CultureInfo.InvariantCulture)))];
    }

    // However many tenants there are, one request looks at some of them, and says where the next one goes on.
    private async Task AssertSearchIsCutInPiecesAsync()
    {
        var (asked, cursor, found) = (0, "", new List<string>());
        do
        {
            var list = await McpCalls.ReadAsync(await _server.AdminAsync(HttpMethod.Get, $"?text=-05555&take=4{cursor}"));
            found.AddRange(list["tenants"]!.AsArray().Select(tenant => (string)tenant!["id"]!));
            Assert.Null(list["count"]);
            cursor = (string?)list["nextCursor"] is { } next ? "&cursor=" + next : "";
            asked++;
        } while (cursor.Length > 0);
        Assert.Equal(Enumerable.Range(0, 10).Select(last => $"tenant-05555{last}"), found);
        Assert.InRange(asked, 6, 9);

        var all = await McpCalls.ReadAsync(await _server.AdminAsync(HttpMethod.Get, "?platform=publisher&take=1"));
        Assert.InRange((int)all["count"]!, Tenants, Tenants + Few);
    }

    private async Task RegisterAsync(object tenant)
    {
        using var response = await _server.AdminAsync(HttpMethod.Post, "?wait=true", tenant);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    // Of the page and its files, before they are packed for the way. What the API answered is no part of it.
    private static Task<long> SizeAsync(IPage page) =>
        page.EvaluateAsync<long>(
            """
            ['navigation', 'resource'].flatMap(type => performance.getEntriesByType(type))
              .filter(one => /\/admin(\/console\/.*)?$/.test(one.name))
              .reduce((sum, one) => sum + one.decodedBodySize, 0)
            """
        );

    private static Task<double> PaintAsync(IPage page) =>
        page.EvaluateAsync<double>(
            """
            new Promise(done => new PerformanceObserver(list => done(list.getEntries()[0].startTime))
              .observe({ type: 'paint', buffered: true }))
            """
        );
}

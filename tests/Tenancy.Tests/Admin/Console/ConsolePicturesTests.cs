using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Tenancy.Fleet;
using Tenancy.Tests.Hosting;
using static Microsoft.Playwright.Assertions;

namespace Tenancy.Tests.Admin.Console;

/// <summary>The pictures in docs/console.md. With UPDATE_SNAPSHOTS=1 they are taken anew.</summary>
[Tier(Tier.Server)]
public sealed class ConsolePicturesTests
{
    private const int MostBytes = 150_000;

    private static readonly string[] Pictures = ["console.png", "console-tenant.png", "console-phone.png"];

    private static readonly string[] Names =
    [
        "Aurora Media",
        "Borealis Sports",
        "Cobalt Retail",
        "Dorado Travel",
        "Ember News",
        "Fjord Weather",
        "Granite Finance",
        "Harbor Radio",
        "Indigo Music",
        "Juniper Food",
        "Kestrel Maps",
    ];

    [Fact]
    public async Task Each_picture_is_there_and_small()
    {
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") is "1")
        {
            await TakeAsync();
        }

        Assert.All(Pictures, name => Assert.InRange(new FileInfo(PathOf(name)).Length, 1, MostBytes));
    }

    private static async Task TakeAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var away = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(key, "one")));
        await using var issuer = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(key, "two")));
        await using var browser = await ConsoleBrowser.StartAsync();
        var clock = new MovableClock();
        clock.Advance(TimeSpan.FromDays(-1));
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<TimeProvider>(clock));
        foreach (var name in Names)
        {
            await RegisterAsync(
                server,
                name,
                name[0] switch
                {
                    'D' => (object)new { kind = "jwks", issuer = away.Url },
                    'G' => new { kind = "jwks", issuer = issuer.Url },
                    _ => new { kind = "bearer" },
                }
            );
        }

        // So that some of its limits is spent over the day, and all of it in the middle.
        var limits = new { rateLimit = 8, maxConcurrentCalls = 4 };
        using (await server.AdminAsync(HttpMethod.Patch, "/acme", new { limits }))
        {
            await PlayDayAsync(server, clock);
        }

        away.Answer = static context =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        };
        using (await server.AdminAsync(HttpMethod.Post, "/dorado-travel/recheck"))
        {
            // It is unverified now, because its provider is away.
        }

        issuer.Answer = StubServer.Issuer("{}", _ => StubServer.Discovery(issuer.Url, "https://login.example/realms/other"));
        using (await server.AdminAsync(HttpMethod.Post, "/granite-finance/recheck"))
        {
            // It is disabled now, because its provider is another one.
        }

        await TakeAsync(await browser.SignInAsync(server.Port, height: 820), "console.png");
        await TakeAsync(await browser.SignInAsync(server.Port, 360, 740), "console-phone.png");
        var page = await browser.SignInAsync(server.Port, height: 820, scheme: ColorScheme.Dark);
        await page.GotoAsync($"http://127.0.0.1:{server.Port}/admin#/tenants/acme");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Audit" })).ToBeVisibleAsync();
        await TakeAsync(page, "console-tenant.png");
    }

    private static async Task TakeAsync(IPage page, string name)
    {
        await page.WaitForLoadStateAsync();
        await Expect(page.Locator("main svg").First).ToBeAttachedAsync();
        await page.WaitForTimeoutAsync(1500);
        await page.ScreenshotAsync(new() { Path = PathOf(name) });
    }

    private static async Task RegisterAsync(TenancyServer server, string name, object authentication)
    {
        var id = name.ToLowerInvariant().Replace(' ', '-');
        using var response = await server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            new
            {
                id,
                name,
                authentication,
            }
        );
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    // Calls of a day, more of them in the middle of it.
    private static async Task PlayDayAsync(TenancyServer server, MovableClock clock)
    {
        for (var step = 0; step < 96; step++)
        {
            var calls = 2 + (int)(6 * Math.Pow(Math.Sin(step / 96.0 * Math.PI), 2)) + (step % 3);
            for (var call = 0; call < calls; call++)
            {
                using var request = McpCalls.Post(server.Port, Way.Path, "acme", "acme.dev-buyer", McpCalls.Call("whoami"));
                using var response = await server.Client.SendAsync(request);
            }

            await server.Services.GetRequiredService<TrafficWriter>().WriteAsync();
            clock.Advance(TimeSpan.FromMinutes(15));
        }
    }

    private static string PathOf(string name) => Path.Combine(Repository.Root, "docs", name);
}

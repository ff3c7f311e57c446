using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>A good token is checked once in a while, and bad ones are refused before they cost much.</summary>
[Tier(Tier.Server)]
public sealed class TokenCostTests : IAsyncLifetime
{
    private const int Budget = 60;
    private const string AcmeAudience = "https://acme.localhost/mcp";
    private const string GlobexAudience = "https://globex.localhost/mcp";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private TestIssuer _issuer = null!;
    private TenancyServer _server = null!;
    private readonly List<int> _identities = [];
    private int _fetches;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private int Checks => _server.Services.GetRequiredService<TenantJwts>().Checks;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            },
            services: services => services.AddSingleton<TimeProvider>(_time).AddSingleton<IStartupFilter, ClientAddresses>(),
            endpoints: app =>
                app.Use(
                    (HttpContext context, RequestDelegate next) =>
                    {
                        lock (_identities)
                        {
                            _identities.Add(context.User.Identities.Count() + context.User.FindAll("of the application").Count());
                        }

                        if (context.User.Identity is ClaimsIdentity { IsAuthenticated: true } identity)
                        {
                            identity.AddClaim(new("of the application", ""));
                        }

                        context.User.AddIdentity(new ClaimsIdentity("of the application"));
                        return next(context);
                    }
                )
        );
        foreach (var id in new[] { "acme", "globex" })
        {
            await AdminAsync(
                HttpMethod.Post,
                "?wait=true",
                $$"""{ "id": "{{id}}", "limits": { "rateLimit": 100000 }, "authentication": { "kind": "jwks", "issuer":"""
                    + $$""" "{{_issuer.Url}}" } }"""
            );
        }

        await AdminAsync(HttpMethod.Post, "?wait=true", """{ "id": "plain", "principals": [{ "name": "one", "token": "plain.one" }] }""");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_token_is_checked_once_and_again_after_five_minutes()
    {
        var token = _issuer.Mint(AcmeAudience);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", token));
        }

        Assert.Equal(1, Checks);
        _time.Advance(TenantJwts.MaximumBelief - TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", token));
        Assert.Equal(1, Checks);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", token));
        Assert.Equal(2, Checks);
    }

    [Fact]
    public async Task What_an_application_adds_to_the_user_of_one_request_is_not_there_at_the_next()
    {
        var token = _issuer.Mint(AcmeAudience);
        _identities.Clear();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", token));
        }

        Assert.Equal([1, 1, 1], _identities);
    }

    [Fact]
    public async Task A_token_that_expires_before_is_not_believed_longer()
    {
        var token = _issuer.Mint(AcmeAudience, expires: DateTime.UtcNow.AddMinutes(2));
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", token));
        _time.Advance(TimeSpan.FromMinutes(3) + TimeSpan.FromSeconds(5));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync("acme", token));
    }

    [Fact]
    public async Task What_one_tenant_believes_another_does_not_and_a_change_of_the_tenant_forgets_it()
    {
        var token = _issuer.Mint("", claims => claims["aud"] = new[] { AcmeAudience, "api" });
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", token));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync("globex", token));

        // That it is not for the other tenant is seen before its signature is.
        Assert.Equal(1, Checks);
        await AdminAsync(HttpMethod.Patch, "/acme", """{ "name": "New" }""");
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", token));
        Assert.Equal(2, Checks);
        await AdminAsync(HttpMethod.Patch, "/acme", """{ "status": "suspended" }""");
        Assert.Equal(HttpStatusCode.NotFound, await CallAsync("acme", token));
    }

    [Theory]
    [InlineData(60)]
    [InlineData(299)]
    public async Task A_removed_key_stops_within_fifteen_minutes_although_its_tokens_are_in_use(int seconds)
    {
        var token = await _issuer.GetTokenAsync("alice", AcmeAudience);
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", token));
        _issuer.Rotate();
        _issuer.RemoveOldKeys();
        var status = HttpStatusCode.OK;
        for (var passed = 0; passed < 15 * 60; passed += seconds)
        {
            _time.Advance(TimeSpan.FromSeconds(Math.Min(seconds, (15 * 60) - passed)));
            status = await CallAsync("acme", token);

            // Time must not jump over the deadline of a load that runs behind the calls.
            await _server.Services.GetRequiredService<TenantJwts>().KeysOf("acme").Loading;
        }

        Assert.Equal(HttpStatusCode.Unauthorized, status);
    }

    [Fact]
    public void No_more_tokens_are_remembered_than_there_is_room_for()
    {
        var tokens = new RecentTokens<int>(100, _time);
        for (var i = 0; i < 1000; i++)
        {
            tokens.Add($"{i}", i, _time.GetUtcNow().AddMinutes(1));
            Assert.InRange(tokens.Count, 1, 100);
        }

        Assert.True(tokens.TryGet("999", out var value));
        Assert.Equal(999, value);
        Assert.False(tokens.TryGet("1", out _));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(tokens.TryGet("999", out _));
    }

    [Fact]
    public void No_more_bytes_are_remembered_than_there_is_room_for()
    {
        var tokens = new RecentTokens<int>(100_000, _time, maxBytes: 10_000, sizeOf: value => value);
        for (var i = 0; i < 1000; i++)
        {
            tokens.Add($"{i}", 200, _time.GetUtcNow().AddMinutes(1));
            Assert.InRange(tokens.Bytes, 200, 10_000);
            Assert.InRange(tokens.Count, 1, 50);
        }

        tokens.Add("huge", 50_000, _time.GetUtcNow().AddMinutes(1));
        Assert.True(tokens.TryGet("huge", out _));
        tokens.Add("one", 200, _time.GetUtcNow().AddMinutes(1));
        tokens.Add("two", 200, _time.GetUtcNow().AddMinutes(1));
        tokens.LetGo();
        tokens.LetGo();
        Assert.Equal((0, 0), (tokens.Bytes, tokens.Count));
    }

    [Theory]
    [InlineData(1, 3, 8)]
    [InlineData(12, 6, 40)]
    [InlineData(2000, 2, 1)]
    [InlineData(4, 6, 4000)]
    public void A_believed_token_is_counted_with_all_that_it_takes_up_and_not_much_more(int claims, int type, int value)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var texts = new string[2 * claims];
        for (var i = 0; i < claims; i++)
        {
            (texts[2 * i], texts[(2 * i) + 1]) = (new('t', type), new('v', value));
        }

        var ofTexts = GC.GetAllocatedBytesForCurrentThread() - allocated - (sizeof(long) * texts.Length);
        var identity = new ClaimsIdentity(Enumerable.Range(0, claims).Select(i => new Claim(texts[2 * i], texts[(2 * i) + 1])));
        allocated = GC.GetAllocatedBytesForCurrentThread();
        var kept = new ClaimsPrincipal(identity.Clone());
        var taken = GC.GetAllocatedBytesForCurrentThread() - allocated + ofTexts;
        Assert.InRange(kept.SizeOf(), taken, (2 * taken) + 1024);
    }

    [Fact]
    public async Task The_believed_tokens_of_all_tenants_together_have_a_most()
    {
        const int Tenants = 12;
        for (var i = 0; i < Tenants; i++)
        {
            var tenant = $$$"""{"id":"t{{{i}}}","authentication":{"kind":"jwks","issuer":"{{{_issuer.Url}}}","audiences":["t{{{i}}}"]}}""";
            (await _server.AdminAsync(HttpMethod.Post, "", tenant)).Dispose();
        }

        var options = _server.Services.GetRequiredService<TenantJwts>();
        var registry = _server.Services.GetRequiredService<TenantRegistry>();

        // Nearly as many small claims as a token of 16 KiB has room for.
        var claims = new ClaimsPrincipal(new ClaimsIdentity(Enumerable.Range(0, 1500).Select(i => new Claim($"{i}", "1"))));
        var large = new BelievedToken(claims, CallerIdentity.FromUser(_issuer.Url, "alice"), Client: null, _time.GetUtcNow());
        var (most, inAll) = (0L, 0L);
        for (var i = 0; i < 40 * Tenants; i++)
        {
            var believed = options.GetBelieved(registry.Get($"t{i % Tenants}")!);
            options.Believe(believed, $"{i}", large, _time.GetUtcNow().AddMinutes(1));
            Assert.InRange(believed.Bytes, 0, TenantJwts.MaxBelievedBytes + large.SizeOf());
            most = Math.Max(most, options.BelievedBytes);
            inAll += large.SizeOf();
        }

        Assert.True(inAll > 2 * TenantJwts.MaxBelievedBytesOfAll, $"{inAll}");
        Assert.InRange(most, TenantJwts.MaxBelievedBytesOfAll / 4, TenantJwts.MaxBelievedBytesOfAll);
    }

    [Fact]
    public async Task A_flood_of_bad_signatures_is_refused_before_it_costs_and_honest_callers_are_not()
    {
        var honest = _issuer.Mint(AcmeAudience, claims => claims["sub"] = "honest");
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", honest));
        var before = Checks;
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 3 * Budget; i++)
        {
            statuses.Add(
                await CallAsync(
                    "acme",
                    _issuer.Mint(AcmeAudience, claims => claims["n"] = i, signing: TestIssuer.NewKey(_issuer.Signing.Kid))
                )
            );
        }

        Assert.Equal(Budget, statuses.Count(status => status == HttpStatusCode.Unauthorized));
        Assert.Equal(2 * Budget, statuses.Count(status => status == HttpStatusCode.TooManyRequests));
        Assert.Equal(Budget, Checks - before);
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", honest));
        Assert.Equal(HttpStatusCode.OK, await CallAsync("globex", _issuer.Mint(GlobexAudience)));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", _issuer.Mint(AcmeAudience, claims => claims["sub"] = "new")));
    }

    [Fact]
    public async Task A_flood_of_unknown_key_ids_fetches_the_keys_once()
    {
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", _issuer.Mint(AcmeAudience)));
        _time.Advance(IssuerKeys.UnknownKeyInterval);
        _issuer.Outage = async context =>
        {
            CountFetch(context);
            context.Response.StatusCode = 503;
            await context.Response.CompleteAsync();
        };
        await Task.WhenAll(
            Enumerable.Range(0, 3 * Budget).Select(_ => CallAsync("acme", _issuer.Mint(AcmeAudience, signing: TestIssuer.NewKey())))
        );
        Assert.Equal(1, _fetches);
    }

    [Fact]
    public async Task A_flood_of_unknown_opaque_tokens_is_refused_and_who_was_good_lately_is_not()
    {
        Assert.Equal(HttpStatusCode.OK, await CallAsync("plain", "plain.one"));
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 2 * Budget; i++)
        {
            statuses.Add(await CallAsync("plain", $"plain.{i}"));
        }

        Assert.Equal(Budget, statuses.Count(status => status == HttpStatusCode.Unauthorized));
        Assert.Equal(Budget, statuses.Count(status => status == HttpStatusCode.TooManyRequests));
        Assert.Equal(HttpStatusCode.OK, await CallAsync("plain", "plain.one"));
    }

    [Fact]
    public async Task A_revoked_token_is_from_then_on_a_bad_one_like_any_other()
    {
        foreach (var token in new[] { "plain.two", "plain.three" })
        {
            await AdminAsync(HttpMethod.Post, "/plain/principals", $$"""{ "name": "{{token}}", "token": "{{token}}" }""");
            Assert.Equal(HttpStatusCode.OK, await CallAsync("plain", token));
        }

        foreach (var principal in await PrincipalsAsync("plain"))
        {
            (await _server.AdminAsync(HttpMethod.Delete, $"/plain/principals/{principal}")).Dispose();
        }

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 2 * Budget; i++)
        {
            statuses.Add(await CallAsync("plain", "plain.two"));
        }

        Assert.Equal(Budget, statuses.Count(status => status == HttpStatusCode.Unauthorized));
        Assert.Equal(Budget, statuses.Count(status => status == HttpStatusCode.TooManyRequests));

        // Not even its first answer, where bad ones are not looked at, tells that it was good.
        Assert.Equal(HttpStatusCode.TooManyRequests, await CallAsync("plain", "plain.garbage"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await CallAsync("plain", "plain.three"));
    }

    [Fact]
    public async Task Good_tokens_spend_nothing()
    {
        for (var i = 0; i < 2 * Budget; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", _issuer.Mint(AcmeAudience, claims => claims["sub"] = $"{i}")));
        }

        Assert.Equal(2 * Budget, Checks);
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8:1:1::1", "2001:db8:1:1:ffff::9", true)]
    [InlineData("2001:db8:1:1::1", "2001:db8:1:2::1", false)]
    public async Task A_flood_keeps_out_who_calls_from_its_address_and_nobody_else(string flooder, string other, bool isSame)
    {
        for (var i = 0; i < Budget; i++)
        {
            Assert.Equal(
                HttpStatusCode.Unauthorized,
                await CallAsync(
                    "acme",
                    _issuer.Mint(AcmeAudience, claims => claims["n"] = i, signing: TestIssuer.NewKey(_issuer.Signing.Kid)),
                    flooder
                )
            );
            Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync("plain", $"plain.{i}", flooder));
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, await CallAsync("acme", _issuer.Mint(AcmeAudience), flooder));
        Assert.Equal(HttpStatusCode.TooManyRequests, await CallAsync("plain", "plain.one", flooder));
        var expected = isSame ? HttpStatusCode.TooManyRequests : HttpStatusCode.OK;
        Assert.Equal(expected, await CallAsync("acme", _issuer.Mint(AcmeAudience), other));
        Assert.Equal(expected, await CallAsync("plain", "plain.one", other));
        Assert.Equal(HttpStatusCode.OK, await CallAsync("globex", _issuer.Mint(GlobexAudience), flooder));
    }

    [Fact]
    public async Task While_the_keys_are_fetched_for_unknown_key_ids_honest_callers_do_not_wait()
    {
        var honest = _issuer.Mint(AcmeAudience);
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", honest));
        _time.Advance(IssuerKeys.UnknownKeyInterval);
        var (asked, end) = (new TaskCompletionSource(), new TaskCompletionSource());
        _issuer.Outage = async context =>
        {
            CountFetch(context);
            asked.TrySetResult();
            await end.Task;
            context.Response.StatusCode = 503;
        };
        var flood = Enumerable
            .Range(0, 20)
            .Select(_ => CallAsync("acme", _issuer.Mint(AcmeAudience, signing: TestIssuer.NewKey())))
            .ToArray();
        await asked.Task;
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", honest));
        Assert.Equal(HttpStatusCode.OK, await CallAsync("acme", _issuer.Mint(AcmeAudience, claims => claims["sub"] = "new")));
        Assert.Contains(flood, call => !call.IsCompleted);
        end.SetResult();
        Assert.All(await Task.WhenAll(flood), status => Assert.Equal(HttpStatusCode.Unauthorized, status));
        Assert.Equal(1, _fetches);
    }

    // An issuer's document is looked for at several places, each once.
    private void CountFetch(HttpContext context)
    {
        if (context.Request.Path.Value!.EndsWith("/openid-configuration", StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _fetches);
        }
    }

    private async Task AdminAsync(HttpMethod method, string path, string body)
    {
        using var answer = await _server.AdminAsync(method, path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }

    private async Task<string[]> PrincipalsAsync(string tenant)
    {
        using var answer = await _server.AdminAsync(HttpMethod.Get, $"/{tenant}/principals");
        return [.. (await McpCalls.ReadAsync(answer))["principals"]!.AsArray().Select(principal => principal!["id"]!.ToString())];
    }

    private async Task<HttpStatusCode> CallAsync(string tenant, string token, string? address = null)
    {
        using var request = McpCalls.Post(_server.Port, Way.Path, tenant, token, McpCalls.Call("whoami"));
        if (address is not null)
        {
            request.Headers.Add(ClientAddresses.HeaderName, address);
        }

        using var response = await _server.Client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }
}

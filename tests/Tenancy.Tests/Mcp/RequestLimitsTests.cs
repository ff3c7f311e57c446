using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>Requests are limited per tenant and, where it is set, per caller; others do not notice.</summary>
[Tier(Tier.Process)]
public sealed class RequestLimitsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task Of_a_burst_exactly_the_allowed_number_passes_and_a_neighbour_notices_nothing(StoreKind store)
    {
        await using var server = await TenancyServer.StartAsync(store);
        await ChangeAsync(server, """{"limits":{"rateLimit":20}}""");
        var statuses = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => StatusAsync(server, "acme", McpCalls.Acme)));
        Assert.Equal(20, statuses.Count(status => status == HttpStatusCode.OK));
        Assert.Equal(40, statuses.Count(status => status == HttpStatusCode.TooManyRequests));
        var neighbours = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => StatusAsync(server, "globex", McpCalls.Globex)));
        Assert.All(neighbours, status => Assert.Equal(HttpStatusCode.OK, status));
    }

    [Fact]
    public async Task An_answer_says_what_is_left_and_a_refusal_when_to_come_back()
    {
        await using var server = await TenancyServer.StartAsync();
        await ChangeAsync(server, """{"limits":{"rateLimit":2}}""");
        using var first = await SendAsync(server, "acme", McpCalls.Acme);
        Assert.Equal("\"tenant\";q=2;w=60", first.Headers.GetValues("RateLimit-Policy").Single());
        Assert.Matches("^\"tenant\";r=1;t=[0-9]+$", first.Headers.GetValues("RateLimit").Single());
        using var second = await SendAsync(server, "acme", McpCalls.Acme);
        using var third = await SendAsync(server, "acme", McpCalls.Acme);
        Assert.Equal(HttpStatusCode.TooManyRequests, third.StatusCode);
        Assert.InRange(third.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 30);
        Assert.Matches("^\"tenant\";r=0;t=[0-9]+$", third.Headers.GetValues("RateLimit").Single());
        var error = (await McpCalls.ReadAsync(third))["error"]!;
        Assert.Equal(-32029, (int)error["code"]!);
        Assert.Equal("RATE_LIMITED", error["data"]!["adcp_error"]!["code"]!.ToString());
        var seconds = (int)error["data"]!["adcp_error"]!["retry_after"]!;
        Assert.Equal(third.Headers.RetryAfter.Delta.Value.TotalSeconds, seconds);
        Assert.Equal($"There were too many requests: try again in {seconds} seconds.", error["message"]!.ToString());
    }

    [Fact]
    public async Task A_limit_that_is_changed_counts_from_the_next_call_on()
    {
        await using var server = await TenancyServer.StartAsync();
        await ChangeAsync(server, """{"limits":{"rateLimit":1}}""");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", McpCalls.Acme));
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(server, "acme", McpCalls.Acme));
        await ChangeAsync(server, """{"limits":{"rateLimit":1000}}""");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", McpCalls.Acme));
    }

    [Fact]
    public async Task One_caller_over_its_limit_leaves_the_others_of_its_tenant_alone()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings);
        settings["Tenancy:Tenants:0:principals:1:name"] = "second";
        settings["Tenancy:Tenants:0:principals:1:token"] = "acme.second";
        await using var server = await TenancyServer.StartAsync(settings: settings);
        await ChangeAsync(server, """{"limits":{"rateLimitPerCaller":2}}""");
        var first = new[]
        {
            await StatusAsync(server, "acme", McpCalls.Acme),
            await StatusAsync(server, "acme", McpCalls.Acme),
            await StatusAsync(server, "acme", McpCalls.Acme),
        };
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests], first);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", "acme.second"));
    }

    [Fact]
    public async Task Callers_without_credentials_have_a_budget_of_their_own_and_never_spend_the_tenants()
    {
        await using var server = await TenancyServer.StartAsync();
        await ChangeAsync(server, """{"limits":{"rateLimit":5}}""");
        var anonymous = await Task.WhenAll(Enumerable.Range(0, 80).Select(_ => StatusAsync(server, "acme", null)));
        Assert.Equal(60, anonymous.Count(status => status == HttpStatusCode.OK));
        Assert.Equal(20, anonymous.Count(status => status == HttpStatusCode.TooManyRequests));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", McpCalls.Acme));
        }
    }

    [Fact]
    public async Task An_IPv6_network_is_one_client_without_credentials_and_the_next_network_another()
    {
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton<IStartupFilter, ClientAddresses>()
        );
        var network = await Task.WhenAll(
            Enumerable.Range(1, 80).Select(number => StatusAsync(server, "acme", null, $"2001:db8:0:1::{number:x}"))
        );
        Assert.Equal(60, network.Count(status => status == HttpStatusCode.OK));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", null, "2001:db8:0:2::1"));
    }

    [Fact]
    public async Task While_the_store_is_away_the_limits_still_hold_on_this_node()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(redis: redis);
        await redis.StopAsync();
        var anonymous = new List<HttpStatusCode>();
        for (var i = 0; i < 62; i++)
        {
            anonymous.Add(await StatusAsync(server, "acme", null));
        }

        Assert.Equal(60, anonymous.Count(status => status == HttpStatusCode.OK));
        Assert.Equal(2, anonymous.Count(status => status == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task A_tenant_has_so_many_calls_under_way_at_once_and_others_do_not_wait_for_them()
    {
        using var gate = new SlowTools.Gate();
        await using var server = await TenancyServer.StartAsync(services: services =>
        {
            services.AddSingleton(gate);
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>()));
        });
        await ChangeAsync(server, """{"limits":{"maxConcurrentCalls":5}}""");
        using (
            var added = await server.AdminAsync(HttpMethod.Post, "/acme/principals", """{"name":"second","token":"acme.second-buyer"}""")
        )
        {
            Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        }

        // One caller has half of them, rounded up.
        var slow = Enumerable.Range(0, 3).Select(_ => server.CallAsync("acme", McpCalls.Acme, "slow")).ToList();
        await gate.WaitForAsync(3);
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(server, "acme", McpCalls.Acme));
        slow.AddRange(Enumerable.Range(0, 2).Select(_ => server.CallAsync("acme", "acme.second-buyer", "slow")));
        await gate.WaitForAsync(2);
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(server, "acme", "acme.second-buyer"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "globex", McpCalls.Globex));
        gate.Open();
        await Task.WhenAll(slow);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "acme", McpCalls.Acme));
    }

    [Fact]
    public async Task A_message_that_runs_nothing_costs_nothing_unless_it_is_large()
    {
        await using var server = await TenancyServer.StartAsync();
        await ChangeAsync(server, """{"limits":{"rateLimit":2}}""");
        var ping = McpCalls.Message("ping");
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, ping));
        }

        var large = McpCalls.Message("ping", new() { ["x"] = new string('x', 70_000) });
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, large));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, large));
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(server, large));
    }

    private static async Task<HttpStatusCode> StatusAsync(TenancyServer server, string message)
    {
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, message);
        using var response = await server.Client.SendAsync(request, Token);
        return response.StatusCode;
    }

    private static async Task ChangeAsync(TenancyServer server, string patch)
    {
        using var response = await server.AdminAsync(HttpMethod.Patch, "/acme", patch);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
    }

    private static async Task<HttpStatusCode> StatusAsync(TenancyServer server, string tenant, string? token, string? address = null)
    {
        using var response = await SendAsync(server, tenant, token, address);
        return response.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(TenancyServer server, string tenant, string? token, string? address = null)
    {
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, McpCalls.Call("get_products"));
        if (address is not null)
        {
            request.Headers.Add(ClientAddresses.HeaderName, address);
        }

        return await server.Client.SendAsync(request, Token);
    }
}

using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A call has its place among those of its tenant until its handler has ended, whether or not its client still waits.</summary>
[Tier(Tier.Server)]
public sealed class ConcurrentCallsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("slow_buy", null, false)]
    [InlineData("slow_buy", Generation.Stateless, false)]
    [InlineData("slow_buy", null, true)]
    [InlineData("stubborn", null, false)]
    [InlineData("stubborn", null, true)]
    public async Task A_client_that_goes_frees_no_place_while_its_handler_runs(string tool, Generation? generation, bool hasSession)
    {
        using var gate = new SlowTools.Gate();
        using var last = new LastGate();
        var requests = new RequestCount();
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:0:limits:maxConcurrentCalls"] = "1",
        };
        await using var server = await TenancyServer.StartAsync(settings: settings, services: services =>
            services
                .AddSingleton(gate)
                .AddSingleton(last)
                .AddSingleton<IStartupFilter>(requests)
                .AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>().AddHandlers<Handlers>()))
        );
        var session = hasSession ? await server.InitializeAsync("acme", McpCalls.Acme) : null;
        await LeaveAsync(
            server,
            gate,
            McpCalls.Call(tool, tool == "slow_buy" ? McpCalls.CreateBuy() : null, generation),
            generation,
            session
        );
        if (tool == "slow_buy" && !hasSession)
        {
            await Poll.UntilAsync(() => Task.FromResult(requests.Value == 0));
        }

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(server, "acme", McpCalls.Acme));
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "globex", McpCalls.Globex));
        gate.Open();
        await Poll.UntilAsync(async () => await StatusAsync(server, "acme", McpCalls.Acme) == HttpStatusCode.OK);

        // The place was given back once: there is still one.
        var holding = server.CallAsync("acme", McpCalls.Acme, "hold");
        await last.WaitForAsync();
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(server, "acme", McpCalls.Acme));
        last.Open();
        await holding;
        await Poll.UntilAsync(async () => await StatusAsync(server, "acme", McpCalls.Acme) == HttpStatusCode.OK);
    }

    [Fact]
    public async Task Calls_that_are_refused_or_fail_give_their_place_back()
    {
        using var gate = new SlowTools.Gate { Failure = new InvalidOperationException() };
        using var last = new LastGate();
        gate.Open();
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:0:limits:maxConcurrentCalls"] = "1",
        };
        await using var server = await TenancyServer.StartAsync(settings: settings, services: services =>
            services
                .AddSingleton(gate)
                .AddSingleton(last)
                .AddSingleton(new CommonHandlers(platform => platform.AddHandlers<SlowTools>().AddHandlers<Handlers>()))
        );
        foreach (
            var (tool, arguments) in new[]
            {
                ("slow_buy", McpCalls.CreateBuy()),
                ("slow_buy", new JsonObject()),
                ("fail", new JsonObject { ["secret"] = "x" }),
                ("no_such_tool", null),
            }
        )
        {
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call(tool, arguments));
            using var response = await server.Client.SendAsync(request, Token);
            Assert.NotEqual(HttpStatusCode.TooManyRequests, response.StatusCode);
            await Poll.UntilAsync(async () => await StatusAsync(server, "acme", McpCalls.Acme) == HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task A_call_holds_its_place_and_its_context_until_the_last_work_of_it_has_ended()
    {
        await using var server = await TenancyServer.StartAsync();
        var tenant = server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        var places = server.Services.GetRequiredService<ConcurrentCalls>();
        var call = server.Services.GetRequiredService<CallStarter>().TryBegin(tenant, CallerIdentity.FromPrincipal("buyer")!).Call!;
        using (var changed = await server.AdminAsync(HttpMethod.Patch, "/acme", """{"limits":{"maxConcurrentCalls":1}}"""))
        {
            Assert.True(changed.IsSuccessStatusCode);
        }

        tenant = server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        var goesOn = new TaskCompletionSource();
        var work = call.RunDetached(async () =>
        {
            await goesOn.Task;
            return call.Context.Platform<TestPlatform>();
        });
        await call.ReleaseAsync();
        Assert.Null(places.TryTake(tenant, CallerIdentity.System));
        goesOn.SetResult();
        Assert.NotNull(await work);
        Assert.NotNull(places.TryTake(tenant, CallerIdentity.System));
        Assert.Throws<InvalidOperationException>(() => call.Context.Platform<TestPlatform>());
    }

    [Theory]
    [InlineData(5, 3)]
    [InlineData(4, 2)]
    [InlineData(1, 1)]
    public async Task A_caller_has_half_of_the_places_and_all_of_a_tenant_that_asks_for_no_proof(int limit, int share)
    {
        await using var server = await TenancyServer.StartAsync();
        var places = server.Services.GetRequiredService<ConcurrentCalls>();
        var (one, other) = (CallerIdentity.FromPrincipal("one")!, CallerIdentity.FromPrincipal("other")!);
        var tenant = await ChangeAsync($$$"""{"limits":{"maxConcurrentCalls":{{{limit}}}}}""");
        var taken = Take(one, share);
        Assert.Null(places.TryTake(tenant, one));
        taken.AddRange(Take(other, limit - share));
        Assert.Null(places.TryTake(tenant, other));
        Assert.Null(places.TryTake(tenant, CallerIdentity.FromPrincipal("third")!));
        taken[0].GiveBack();
        Assert.NotNull(places.TryTake(tenant, one));
        Assert.Null(places.TryTake(tenant, one));

        tenant = await ChangeAsync($$$"""{"limits":{"maxConcurrentCalls":{{{2 * limit}}}},"authentication":{"kind":"none"}}""");
        Take(CallerIdentity.Anonymous, limit);
        Assert.Null(places.TryTake(tenant, CallerIdentity.Anonymous));

        List<ConcurrentCalls.Place> Take(CallerIdentity caller, int count) =>
            [.. Enumerable.Range(0, count).Select(_ => Assert.NotNull(places.TryTake(tenant, caller)))];

        async Task<TenantModel> ChangeAsync(string patch)
        {
            using var changed = await server.AdminAsync(HttpMethod.Patch, "/acme", patch);
            Assert.True(changed.IsSuccessStatusCode, await changed.Content.ReadAsStringAsync(Token));
            return server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        }
    }

    private static async Task LeaveAsync(TenancyServer server, SlowTools.Gate gate, string call, Generation? generation, string? session)
    {
        using var leaving = new CancellationTokenSource();
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, call, generation, session);
        var sending = server.Client.SendAsync(request, leaving.Token);
        await gate.WaitForAsync(1);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    private static async Task<HttpStatusCode> StatusAsync(TenancyServer server, string tenant, string token)
    {
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, McpCalls.Call("get_products"));
        using var response = await server.Client.SendAsync(request, Token);
        return response.StatusCode;
    }

    private sealed class LastGate : IDisposable
    {
        private readonly SlowTools.Gate _gate = new();

        public Task EnterAsync() => _gate.EnterAsync(CancellationToken.None);

        public Task WaitForAsync() => _gate.WaitForAsync(1);

        public void Open() => _gate.Open();

        public void Dispose() => _gate.Dispose();
    }

    private sealed class Handlers(SlowTools.Gate gate, LastGate last)
    {
        // It looks at no token, as work that cannot be left half done.
        [McpServerTool(Name = "stubborn")]
        public async Task<string> StayAsync()
        {
            await gate.EnterAsync(CancellationToken.None);
            return "done";
        }

        [McpServerTool(Name = "hold")]
        public async Task<string> HoldAsync()
        {
            await last.EnterAsync();
            return "done";
        }
    }
}

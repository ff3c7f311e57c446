using Tenancy.Tests.Diagnostics;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Attacks;

/// <summary>
/// A tenant that is suspended looks like one that does not exist: by the bytes of every answer, and by the work that is done for it.
/// </summary>
[Collection(nameof(AloneCollection))]
[Tier(Tier.Process)]
public sealed class SuspendedLooksUnknownTests : IAsyncLifetime
{
    // Of one length, so that what is copied is, too.
    private const string Suspended = "acme";
    private const string Unknown = "emca";

    private RedisServer _redis = null!;
    private TenancyServer _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _server = await TenancyServer.StartAsync(redis: _redis);
        using var response = await _server.AdminAsync(HttpMethod.Patch, "/acme", new { status = "suspended" });
        Assert.True(response.IsSuccessStatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Every_route_gives_the_same_bytes_and_headers()
    {
        foreach (var route in Routes())
        {
            Assert.Equal(await AnswerAsync(route, Unknown), await AnswerAsync(route, Suspended));
        }
    }

    [Fact]
    public async Task Neither_makes_a_trip_to_the_store()
    {
        using var signals = new Signals();
        signals.Listen(_server);
        foreach (var route in Routes())
        {
            await AnswerAsync(route, Suspended);
            await AnswerAsync(route, Unknown);
        }

        // A command that is sent for a request is a part of its trace; what a node does by itself is not.
        Assert.NotEmpty(signals.Of("http.server.request.duration"));
        Assert.DoesNotContain(signals.Activities, activity => activity.GetTagItem("db.system.name") is not null);
        await _server.CallAsync("globex", McpCalls.Globex, "whoami");
        await Poll.UntilAsync(() => Task.FromResult(signals.Activities.Any(activity => activity.GetTagItem("db.system.name") is not null)));
    }

    [Fact]
    public async Task Both_allocate_the_same()
    {
        var route = Routes().First();
        var (suspended, unknown) = (double.MaxValue, double.MaxValue);
        for (var round = 0; round < 5; round++)
        {
            suspended = Math.Min(suspended, await BytesAsync(route, Suspended));
            unknown = Math.Min(unknown, await BytesAsync(route, Unknown));
        }

        // The id of an unknown one is made a text of its own; that of the other is there already.
        Assert.True(Math.Abs(suspended - unknown) < 0.02 * unknown, $"{suspended:F0} bytes for a suspended tenant, {unknown:F0} for none");
    }

    private static IEnumerable<(HttpMethod Method, string Path, string? Token)> Routes() =>
        from path in new[]
        {
            "/TENANT/mcp",
            "/TENANT/health",
            "/.well-known/oauth-protected-resource/TENANT/mcp",
            "/TENANT/mcp/.well-known/oauth-protected-resource",
        }
        from method in new[] { HttpMethod.Post, HttpMethod.Get, HttpMethod.Delete, HttpMethod.Options }
        from token in new[] { null, "Bearer TENANT.dev-buyer" }
        select (method, path, token);

    private static string Fill(string text, string tenant) => text.Replace("TENANT", tenant, StringComparison.Ordinal);

    private async Task<string> AnswerAsync((HttpMethod Method, string Path, string? Token) route, string tenant)
    {
        using var request = new HttpRequestMessage(route.Method, Fill(route.Path, tenant));
        if (route.Token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", Fill(route.Token, tenant));
        }

        if (route.Method == HttpMethod.Post)
        {
            request.Content = new StringContent(McpCalls.Call("whoami"), System.Text.Encoding.UTF8, "application/json");
            request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        }

        using var response = await _server.Client.SendAsync(request, Token);
        var headers = response
            .Headers.Concat(response.Content.Headers)
            .Where(header => header.Key != "Date")
            .Select(header => $"{header.Key}: {string.Join(',', header.Value)}");
        var body = await response.Content.ReadAsStringAsync(Token);
        return $"{(int)response.StatusCode}\n{string.Join('\n', headers)}\n{body}".Replace(tenant, "TENANT", StringComparison.Ordinal);
    }

    private async Task<double> BytesAsync((HttpMethod Method, string Path, string? Token) route, string tenant)
    {
        const int Calls = 300;
        for (var i = 0; i < 30; i++)
        {
            await AnswerAsync(route, tenant);
        }

        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < Calls; i++)
        {
            await AnswerAsync(route, tenant);
        }

        return (double)(GC.GetTotalAllocatedBytes(precise: true) - before) / Calls;
    }
}

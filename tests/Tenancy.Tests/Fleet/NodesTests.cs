using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>Who is there, and how a node goes.</summary>
[Tier(Tier.Process)]
public sealed class NodesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_admin_api_lists_the_nodes_and_one_that_stops_is_gone()
    {
        await using var nodes = await NodesOnOneStore.StartAsync(pollInterval: "00:00:00.2");
        var list = await ListAsync(nodes[0]);
        Assert.Equal("durable", list["store"]!.ToString());
        var listed = list["nodes"]!.AsArray();
        Assert.Equal(2, listed.Count);
        Assert.Equal(2, listed.Select(node => node!["id"]!.ToString()).Distinct().Count());
        Assert.All(listed, node =>
        {
            Assert.Equal(Environment.MachineName, node!["host"]!.ToString());
            Assert.InRange((double)node["heardSecondsAgo"]!, 0, 30);
            Assert.Equal(
                typeof(Tenancy.Registry.TenantRegistry).Assembly.GetName().Version!.ToString(3),
                node["release"]!.ToString().Split('-')[0]
            );
        });
        await nodes[1].App.StopAsync(Token);
        Assert.Single((await ListAsync(nodes[0]))["nodes"]!.AsArray());
    }

    [Fact]
    public async Task The_nodes_are_for_admins_only()
    {
        await using var server = await TenancyServer.StartAsync();
        using var refused = await server.Client.GetAsync(new Uri("/admin/nodes", UriKind.Relative), Token);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var unknown = await server.Client.GetAsync(new Uri("/admin/nodes/one", UriKind.Relative), Token);
        Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
    }

    [Fact]
    public async Task A_server_that_is_told_to_stop_says_so_first_and_serves_on_for_a_while()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:DrainTime"] = "00:00:05" };
        await using var server = await TenancyServer.StartAsync(settings: settings, services: services =>
            services.AddSingleton<TimeProvider>(clock)
        );
        Assert.Equal(HttpStatusCode.OK, await ReadyAsync(server));
        var stopping = server.App.StopAsync(Token);
        await Poll.UntilAsync(async () => await ReadyAsync(server) == HttpStatusCode.ServiceUnavailable);
        Assert.Contains("acme|", (await server.CallAsync("acme", McpCalls.Acme, "whoami")).ToJsonString(), StringComparison.Ordinal);
        Assert.False(stopping.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(5));
        await stopping;
    }

    [Fact]
    public async Task While_it_serves_on_streams_live_and_connections_close_with_their_next_answer()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { ["Tenancy:DrainTime"] = "00:00:05" };
        await using var server = await TenancyServer.StartAsync(settings: settings, services: services =>
            services.AddSingleton<TimeProvider>(clock)
        );
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        using (var before = await server.Client.GetAsync(new Uri("/health/live", UriKind.Relative), Token))
        {
            Assert.Null(before.Headers.ConnectionClose);
        }

        // As on SIGTERM: all are told, and the server is stopped after that.
        server.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        var stopping = server.App.StopAsync(Token);
        await Poll.UntilAsync(async () => await ReadyAsync(server) == HttpStatusCode.ServiceUnavailable);
        await using var stream = await OpenStream.GetAsync(server, McpCalls.Acme, session);
        await stream.ReadUntilAsync(OpenStream.Comment);
        using (var answer = await server.Client.GetAsync(new Uri("/health/live", UriKind.Relative), Token))
        {
            Assert.True(answer.Headers.ConnectionClose);
        }

        using (var deleted = await server.AdminAsync(HttpMethod.Delete, "/globex"))
        {
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        }

        var ended = stream.ReadToEndAsync();
        Assert.False(ended.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(5));
        await ended.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await stopping;
    }

    [Theory]
    [InlineData("00:00:30", 30)]
    [InlineData(null, 5)]
    public async Task A_server_that_the_host_would_cut_off_while_it_serves_on_does_not_start(string? drainTime, int seconds)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Tenancy:BaseDomain"] = "example.com",
            ["Tenancy:AcceptEmbeddedStore"] = "true",
            ["Tenancy:DrainTime"] = drainTime,
        };
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            TenancyServer.StartAsync(settings: settings, environment: "Production", services: services =>
                services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(seconds))
            )
        );
        Assert.StartsWith(
            $"Tenancy:DrainTime is {TimeSpan.FromSeconds(seconds)}, and the host has {TimeSpan.FromSeconds(seconds)} ",
            refused.Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("Development", 0)]
    [InlineData("Production", 5)]
    public async Task How_long_it_serves_on_is_for_those_who_have_to_notice(string environment, int seconds)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var settings = new Dictionary<string, string?> { ["Tenancy:BaseDomain"] = "example.com", ["Tenancy:AcceptEmbeddedStore"] = "true" };
        await using var server = await TenancyServer.StartAsync(settings: settings, environment: environment, services: services =>
            services.AddSingleton<TimeProvider>(clock)
        );
        var stopping = server.App.StopAsync(Token);
        if (seconds > 0)
        {
            await Poll.UntilAsync(() => Task.FromResult(server.Services.GetRequiredService<Tenancy.Fleet.NodeDrain>().HasBegun));
            clock.Advance(TimeSpan.FromSeconds(seconds - 1));
            Assert.False(stopping.IsCompleted);
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        await stopping;
    }

    private static async Task<HttpStatusCode> ReadyAsync(TenancyServer server)
    {
        using var answer = await server.Client.GetAsync(new Uri("/health/ready", UriKind.Relative), Token);
        return answer.StatusCode;
    }

    private static async Task<JsonNode> ListAsync(TenancyServer server)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/admin/nodes");
        request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        using var answer = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(Token))!;
    }
}

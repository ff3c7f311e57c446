using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Tenancy.Resolution;
using Tenancy.Tests.Diagnostics;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>The official client works with each tenant as with a server of its own.</summary>
[Tier(Tier.Server)]
public sealed class OfficialClientTests
{
    public static TheoryData<Way, string> Everywhere { get; } =
        new MatrixTheoryData<Way, string>(Enum.GetValues<Way>(), ["2025-11-25", "2026-07-28"]);

    [Theory, MemberData(nameof(Everywhere))]
    public async Task The_client_lists_and_calls_the_tools_of_its_own_tenant(Way way, string version)
    {
        await using var server = await TenancyServer.StartAsync();
        foreach (
            var (tenant, token, product) in new[] { ("acme", McpCalls.Acme, "acme-banner"), ("globex", McpCalls.Globex, "globex-shelf") }
        )
        {
            await using var client = await ConnectAsync(server, way, tenant, token, version);
            Assert.Equal(version, client.NegotiatedProtocolVersion);
            var tools = await client.ListToolsAsync(cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal(
                ["create_media_buy", "fail", "get_adcp_capabilities", "get_media_buys", "get_products", "whoami"],
                tools.Select(tool => tool.Name).Order(StringComparer.Ordinal)
            );
            Assert.Contains(product, await CallAsync(client, "get_products", []), StringComparison.Ordinal);
            await CallAsync(
                client,
                "create_media_buy",
                McpCalls.CreateBuy(tenant.Length).ToDictionary(pair => pair.Key, pair => (object?)pair.Value)
            );
            var buys = await CallAsync(client, "get_media_buys", []);
            Assert.Contains($"\"total_budget\":{tenant.Length}", buys, StringComparison.Ordinal);
            Assert.DoesNotContain($"\"total_budget\":{(tenant == "acme" ? 6 : 4)}", buys, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task Another_tenants_token_ends_the_connection(string version)
    {
        await using var server = await TenancyServer.StartAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(server, Way.Path, "globex", McpCalls.Acme, version));
    }

    [Fact]
    public async Task A_session_of_the_client_lives_through_a_suspension_of_its_tenant()
    {
        await using var server = await TenancyServer.StartAsync();
        using var signals = new Signals();
        signals.Listen(server);
        await using var client = await ConnectAsync(server, Way.Path, "acme", McpCalls.Acme, "2025-11-25");
        await client.CallToolAsync("whoami", cancellationToken: TestContext.Current.CancellationToken);
        using (await server.AdminAsync(HttpMethod.Patch, "/acme", new { status = "suspended" })) { }

        // Its stream was ended with that, and it asks for another, which it does not get now.
        await Poll.UntilAsync(() =>
            Task.FromResult(signals.Of("tenancy.refusals", ("tenancy.refusal", nameof(Refusal.TenantUnavailable))).Any())
        );
        await Assert.ThrowsAnyAsync<Exception>(() =>
            client.CallToolAsync("whoami", cancellationToken: TestContext.Current.CancellationToken).AsTask()
        );
        using (await server.AdminAsync(HttpMethod.Patch, "/acme", new { status = "active" })) { }

        var result = await client.CallToolAsync("whoami", cancellationToken: TestContext.Current.CancellationToken);
        Assert.NotEqual(true, result.IsError);
    }

    private static Task<McpClient> ConnectAsync(TenancyServer server, Way way, string tenant, string token, string version)
    {
        var headers = new Dictionary<string, string> { ["Authorization"] = "Bearer " + token };
        if (way == Way.Header)
        {
            headers["X-Tenant-ID"] = tenant;
        }

        var transport = new HttpClientTransport(
            new HttpClientTransportOptions
            {
                Endpoint = new Uri(McpCalls.Url(server.Port, way, tenant)),
                AdditionalHeaders = headers,
                TransportMode = HttpTransportMode.StreamableHttp,
            },
            server.NewClient(),
            ownsHttpClient: true
        );
        return McpClient.CreateAsync(
            transport,
            new() { ProtocolVersion = version },
            cancellationToken: TestContext.Current.CancellationToken
        );
    }

    private static async Task<string> CallAsync(McpClient client, string tool, Dictionary<string, object?> arguments)
    {
        var result = await client.CallToolAsync(tool, arguments, cancellationToken: TestContext.Current.CancellationToken);
        Assert.NotEqual(true, result.IsError);
        return result.Content.OfType<TextContentBlock>().Single().Text;
    }
}

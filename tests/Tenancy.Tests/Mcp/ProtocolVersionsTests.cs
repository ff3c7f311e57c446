using System.Net;
using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>Clients of both generations are told which revisions of the protocol they can go on with.</summary>
[Tier(Tier.Server)]
public sealed class ProtocolVersionsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("v999.0.0")]
    [InlineData("2027-01-01")]
    [InlineData("2026-07-28, 2025-11-25")]
    public async Task A_client_without_sessions_that_names_an_unknown_revision_gets_those_that_discovery_lists(string version)
    {
        await using var server = await TenancyServer.StartAsync();
        var discovered = await SendAsync(server, "2026-07-28", HttpStatusCode.OK);
        var refused = (await SendAsync(server, version, HttpStatusCode.BadRequest))["error"]!;
        Assert.Equal(-32022, (int)refused["code"]!);
        Assert.Equal(version, refused["data"]!["requested"]!.ToString());
        Assert.Equal(discovered["result"]!["supportedVersions"]!.ToJsonString(), refused["data"]!["supported"]!.ToJsonString());
    }

    [Fact]
    public async Task A_client_with_sessions_that_names_an_unknown_revision_gets_those_with_sessions_too()
    {
        await using var server = await TenancyServer.StartAsync();
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Initialize());
        request.Headers.Add("MCP-Protocol-Version", "v999.0.0");
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(
            "2025-11-25",
            (await McpCalls.ReadAsync(response))["error"]!["data"]!["supported"]!.AsArray().Select(found => found!.ToString())
        );
    }

    [Fact]
    public async Task Who_may_not_call_learns_no_revisions()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings);
        settings.Remove("Tenancy:AnonymousTools:0");
        await using var server = await TenancyServer.StartAsync(settings: settings);
        var answer = await SendAsync(server, "v999.0.0", HttpStatusCode.Unauthorized, token: null);
        Assert.Equal(-32028, (int)answer["error"]!["code"]!);
    }

    private static async Task<JsonNode> SendAsync(
        TenancyServer server,
        string version,
        HttpStatusCode status,
        string? token = McpCalls.Acme
    )
    {
        var body = McpCalls
            .Message("server/discover", generation: Generation.Stateless)
            .Replace("2026-07-28", version, StringComparison.Ordinal);
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", token, body);
        request.Headers.Add("MCP-Protocol-Version", version);
        request.Headers.Add("Mcp-Method", "server/discover");
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(status, response.StatusCode);
        return await McpCalls.ReadAsync(response);
    }
}

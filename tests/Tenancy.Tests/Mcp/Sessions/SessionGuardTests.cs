using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Tenancy.Mcp.Sessions;

namespace Tenancy.Tests.Mcp.Sessions;

/// <summary>What is kept of a client is bounded, and what the MCP SDK has of it stays as it is.</summary>
public sealed class SessionGuardTests
{
    [Fact]
    public void What_is_kept_of_a_client_that_says_much_is_a_copy()
    {
        var client = Client(new string('x', 20_000), new() { ["much"] = JsonElement.Parse($"\"{new string('y', 20_000)}\"") });
        var kept = Read(SessionGuard.Describe(client));
        Assert.Null(kept.Capabilities.Experimental);
        Assert.NotNull(kept.Capabilities.Elicitation);
        Assert.Equal(256, kept.ClientInfo.Name.Length);

        Assert.Equal(20_000, client.ClientInfo.Name.Length);
        Assert.Single(client.Capabilities.Experimental!);
    }

    [Fact]
    public void A_client_that_says_nothing_of_itself_is_described_however_much_else_it_says()
    {
        var client = JsonSerializer.Deserialize<InitializeRequestParams>(
            $$$"""
            {"protocolVersion":"2025-11-25","capabilities":null,"clientInfo":null,"_meta":{"much":"{{{new string('x', 20_000)}}}"}}
            """,
            McpJsonUtilities.DefaultOptions
        )!;
        var kept = SessionGuard.Describe(client);
        Assert.InRange(kept.Length, 1, 16 * 1024);
        Assert.Equal("", Read(kept).ClientInfo.Name);
    }

    private static InitializeRequestParams Client(string name, Dictionary<string, object> experimental) =>
        new()
        {
            ProtocolVersion = "2025-11-25",
            Capabilities = new() { Elicitation = new(), Experimental = experimental },
            ClientInfo = new() { Name = name, Version = "1" },
        };

    private static InitializeRequestParams Read(string json) =>
        JsonSerializer.Deserialize<InitializeRequestParams>(json, McpJsonUtilities.DefaultOptions)!;
}

using System.Net;
using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A client that reads JSON only gets JSON.</summary>
[Tier(Tier.Server)]
public sealed class PlainJsonTests
{
    [Theory]
    [InlineData("application/json", null)]
    [InlineData("application/json", Generation.Stateless)]
    [InlineData("", null)]
    [InlineData("*/*", null)]
    public async Task A_call_is_answered_in_plain_json(string accept, Generation? generation)
    {
        await using var server = await TenancyServer.StartAsync();
        foreach (
            var body in new[]
            {
                McpCalls.Call("get_products", generation: generation),
                McpCalls.Message("tools/list", generation: generation),
            }
        )
        {
            using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body, generation, accept: accept);
            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
            Assert.NotNull((await McpCalls.ReadAsync(response))["result"]);
        }
    }

    [Fact]
    public async Task Initialize_and_the_calls_of_its_session_are_answered_in_plain_json()
    {
        await using var server = await TenancyServer.StartAsync();
        using var initialize = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            McpCalls.Initialize(),
            accept: "application/json"
        );
        using var response = await server.Client.SendAsync(initialize, TestContext.Current.CancellationToken);
        Assert.Equal("2025-11-25", (await McpCalls.ReadAsync(response))["result"]!["protocolVersion"]!.ToString());

        var session = response.Headers.GetValues("Mcp-Session-Id").Single();
        using var call = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            McpCalls.Call("whoami"),
            Generation.Sessions,
            session,
            accept: "application/json"
        );
        using var answer = await server.Client.SendAsync(call, TestContext.Current.CancellationToken);
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith(
            "acme|",
            (await McpCalls.ReadAsync(answer))["result"]!["content"]![0]!["text"]!.ToString(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("completion/complete")]
    [InlineData("made/up")]
    public async Task What_is_an_error_by_its_status_is_plain_json_for_clients_of_event_streams_too(string method)
    {
        await using var server = await TenancyServer.StartAsync();
        var parameters = JsonNode.Parse("""{"ref":{"type":"ref/prompt","name":"x"},"argument":{"name":"x","value":"x"}}""")!.AsObject();
        var body = McpCalls.Message(method, parameters, Generation.Stateless);
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, body, Generation.Stateless);
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal((1, -32601), ((int)answer["id"]!, (int)answer["error"]!["code"]!));
    }

    [Fact]
    public async Task A_client_that_reads_event_streams_gets_one()
    {
        await using var server = await TenancyServer.StartAsync();
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("get_products"));
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task A_client_that_reads_neither_is_406()
    {
        await using var server = await TenancyServer.StartAsync();
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("get_products"), accept: "text/html");
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotAcceptable, response.StatusCode);
    }

    [Fact]
    public async Task The_sdks_own_refusals_keep_their_status_and_code()
    {
        await using var server = await TenancyServer.StartAsync();
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            McpCalls.Call("get_products", generation: Generation.Stateless),
            Generation.Stateless,
            accept: "application/json"
        );
        request.Headers.Remove("Mcp-Name");
        request.Headers.Add("Mcp-Name", "another");
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(-32020, (int)(await McpCalls.ReadAsync(response))["error"]!["code"]!);
    }

    [Fact]
    public async Task A_notification_without_a_session_is_202()
    {
        await using var server = await TenancyServer.StartAsync();
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            """{"jsonrpc":"2.0","method":"notifications/initialized"}"""
        );
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }
}

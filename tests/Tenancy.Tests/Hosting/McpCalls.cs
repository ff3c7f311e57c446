using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Tenancy.Tests.Hosting;

/// <summary>The three ways to name a tenant that a server has by default.</summary>
public enum Way
{
    Path,
    Host,
    Header,
}

/// <summary>The two generations of the protocol.</summary>
public enum Generation
{
    /// <summary>2025-11-25: <c>initialize</c> and sessions.</summary>
    Sessions,

    /// <summary>2026-07-28: neither.</summary>
    Stateless,
}

/// <summary>Raw MCP calls, as curl makes them.</summary>
internal static class McpCalls
{
    public const string Acme = "acme.dev-buyer";
    public const string Globex = "globex.dev-buyer";

    public static JsonObject CreateBuy(decimal budget = 100) =>
        new()
        {
            ["idempotency_key"] = Guid.NewGuid().ToString("N"),
            ["account"] = new JsonObject { ["account_id"] = "any" },
            ["brand"] = new JsonObject { ["domain"] = "brand.example" },
            ["start_time"] = "asap",
            ["end_time"] = "2099-01-01T00:00:00Z",
            ["packages"] = new JsonArray(
                new JsonObject
                {
                    ["product_id"] = "p",
                    ["pricing_option_id"] = "cpm",
                    ["budget"] = budget,
                }
            ),
        };

    public static HttpRequestMessage Post(
        int port,
        Way way,
        string tenant,
        string? token,
        string body,
        Generation? generation = null,
        string? sessionId = null,
        string accept = "application/json, text/event-stream"
    )
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Url(port, way, tenant))
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        Prepare(request, way, tenant, token, sessionId);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        if (generation == Generation.Stateless)
        {
            var message = JsonNode.Parse(body)!;
            var method = message["method"]!.ToString();
            request.Headers.Add("MCP-Protocol-Version", "2026-07-28");
            request.Headers.Add("Mcp-Method", method);
            if (method is "tools/call" or "prompts/get" or "resources/read")
            {
                request.Headers.Add("Mcp-Name", message["params"]![method == "resources/read" ? "uri" : "name"]!.ToString());
            }
        }
        else if (sessionId is not null)
        {
            request.Headers.Add("MCP-Protocol-Version", "2025-11-25");
        }

        return request;
    }

    public static HttpRequestMessage Bodyless(HttpMethod method, int port, Way way, string tenant, string? token, string? sessionId)
    {
        var request = new HttpRequestMessage(method, Url(port, way, tenant));
        Prepare(request, way, tenant, token, sessionId);
        request.Headers.TryAddWithoutValidation("Accept", "text/event-stream");
        return request;
    }

    public static string Call(string tool, JsonObject? arguments = null, Generation? generation = null) =>
        Message("tools/call", new() { ["name"] = tool, ["arguments"] = arguments ?? [] }, generation);

    public static string Message(string method, JsonObject? parameters = null, Generation? generation = null)
    {
        parameters ??= [];
        if (generation == Generation.Stateless)
        {
            parameters["_meta"] = new JsonObject
            {
                ["io.modelcontextprotocol/protocolVersion"] = "2026-07-28",
                ["io.modelcontextprotocol/clientCapabilities"] = new JsonObject(),
            };
        }

        return new JsonObject
        {
            ["jsonrpc"] = "2.0",
            ["id"] = 1,
            ["method"] = method,
            ["params"] = parameters,
        }.ToJsonString();
    }

    public static string Initialize() =>
        Message(
            "initialize",
            new()
            {
                ["protocolVersion"] = "2025-11-25",
                ["capabilities"] = new JsonObject(),
                ["clientInfo"] = new JsonObject { ["name"] = "test", ["version"] = "1" },
            }
        );

    /// <summary>Reads an answer, framed as an event stream or not.</summary>
    public static async Task<JsonNode> ReadAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
        {
            text = text.Split('\n').Last(line => line.StartsWith("data:", StringComparison.Ordinal))["data:".Length..];
        }

        return JsonNode.Parse(text)!;
    }

    public static async Task<JsonNode> CallAsync(
        this TenancyServer server,
        string tenant,
        string? token,
        string tool,
        JsonObject? arguments = null,
        Way way = Way.Path,
        Generation? generation = null,
        string? sessionId = null
    )
    {
        using var request = Post(server.Port, way, tenant, token, Call(tool, arguments, generation), generation, sessionId);
        using var response = await server.Client.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        return (await ReadAsync(response))["result"]!;
    }

    public static async Task<string> InitializeAsync(this TenancyServer server, string tenant, string? token, Way way = Way.Path)
    {
        using var request = Post(server.Port, way, tenant, token, Initialize());
        using var response = await server.Client.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return response.Headers.GetValues("Mcp-Session-Id").Single();
    }

    public static async Task<HttpResponseMessage> AdminAsync(
        this TenancyServer server,
        HttpMethod method,
        string path,
        object? body = null,
        string? key = TenancyServer.AdminKey
    )
    {
        using var request = new HttpRequestMessage(method, "/admin/tenants" + path);
        if (key is not null)
        {
            request.Headers.Add("X-Admin-API-Key", key);
        }

        if (body is not null)
        {
            request.Content = body is string text ? new StringContent(text, Encoding.UTF8, "application/json") : JsonContent.Create(body);
        }

        return await server.Client.SendAsync(request);
    }

    public static string Url(int port, Way way, string tenant) =>
        way switch
        {
            Way.Path => $"http://127.0.0.1:{port}/{tenant}/mcp",
            Way.Host => $"http://{tenant}.localhost:{port}/mcp",
            _ => $"http://127.0.0.1:{port}/mcp",
        };

    private static void Prepare(HttpRequestMessage request, Way way, string tenant, string? token, string? sessionId)
    {
        if (way == Way.Header)
        {
            request.Headers.Add("X-Tenant-ID", tenant);
        }

        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        }

        if (sessionId is not null)
        {
            request.Headers.Add("Mcp-Session-Id", sessionId);
        }
    }
}

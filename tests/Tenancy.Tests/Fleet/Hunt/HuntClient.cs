using System.Net;
using System.Text.Json.Nodes;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet.Hunt;

/// <summary>Calls nodes as callers do, and looks at every answer whether it is the caller's.</summary>
internal sealed class HuntClient(ProcessFleet fleet, HuntFindings findings)
{
    // A node that hangs answers within this time, or is taken for one that does not answer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public async Task<(int Status, string Body, string? Session)> SendAsync(int node, string what, HttpRequestMessage request)
    {
        var (status, body, session) = (0, "", (string?)null);
        using (request)
        {
            try
            {
                using var enough = new CancellationTokenSource(Patience);
                using var response = await fleet.Nodes[node].Client.SendAsync(request, enough.Token);
                body = await response.Content.ReadAsStringAsync(enough.Token);
                status = (int)response.StatusCode;
                session = response.Headers.TryGetValues("Mcp-Session-Id", out var ids) ? ids.Single() : null;
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
            {
                // The node was killed, or does not answer.
                body = exception.Message;
            }
        }

        findings.Count(what, status);
        return (status, body, session);
    }

    public Task<(int Status, string Body, string? Session)> CallAsync(
        int node,
        HuntedCaller caller,
        string tool,
        JsonObject? arguments = null,
        string? session = null,
        Generation generation = Generation.Sessions
    ) => SendAsync(node, tool, Request(caller.Tenant.Id, caller.Token(), McpCalls.Call(tool, arguments, generation), session, generation));

    public static HttpRequestMessage Request(
        string tenant,
        string? token,
        string body,
        string? session = null,
        Generation generation = Generation.Sessions
    )
    {
        var request = McpCalls.Post(80, Way.Path, tenant, token, body, generation, session, accept: "application/json");
        request.RequestUri = new Uri($"http://{NodeProcess.Host}/{tenant}/mcp");
        return request;
    }

    /// <summary>Reads what a tool of AdCP's answered.</summary>
    /// <returns>Null where it is an error.</returns>
    public static JsonNode? Read(string body) =>
        JsonNode.Parse(body)?["result"] is { } result && result["isError"]?.GetValue<bool>() is not true
            ? result["structuredContent"]
            : null;

    /// <summary>Whether an answer says that something is not there at this moment, and nothing else.</summary>
    public static bool IsOutage(int status) => status is 0 or (int)HttpStatusCode.ServiceUnavailable;
}

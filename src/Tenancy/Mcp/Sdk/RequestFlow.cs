using System.Security.Claims;
using Tenancy.Authentication;
using Tenancy.Mcp.Requests;
using Tenancy.Registry;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// What a handler that the MCP SDK calls knows of the HTTP request that its message came with. The SDK hands messages from one loop to
/// another, and gives a handler no other way back to its request: this flows with the message, and with nothing else.
/// </summary>
/// <remarks>
/// It gives nobody the HttpContext: Kestrel uses that for the next request, and a handler that outlives its own would see the tenant of
/// that one. The answer has it, and lets go of it when the request ends.
/// </remarks>
internal sealed class RequestFlow
{
    private static readonly AsyncLocal<RequestFlow?> Flow = new();

    private RequestFlow(McpRequest request, SdkReply reply, CancellationToken sessionEnds)
    {
        (Tenant, User, Caller, IsStranger) = (request.Tenant, request.User, request.Caller, request.IsStranger);
        (Reply, SessionEnds, RequestBytes) = (reply, sessionEnds, request.BodyBytes);
    }

    public static RequestFlow? Current => Flow.Value;

    public TenantModel Tenant { get; }

    public ClaimsPrincipal User { get; }

    public CallerIdentity Caller { get; }

    /// <summary>Gets whether the caller has shown nothing at a tenant that asks for something.</summary>
    public bool IsStranger { get; }

    /// <summary>Gets how many bytes the request had.</summary>
    public int RequestBytes { get; }

    /// <summary>Gets the answer, which may yet be refused.</summary>
    public SdkReply Reply { get; }

    /// <summary>Gets what is cancelled when the session ends. The SDK tells a handler only where the client itself ends it.</summary>
    public CancellationToken SessionEnds { get; }

    /// <summary>Lets what the caller of this method goes on to call know the request.</summary>
    public static void Begin(McpRequest request, SdkReply reply, CancellationToken sessionEnds) =>
        Flow.Value = new(request, reply, sessionEnds);
}

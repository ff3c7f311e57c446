using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Tenancy.Mcp.Requests;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Sdk;

/// <summary>Gives the MCP SDK a message of a session's client that did not come with a request to this node.</summary>
internal sealed class SdkInbox(IServiceProvider application)
{
    private readonly Lazy<RequestDelegate> _post = new(() => SdkEndpoints.Find(application, HttpMethods.Post));

    /// <summary>Gives it, as a request with it would: there is no other way. What the SDK answers is dropped.</summary>
    public Task PostAsync(TenantModel tenant, ClaimsPrincipal user, string sessionId, ReadOnlyMemory<byte> message)
    {
        var post = new DefaultHttpContext { RequestServices = application, User = user };
        post.Features.Set<ITenantFeature>(new TenantFeature(tenant, url: null));
        post.Request.Method = HttpMethods.Post;
        post.Request.ContentType = "application/json";
        post.Request.Headers.Accept = AcceptedReplies.Both;
        post.Request.Headers[McpRequest.SessionIdHeader] = sessionId;
        post.Request.Body = new MemoryStream(message.ToArray());
        post.Request.ContentLength = message.Length;
        return _post.Value(post);
    }
}

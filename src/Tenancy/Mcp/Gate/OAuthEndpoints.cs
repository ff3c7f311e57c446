using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Tenancy.Configuration;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Gate;

/// <summary>
/// The places where clients look for OAuth. Those of a resource's metadata (RFC 9728) have it; those of an authorization server (RFC 8414,
/// OpenID Connect Discovery, RFC 7591) have nothing, as this server is none, and say so in a form that clients can show.
/// </summary>
/// <remarks>Who has no token yet looks here for where to get one, whatever else an application's endpoints ask for.</remarks>
internal static class OAuthEndpoints
{
    // Where clients before 2025-06-18 go without any metadata (MCP 2025-03-26, Authorization, Fallbacks for Servers without Metadata).
    private static readonly string[] FallbackPlaces = ["/register", "/token", "/authorize"];
    private static readonly string[] ReadMethods = [HttpMethods.Get, HttpMethods.Head, HttpMethods.Options];
    private static readonly string[] FallbackMethods = [.. ReadMethods, HttpMethods.Post];
    private static readonly string[] ServerPlaces = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

    /// <summary>
    /// Maps the places of the endpoints with a prefix: before their path, as the RFCs say, and behind it, where some clients look.
    /// </summary>
    public static void Map(IEndpointRouteBuilder endpoints, string prefix)
    {
        MapPlaces(endpoints, prefix, ProtectedResource.WellKnown, ProtectedResourceMetadata.ServeAsync);
        foreach (var place in ServerPlaces)
        {
            MapPlaces(endpoints, prefix, place, ServeNothingAsync);
        }
    }

    /// <summary>Maps the places of the server itself.</summary>
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var metadata = new TenantEndpointMetadata("", isMcp: false, ProtectedResource.WellKnown, isMetadata: true);
        MapPlace(endpoints, ProtectedResource.WellKnown, metadata, ProtectedResourceMetadata.ServeAsync);

        // What the application has of its own there comes first: it may be an authorization server.
        foreach (var place in FallbackPlaces)
        {
            endpoints.MapMethods(place, FallbackMethods, RefuseAsync).WithOrder(int.MaxValue).AllowAnonymous();
        }

        foreach (var place in ServerPlaces)
        {
            endpoints.MapMethods(place, ReadMethods, RefuseServerAsync).WithOrder(int.MaxValue).AllowAnonymous();
        }
    }

    private static void MapPlaces(IEndpointRouteBuilder endpoints, string prefix, string place, Delegate serve)
    {
        MapPlace(endpoints, place + prefix + McpEndpoint.Path, new(McpEndpoint.Path, isMcp: false, place, isMetadata: true), serve);
        MapPlace(endpoints, prefix + McpEndpoint.Path + place, new(McpEndpoint.Path + place, isMcp: false, isMetadata: true), serve);
    }

    private static void MapPlace(IEndpointRouteBuilder endpoints, string pattern, TenantEndpointMetadata metadata, Delegate serve) =>
        endpoints.MapMethods(pattern, ReadMethods, serve).WithMetadata(metadata).AllowAnonymous();

    private static Task ServeNothingAsync(HttpContext context) => Refusal.NoMetadata.WriteAsync(context);

    // A client that found no authorization server takes this server for one, and goes to where its endpoints would be. The request names no
    // tenant, so that the answer is the same for all. The client may have sent a token that was refused; its user sees no more of that than
    // this.
    private static Task RefuseAsync(HttpContext context, AllowedOrigins origins)
    {
        if (IsPreflight(context, origins))
        {
            return Task.CompletedTask;
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(
            new JsonObject
            {
                ["error"] = "access_denied",
                ["error_description"] =
                    "There is no OAuth here: send a bearer token that is valid and has the scope, or use the URL of the tenant itself.",
            }
        );
    }

    private static Task RefuseServerAsync(HttpContext context, AllowedOrigins origins) =>
        IsPreflight(context, origins) ? Task.CompletedTask : ServeNothingAsync(context);

    // Lets pages read that there is nothing. The middleware that does so elsewhere stands in front of tenants only.
    private static bool IsPreflight(HttpContext context, AllowedOrigins origins)
    {
        if (context.Request.Headers.Origin is not [{ } origin] || !origins.ContainsForAll(origin))
        {
            return false;
        }

        CrossOrigin.Allow(context, origin);
        if (!CrossOrigin.IsPreflight(context.Request))
        {
            return false;
        }

        CrossOrigin.Answer(context, origins.Headers);
        return true;
    }
}

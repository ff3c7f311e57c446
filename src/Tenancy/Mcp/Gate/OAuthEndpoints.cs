using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Gate;

/// <summary>
/// The places where clients look for OAuth. Those of a resource's metadata (RFC 9728) have it; those of an authorization server (RFC 8414,
/// OpenID Connect Discovery, RFC 7591) have nothing, as this server is none, and say so in a form that clients can show.
/// </summary>
internal static class OAuthEndpoints
{
    private const string Endpoint = "/mcp";
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

        // An endpoint of the application's own comes first.
        endpoints.MapMethods("/register", [HttpMethods.Post, HttpMethods.Options], RefuseRegistrationAsync).WithOrder(int.MaxValue);
    }

    private static void MapPlaces(IEndpointRouteBuilder endpoints, string prefix, string place, Delegate serve)
    {
        MapPlace(endpoints, place + prefix + Endpoint, new(Endpoint, isMcp: false, place, isMetadata: true), serve);
        MapPlace(endpoints, prefix + Endpoint + place, new(Endpoint + place, isMcp: false, isMetadata: true), serve);
    }

    private static void MapPlace(IEndpointRouteBuilder endpoints, string pattern, TenantEndpointMetadata metadata, Delegate serve) =>
        endpoints.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Options], serve).WithMetadata(metadata);

    private static Task ServeNothingAsync(HttpContext context) => Refusal.NoMetadata.WriteAsync(context);

    // A client that found no authorization server takes this server for one, and registers itself here. No tenant is known: it is told
    // whatever tenants there are.
    private static Task RefuseRegistrationAsync(HttpContext context, AllowedOrigins origins)
    {
        if (context.Request.Headers.Origin is [{ } origin] && origins.ContainsForAll(origin))
        {
            CrossOrigin.Allow(context, origin);
            if (CrossOrigin.IsPreflight(context.Request))
            {
                CrossOrigin.Answer(context);
                return Task.CompletedTask;
            }
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(
            new JsonObject
            {
                ["error"] = "access_denied",
                ["error_description"] =
                    "There is no OAuth here: send the bearer token that you were given, or use the URL of the tenant itself.",
            }
        );
    }
}

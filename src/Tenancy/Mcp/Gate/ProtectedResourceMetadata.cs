using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tenancy.Mcp.Platforms;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Gate;

/// <summary>Tells a client where to get tokens for a tenant (RFC 9728, section 2).</summary>
internal sealed record ProtectedResourceMetadata
{
    public required string Resource { get; init; }

    /// <summary>The issuer; left out where it is no URL.</summary>
    public required IReadOnlyList<string>? AuthorizationServers { get; init; }

    public IReadOnlyList<string>? ScopesSupported { get; init; }

    public IReadOnlyList<string> BearerMethodsSupported { get; } = ["header"];

    public string? ResourceName { get; init; }

    // An issuer that is no URL has no document in which a client could find where to ask for tokens.
    private static bool IsUrl(string issuer) => issuer.Contains("://", StringComparison.Ordinal);

    /// <summary>Answers a request for the metadata; 404 where the tenant has no OAuth.</summary>
    public static async Task ServeAsync(HttpContext context, ProtectedResource resources)
    {
        if (resources.Find(context) is not { } resource)
        {
            await Refusal.NoMetadata.WriteAsync(context);
            return;
        }

        var tenant = context.Features.GetRequiredFeature<ITenantFeature>().Tenant;
        var authentication = tenant.Config.Authentication!;
        string[] scopes = [.. authentication.Scopes.Union(McpPlatformInstance.Of(tenant).Kind.Scopes)];
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsJsonAsync(
            new ProtectedResourceMetadata
            {
                Resource = resource,
                AuthorizationServers = IsUrl(authentication.Issuer!) ? [authentication.Issuer!] : null,
                ScopesSupported = scopes.Length > 0 ? scopes : null,
                ResourceName = tenant.Config.Name,
            },
            ProtectedResourceJson.Default.ProtectedResourceMetadata,
            cancellationToken: context.RequestAborted
        );
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(ProtectedResourceMetadata))]
internal sealed partial class ProtectedResourceJson : JsonSerializerContext;

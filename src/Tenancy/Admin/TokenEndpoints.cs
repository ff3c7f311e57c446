using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Admin;

/// <summary>Why tokens are refused, for whoever configures a tenant. Callers are told nothing of it.</summary>
internal static class TokenEndpoints
{
    public static void Map(AdminRoutes routes)
    {
        routes.Map(HttpMethods.Post, "{id}/explain-token", ExplainAsync);
        routes.Map(HttpMethods.Get, "{id}/refused-tokens", ListAsync);
    }

    private static async Task<IResult> ExplainAsync(string id, HttpContext context, TenantRegistry registry, TokenExplainer explainer)
    {
        if (await AdminEndpoints.FindAsync(registry, id, context.RequestAborted) is not { } tenant)
        {
            return AdminProblems.NotFound(id);
        }

        var body = await AdminRequest.ReadAsync(
            context,
            AdminJson.Default.TokenToExplain,
            "The body must have the token, as in { \"token\": \"eyJ...\" }."
        );
        if (string.IsNullOrWhiteSpace(body.Token))
        {
            throw new TenantConfigException([new("token", "is required: the access token that a client would send")]);
        }

        return TypedResults.Json(await explainer.ExplainAsync(tenant, body.Token, context.RequestAborted), AdminJson.Wire.TokenExplanation);
    }

    private static async Task<IResult> ListAsync(string id, HttpContext context, TenantRegistry registry, TokenRefusals refusals) =>
        await AdminEndpoints.FindAsync(registry, id, context.RequestAborted) is { } tenant
            ? TypedResults.Json(new RefusedTokenList(refusals.List(tenant.Id)), AdminJson.Wire.RefusedTokenList)
            : AdminProblems.NotFound(id);
}

/// <summary>A token that an admin wants explained.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record TokenToExplain
{
    public string? Token { get; init; }
}

/// <summary>Why tokens of a tenant were refused at this server, the latest cause first.</summary>
internal sealed record RefusedTokenList(IReadOnlyList<RefusedTokens> RefusedTokens);

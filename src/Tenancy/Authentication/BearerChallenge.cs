using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// Says in WWW-Authenticate what is missing (RFC 6750, section 3) and where a client learns how to get it (RFC 9728, section 5.1).
/// </summary>
internal sealed class BearerChallenge(ProtectedResource resources)
{
    /// <summary>Asks for a token.</summary>
    /// <param name="context">The request.</param>
    /// <param name="isInvalid">Whether there was one that is not valid here.</param>
    public void Write(HttpContext context, bool isInvalid) =>
        Write(
            context,
            StatusCodes.Status401Unauthorized,
            isInvalid ? "invalid_token" : null,
            context.Features.Get<ITenantFeature>()?.Tenant.Config.Authentication?.Scopes ?? []
        );

    /// <summary>Asks for a token that can do more.</summary>
    public void WriteInsufficientScope(HttpContext context, IEnumerable<string> scopes) =>
        Write(context, StatusCodes.Status403Forbidden, "insufficient_scope", scopes);

    private void Write(HttpContext context, int status, string? error, IEnumerable<string> scopes)
    {
        string?[] parameters =
        [
            error is null ? null : $"error=\"{error}\"",
            resources.FindMetadata(context) is { } url ? $"resource_metadata=\"{url}\"" : null,
            string.Join(' ', scopes) is { Length: > 0 } scope ? $"scope=\"{scope}\"" : null,
        ];
        context.Response.StatusCode = status;
        context.Response.Headers[HeaderNames.WWWAuthenticate] = $"Bearer {string.Join(", ", parameters.OfType<string>())}".TrimEnd();
    }
}

using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Tenancy.Resolution;

namespace Tenancy.Authentication;

/// <summary>
/// Says in WWW-Authenticate what is missing (RFC 6750, section 3) and where a client learns how to get it (RFC 9728, section 5.1).
/// </summary>
internal sealed class BearerChallenge(ProtectedResource resources)
{
    private const int MaxScopeLength = 1024;

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

    /// <summary>
    /// Asks for a token that can do more: with the scopes that are missing, and those that are held, as a client asks for what it is told
    /// and for nothing else.
    /// </summary>
    public void WriteInsufficientScope(HttpContext context, IEnumerable<string> held, IReadOnlyList<string> missing) =>
        Write(context, StatusCodes.Status403Forbidden, "insufficient_scope", [.. Fitting(held, missing), .. missing]);

    // A token can hold hundreds, and many proxies give an error of their own in place of an answer whose head has more than 4 KiB.
    private static IEnumerable<string> Fitting(IEnumerable<string> held, IReadOnlyList<string> missing)
    {
        var left = MaxScopeLength - missing.Sum(scope => scope.Length + 1);
        return held.Except(missing, StringComparer.Ordinal).TakeWhile(scope => (left -= scope.Length + 1) >= 0);
    }

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

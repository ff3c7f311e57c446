using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.Resolution;

/// <summary>
/// Stands in front of the admin API: it answers at the server's own hosts only, so that no page of another site reaches it by DNS
/// rebinding, to browsers at allowed origins only, and no cache may keep what it says, because a cache would give it to callers without a
/// key.
/// </summary>
internal sealed class AdminMiddleware(
    RequestDelegate next,
    AllowedHosts hosts,
    RefusedHosts refusedHosts,
    AllowedOrigins origins,
    UnreadBodies unread,
    CountedRefusals refused,
    ILogger<AdminMiddleware> logger
)
{
    public Task InvokeAsync(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<AdminEndpointMetadata>() is null ? next(context) : ServeAsync(context);

    private async Task ServeAsync(HttpContext context)
    {
        NoStore.Mark(context.Response);
        context.Response.OnStarting(MarkRefusalAsync, context);
        await AnswerAsync(context);
        await unread.EndAsync(context);
    }

    // A key that is missing or wrong is refused by ASP.NET Core's authorization, which knows nothing of the body.
    private static Task MarkRefusalAsync(object context)
    {
        if (((HttpContext)context).Response.StatusCode >= StatusCodes.Status400BadRequest)
        {
            UnreadBodies.Mark((HttpContext)context);
        }

        return Task.CompletedTask;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (Check(context.Request.Headers) is { } refusal)
        {
            if (refusal == Refusal.ForeignAdminHost)
            {
                refusedHosts.NoteForAdmin(context.Request);
            }

            refused.Count(context, refusal, tenant: null);
            await refusal.WriteAsync(context);
            return;
        }

        context.Features.Set(AdminAdmission.Instance);
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            // Left to the web server, the answer would have neither a body nor this API's headers.
            await Refusal.BadAdminRequest(exception.StatusCode, exception.Message).WriteAsync(context);
        }
        catch (Exception exception) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            var reference = FailureReference.New();
            logger.AdminRequestFailed(exception, reference);
            context.Response.Clear();
            await Refusal.AdminFailed(reference).WriteAsync(context);
        }
    }

    private Refusal? Check(IHeaderDictionary headers)
    {
        Span<char> buffer = stackalloc char[CanonicalHost.MaxLength];
        if (!CanonicalHost.TryRead(headers.Host.ToString(), buffer, out var host) || !hosts.ContainsForAdmin(host))
        {
            return Refusal.ForeignAdminHost;
        }

        return headers.Origin.Count > 0 && !(headers.Origin is [{ } origin] && (origins.Contains(origin) || IsOwn(origin, host)))
            ? Refusal.ForeignAdminOrigin
            : null;
    }

    // The page of this server itself, which is the console. The scheme may be the one before a proxy; the host is what was checked.
    private bool IsOwn(string origin, ReadOnlySpan<char> host) =>
        TenantUrl.TryParse(origin, out var url, out _) && url.Path.Length == 0 && host.SequenceEqual(url.Host) && hosts.IsOwnForAdmin(host);
}

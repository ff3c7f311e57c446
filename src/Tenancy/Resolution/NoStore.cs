using Microsoft.AspNetCore.Http;

namespace Tenancy.Resolution;

/// <summary>
/// Keeps answers out of caches (RFC 9111, section 5.2.2.5), whoever writes them: an endpoint, ASP.NET Core, or a page for developers.
/// </summary>
internal static class NoStore
{
    /// <summary>Marks the answer to this request, whatever it becomes.</summary>
    public static void Mark(HttpResponse response) =>
        response.OnStarting(
            static response =>
            {
                ((HttpResponse)response).Headers.CacheControl = "no-store";
                return Task.CompletedTask;
            },
            response
        );

    /// <summary>Marks the answer to this request where it becomes a refusal and says nothing of caches itself.</summary>
    public static void MarkRefusal(HttpResponse response) =>
        response.OnStarting(
            static state =>
            {
                var response = (HttpResponse)state;
                if (response.StatusCode >= StatusCodes.Status400BadRequest && response.Headers.CacheControl.Count == 0)
                {
                    response.Headers.CacheControl = "no-store";
                }

                return Task.CompletedTask;
            },
            response
        );
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Tenancy.Resolution;

namespace Tenancy.Admin.Console;

/// <summary>
/// The console: one page for people on top of the admin API. It holds no data and needs no key; what it shows it asks the API for, with the
/// key that somebody types into it. It answers at the hosts at which the API does.
/// </summary>
internal static class ConsoleEndpoints
{
    // Nothing but the page's own files, and requests to this server only. A text never becomes markup: the browser itself refuses that.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private const string Css = "text/css; charset=utf-8";
    private const string JavaScript = "text/javascript; charset=utf-8";

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    private static readonly ReadOnlyMemory<byte> Page = ConsoleFile.Read(ConsoleFile.PageName);

    /// <summary>Maps the page at the root of the admin API, and its files below it.</summary>
    /// <param name="group">Where the API is. The page is no part of what asks for a key.</param>
    public static void Map(RouteGroupBuilder group)
    {
        var files = group.MapGroup("");
        files.MapMethods("", Methods, WritePage);
        foreach (var name in ConsoleFile.Names)
        {
            var (content, contentType) = (ConsoleFile.Read(name), name.EndsWith(".css", StringComparison.Ordinal) ? Css : JavaScript);
            files.MapMethods("console/" + name, Methods, (HttpContext context) => WriteAsync(context, content, contentType));
        }

        // What the application has at these places comes first.
        files.WithMetadata(AdminEndpointMetadata.Instance, ConsoleMetadata.Instance).WithOrder(int.MaxValue - 1).ExcludeFromDescription();
    }

    // The names in the page are relative, so that it works below any path. They begin with the last segment of its own.
    private static Task WritePage(HttpContext context)
    {
        if (!context.Request.Path.Value!.EndsWith('/'))
        {
            return WriteAsync(context, Page, "text/html; charset=utf-8");
        }

        context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        context.Response.Headers.Location = "../admin";
        return Task.CompletedTask;
    }

    private static async Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> content, string contentType)
    {
        var (response, headers) = (context.Response, context.Response.Headers);
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        (response.ContentType, response.ContentLength) = (contentType, content.Length);
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(content, context.RequestAborted);
        }
    }
}

/// <summary>Marks the endpoints of the console.</summary>
internal sealed class ConsoleMetadata
{
    public static ConsoleMetadata Instance { get; } = new();
}

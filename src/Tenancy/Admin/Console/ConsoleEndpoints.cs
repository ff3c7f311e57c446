using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
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

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Maps the page at the root of the admin API, and its files below it.</summary>
    /// <param name="group">Where the API is. The page is no part of what asks for a key.</param>
    public static void Map(RouteGroupBuilder group)
    {
        var files = group.MapGroup("");
        var page = ConsoleFile.Read(ConsoleFile.PageName);
        files.MapMethods("", Methods, (HttpContext context) => WritePage(context, page));
        foreach (var name in ConsoleFile.Names)
        {
            var file = ConsoleFile.Read(name);
            files.MapMethods("console/" + name, Methods, (HttpContext context) => WriteAsync(context, file));
        }

        // What the application has at these places comes first.
        files.WithMetadata(AdminEndpointMetadata.Instance, ConsoleMetadata.Instance).WithOrder(int.MaxValue - 1).ExcludeFromDescription();
    }

    // The names in the page are relative, so that it works below any path. They begin with the last segment of its own.
    private static Task WritePage(HttpContext context, ConsoleFile page)
    {
        if (!context.Request.Path.Value!.EndsWith('/'))
        {
            return WriteAsync(context, page);
        }

        context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        context.Response.Headers.Location = "../admin";
        return Task.CompletedTask;
    }

    private static async Task WriteAsync(HttpContext context, ConsoleFile file)
    {
        var (response, headers) = (context.Response, context.Response.Headers);
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.Vary = HeaderNames.AcceptEncoding;
        var isPacked = TakesGzip(context.Request.Headers.AcceptEncoding);
        if (isPacked)
        {
            headers.ContentEncoding = "gzip";
        }

        var content = isPacked ? file.Packed : file.Content;
        (response.ContentType, response.ContentLength) = (file.ContentType, content.Length);
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(content, context.RequestAborted);
        }
    }

    private static bool TakesGzip(StringValues accepted) =>
        StringWithQualityHeaderValue.TryParseList(accepted, out var all) && all.Any(one => one.Value == "gzip" && one.Quality is not 0);
}

/// <summary>Marks the endpoints of the console.</summary>
internal sealed class ConsoleMetadata
{
    public static ConsoleMetadata Instance { get; } = new();
}

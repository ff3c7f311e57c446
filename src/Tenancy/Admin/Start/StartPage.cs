using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Tenancy.Admin.Console;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;

namespace Tenancy.Admin.Start;

/// <summary>The page at <c>/</c> in Development.</summary>
internal sealed class StartPage(
    TenantRegistry registry,
    IOptions<TenancyOptions> options,
    IPlatformNames platforms,
    IHostEnvironment environment,
    EndpointDataSource endpoints
)
{
    /// <summary>How many tenants the page shows.</summary>
    public const int Shown = 20;

    private const string Style = """
        :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
        html { background: Canvas; color: CanvasText; }
        body { max-width: 56rem; margin: 0 auto; padding: 1.5rem 1rem; overflow-wrap: anywhere; }
        h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 0; }
        section { border-top: 1px solid GrayText; padding: 1rem 0; }
        pre { white-space: pre-wrap; padding: .6rem .8rem; margin: .3rem 0 .8rem; border: 1px solid GrayText; border-radius: 5px; }
        pre { font-size: .9em; }
        p { margin: .4rem 0; } .bad { font-weight: 600; }
        """;

    private static readonly string ContentSecurityPolicy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Writes the page.</summary>
    public async Task WriteAsync(HttpContext context)
    {
        var content = Encoding.UTF8.GetBytes(Write(context.Request));
        var (response, headers) = (context.Response, context.Response.Headers);
        response.StatusCode = StatusCodes.Status200OK;
        (response.ContentType, response.ContentLength) = ("text/html; charset=utf-8", content.Length);
        (headers.CacheControl, headers.ContentSecurityPolicy, headers.XContentTypeOptions) = ("no-store", ContentSecurityPolicy, "nosniff");
        headers["Referrer-Policy"] = "no-referrer";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(content, context.RequestAborted);
        }
    }

    private string Write(HttpRequest request)
    {
        var html = new HtmlText();
        var name = environment.ApplicationName;
        html.Markup("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" ");
        html.Markup("content=\"width=device-width, initial-scale=1\"><title>").Text(name).Markup("</title><style>");
        html.Markup(Style).Markup("</style></head><body><main><h1>").Text(name).Markup("</h1>");
        WriteServer(html, request);
        var (tenants, all, _) = registry.Page(static _ => true, after: null, Shown);
        foreach (var tenant in tenants)
        {
            WriteTenant(html, tenant, TenantCall.Of(tenant.Config, request, options.Value));
        }

        if (all > tenants.Length)
        {
            html.Markup("<section><p>").Text($"And {Count(all - tenants.Length)} more.").Markup("</p></section>");
        }

        return html.Markup("</main></body></html>").ToString();
    }

    private void WriteServer(HtmlText html, HttpRequest request)
    {
        html.Markup("<p>").Text($"A multi-tenant MCP server (Tenancy {Release.Version}) in {environment.EnvironmentName}. ");
        html.Text($"Tenants: {Count(registry.Count)}. Platforms: {string.Join(", ", platforms.Names)}. ");
        html.Text($"A request names its tenant by: {options.Value.Identification.ToString().ToLowerInvariant()}.").Markup("</p><p>");
        if (endpoints.Endpoints.Any(static endpoint => endpoint.Metadata.GetMetadata<ConsoleMetadata>() is not null))
        {
            html.Markup("<a href=\"").Text(request.PathBase + "/admin").Markup("\">Open the console</a>: ");
            html.Text("tenants, their health and what they do. It asks for an admin key of Tenancy:Admin:Keys.");
        }
        else
        {
            html.Text("There is no console, because there is no admin API: MapTenantAdmin() and a key in Tenancy:Admin:Keys make both.");
        }

        html.Markup("</p>");
    }

    private static void WriteTenant(HtmlText html, TenantStatus tenant, TenantCall call)
    {
        var config = tenant.Config;
        var state = config.Status == TenantAdminStatus.Suspended ? "suspended" : tenant.Health.ToString().ToLowerInvariant();
        html.Markup("<section><h2>").Text(config.Id == config.Name ? config.Id : $"{config.Id}: {config.Name}").Markup("</h2><p>");
        html.Text($"{config.Platform}, ").Markup(state == "healthy" ? "<span>" : "<span class=\"bad\">").Text(state).Markup("</span>");
        html.Text(tenant.Reason is { } reason && state != "healthy" ? $": {reason}" : "").Markup("</p>");
        if (call.Hint is { } hint)
        {
            html.Markup("<p>").Text(hint).Markup("</p>");
        }

        html.Text("curl").Markup("<pre>").Text(call.Curl).Markup("</pre>");
        html.Text("MCP Inspector").Markup("<pre>").Text(call.Inspector).Markup("</pre>");
        html.Text(".mcp.json").Markup("<pre>").Text(call.Configuration).Markup("</pre></section>");
    }

    private static string Count(int number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A page in the making: what is markup and what is text are two things.</summary>
    private sealed class HtmlText
    {
        private readonly StringBuilder _html = new();

        public HtmlText Markup(string markup)
        {
            _html.Append(markup);
            return this;
        }

        public HtmlText Text(string? text)
        {
            _html.Append(HtmlEncoder.Default.Encode(text ?? ""));
            return this;
        }

        public override string ToString() => _html.ToString();
    }
}

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Tenancy.Configuration;
using Tenancy.Resolution;

namespace Tenancy.Admin.Start;

/// <summary>How a tenant is called, from the machine on which somebody looks at the start page.</summary>
/// <param name="Url">Its endpoint.</param>
/// <param name="Headers">The headers that a request needs beside those of MCP.</param>
/// <param name="Hint">What is to be put into them; null where nothing is.</param>
/// <param name="Id">The tenant's id.</param>
internal sealed record TenantCall(string Id, string Url, IReadOnlyList<(string Name, string Value)> Headers, string? Hint)
{
    private const string Placeholder = "TOKEN";

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Gets a command that lists the tenant's tools.</summary>
    public string Curl =>
        $"curl {Quote(Url)} \\\n"
        + string.Concat(Headers.Select(header => $"  -H {Quote($"{header.Name}: {header.Value}")} \\\n"))
        + "  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\\n"
        + """  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'""";

    /// <summary>Gets a command that does the same with MCP Inspector.</summary>
    public string Inspector =>
        $"npx @modelcontextprotocol/inspector --cli {Quote(Url)} \\\n  --transport http --method tools/list"
        + string.Concat(Headers.Select(header => $" \\\n  --header {Quote($"{header.Name}: {header.Value}")}"));

    /// <summary>Gets what stands in a client's <c>.mcp.json</c>.</summary>
    public string Configuration
    {
        get
        {
            var server = new JsonObject { ["type"] = "http", ["url"] = Url };
            if (Headers.Count > 0)
            {
                server["headers"] = new JsonObject(Headers.Select(header => KeyValuePair.Create(header.Name, (JsonNode?)header.Value)));
            }

            return new JsonObject { ["mcpServers"] = new JsonObject { [Id] = server } }.ToJsonString(Indented);
        }
    }

    /// <summary>Says how a tenant is called.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="request">A request from where it is to be called.</param>
    /// <param name="options">The settings.</param>
    public static TenantCall Of(TenantConfig tenant, HttpRequest request, TenancyOptions options)
    {
        var headers = new List<(string, string)>();
        var url = FindUrl(tenant, request, options);
        if (url is null)
        {
            url = $"{request.Scheme}://{request.Host}{request.PathBase}";
            if (options.Identification.HasFlag(TenantIdentification.Header) && !options.IsDefault(tenant.Id))
            {
                headers.Add((TenantResolver.HeaderName, tenant.Id));
            }
        }

        var hint = Prove(tenant, options, headers);
        return new(tenant.Id, url + McpEndpoint.Path, headers, hint);
    }

    // By path wherever that is possible: it needs no name that leads here.
    private static string? FindUrl(TenantConfig tenant, HttpRequest request, TenancyOptions options)
    {
        var ways = options.Identification;
        return options.IsDefault(tenant.Id) ? null
            : ways.HasFlag(TenantIdentification.Path) ? $"{request.Scheme}://{request.Host}{request.PathBase}/{tenant.Id}"
            : ways.HasFlag(TenantIdentification.Host)
                ? TenantSubdomain.Of(tenant.Id, options)?.ToString() ?? (tenant.Urls is [var first, ..] ? first : null)
            : null;
    }

    // A token of the configuration that would be refused elsewhere is one for development, and no secret. Any other is not shown.
    private static string? Prove(TenantConfig tenant, TenancyOptions options, List<(string, string)> headers)
    {
        if (tenant.Authentication?.Kind == TenantAuthenticationKind.None)
        {
            return null;
        }

        if (tenant.Authentication?.Kind == TenantAuthenticationKind.Scheme)
        {
            return $"Callers prove who they are by the application's scheme '{tenant.Authentication.Scheme}': add what that asks for.";
        }

        var token = tenant.Authentication?.Kind == TenantAuthenticationKind.Bearer ? FindToken(tenant.Id, options) : null;
        headers.Add(("Authorization", $"Bearer {token ?? Placeholder}"));
        return token is not null ? null
            : tenant.Authentication?.Kind == TenantAuthenticationKind.Jwks
                ? $"In place of {Placeholder} stands an access token of {tenant.Authentication.Issuer}."
            : $"In place of {Placeholder} stands the token of a principal: the console issues one.";
    }

    private static string? FindToken(string id, TenancyOptions options) =>
        options
            .Tenants.Where(tenant => tenant.Tenant.Id == id)
            .SelectMany(tenant => tenant.Principals)
            .Select(principal => principal.Token)
            .FirstOrDefault(token => token is not null && !PrincipalValidator.IsStrongEnough(token, allowsDevelopmentTokens: false));

    private static string Quote(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}

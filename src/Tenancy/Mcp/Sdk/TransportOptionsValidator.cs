using Microsoft.Extensions.Options;
using ModelContextProtocol.AspNetCore;

namespace Tenancy.Mcp.Sdk;

/// <summary>Refuses what the MCP SDK offers and what would take something from one tenant or caller to another.</summary>
internal sealed class TransportOptionsValidator : IValidateOptions<HttpServerTransportOptions>
{
    public ValidateOptionsResult Validate(string? name, HttpServerTransportOptions options)
    {
        string[] mistakes = [.. Mistakes(options)];
        return mistakes.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }

    private static IEnumerable<string> Mistakes(HttpServerTransportOptions options)
    {
        if (options.EventStreamStore is not null)
        {
            yield return "HttpServerTransportOptions.EventStreamStore is set, which keeps streams without their tenants: leave it null.";
        }

        if (options.PerSessionExecutionContext)
        {
            yield return "HttpServerTransportOptions.PerSessionExecutionContext is true, with which handlers run as whoever began the "
                + "session, and not as who calls: leave it false.";
        }

#pragma warning disable MCP9004 // That it is obsolete does not keep anybody from setting it.
        if (options.EnableLegacySse)
#pragma warning restore MCP9004
        {
            yield return "HttpServerTransportOptions.EnableLegacySse is true, whose sessions belong to no tenant: leave it false.";
        }
    }
}

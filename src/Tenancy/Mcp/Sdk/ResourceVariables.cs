using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp.Platforms;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// Names the variable of a resource's URI that its method could not be called with, as the caller's mistake. To the MCP SDK it is a failure
/// of the server.
/// </summary>
internal static partial class ResourceVariables
{
    public static McpRequestHandler<ReadResourceRequestParams, ReadResourceResult> Filter(
        McpRequestHandler<ReadResourceRequestParams, ReadResourceResult> next
    ) =>
        async (request, cancellationToken) =>
        {
            try
            {
                return await next(request, cancellationToken);
            }
            catch (Exception exception)
                when (MethodArguments.MayCause(exception)
                    && request.MatchedPrimitive is McpServerResource resource
                    && FindUnreadable(resource, request.Params.Uri) is { } one
                )
            {
                throw new McpProtocolException(
                    $"The resource cannot be read: {one.Name} {PromptArguments.Words(one.ParameterType)}.",
                    McpErrorCode.InvalidParams
                );
            }
        };

    private static ParameterInfo? FindUnreadable(McpServerResource resource, string uri)
    {
        var found = Pattern(resource.ProtocolResourceTemplate.UriTemplate).Match(uri);
        return resource
            .Metadata.OfType<MethodInfo>()
            .SelectMany(method => method.GetParameters())
            .FirstOrDefault(parameter =>
                found.Groups.TryGetValue(parameter.Name!, out var value)
                && value.Success
                && !IsReadable(Uri.UnescapeDataString(value.Value), parameter.ParameterType)
            );
    }

    // The SDK reads a variable as a text and, where that is no such value, as JSON.
    private static bool IsReadable(string text, Type type)
    {
        if (MethodArguments.IsReadable(JsonSerializer.SerializeToElement(text, ToolJson.Default.String), type))
        {
            return true;
        }

        try
        {
            return MethodArguments.IsReadable(JsonElement.Parse(text), type);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static Regex Pattern(string template) =>
        new(
            $"^{Expression().Replace(template, Pattern)}$",
            RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant
        );

    // The expressions of RFC 6570 that take one variable of a path, or several of a query. What others hold is not looked for.
    private static string Pattern(Match part)
    {
        if (part.Groups["literal"].Success)
        {
            return Regex.Escape(part.Value);
        }

        var names = part.Groups["names"].Value.Split(',');
        return (part.Groups["operator"].Value, names.Length) switch
        {
            ("", 1) => $"(?<{names[0]}>[^/?&#]*)",
            ("/", 1) => $"/(?<{names[0]}>[^/?&#]*)",
            ("?" or "&", _) => $"(?:[?&](?:{string.Join('|', names.Select(name => $"{name}=(?<{name}>[^&#]*)"))}))*",
            _ => ".*",
        };
    }

    [GeneratedRegex(
        @"\{(?<operator>[+#./;?&]?)(?<names>[A-Za-z_][A-Za-z0-9_,]*)[^}]*\}|(?<literal>[^{]+|\{)",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex Expression();
}

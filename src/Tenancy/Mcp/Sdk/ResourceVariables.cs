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
            if (request.MatchedPrimitive is not McpServerResource resource)
            {
                return await next(request, cancellationToken);
            }

            foreach (var (parameter, value) in Read(resource, request.Params.Uri))
            {
                if (TryRead(value, parameter.ParameterType, out var read) && TextPrimitives.Explain(parameter, read) is { } why)
                {
                    throw Refuse(why);
                }
            }

            try
            {
                return await next(request, cancellationToken);
            }
            catch (Exception exception)
                when (MethodArguments.MayCause(exception) && FindUnreadable(resource, request.Params.Uri) is { } one)
            {
                throw Refuse($"{one.Name} {PromptArguments.Words(one.ParameterType)}.");
            }
        };

    private static ParameterInfo? FindUnreadable(McpServerResource resource, string uri) =>
        Read(resource, uri).FirstOrDefault(variable => !TryRead(variable.Value, variable.Parameter.ParameterType, out _)).Parameter;

    private static IEnumerable<(ParameterInfo Parameter, string Value)> Read(McpServerResource resource, string uri)
    {
        var found = Pattern(resource.ProtocolResourceTemplate.UriTemplate).Match(uri);
        return resource
            .Metadata.OfType<MethodInfo>()
            .SelectMany(method => method.GetParameters())
            .Where(parameter => found.Groups.TryGetValue(parameter.Name!, out var value) && value.Success)
            .Select(parameter => (parameter, Uri.UnescapeDataString(found.Groups[parameter.Name!].Value)));
    }

    // The SDK reads a variable as a text and, where that is no such value, as JSON.
    private static bool TryRead(string text, Type type, out object? read)
    {
        if (MethodArguments.TryRead(JsonSerializer.SerializeToElement(text, ToolJson.Default.String), type, out read))
        {
            return true;
        }

        try
        {
            return MethodArguments.TryRead(JsonElement.Parse(text), type, out read);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static McpProtocolException Refuse(string mistake) =>
        new($"The resource cannot be read: {mistake}", McpErrorCode.InvalidParams);

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

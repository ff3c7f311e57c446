using System.Reflection;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp.Platforms;

namespace Tenancy.Mcp.Sdk;

/// <summary>Names the argument that a prompt could not be made with, as a tool's is. The MCP SDK says only that it failed.</summary>
internal static class PromptArguments
{
    public static McpRequestHandler<GetPromptRequestParams, GetPromptResult> Filter(
        McpRequestHandler<GetPromptRequestParams, GetPromptResult> next
    ) =>
        async (request, cancellationToken) =>
        {
            if (request.MatchedPrimitive is not McpServerPrompt prompt)
            {
                return await next(request, cancellationToken);
            }

            var arguments = request.Params.Arguments;
            var missing = prompt.ProtocolPrompt.Arguments?.FirstOrDefault(argument =>
                argument.Required is true && arguments?.ContainsKey(argument.Name) is not true
            );
            if (missing is not null)
            {
                throw Refuse($"{missing.Name} is required.");
            }

            ReadTruths(prompt, request.Params);
            foreach (var parameter in Parameters(prompt))
            {
                LookAt(parameter, request.Params);
            }

            try
            {
                return await next(request, cancellationToken);
            }
            catch (Exception exception) when (MethodArguments.MayCause(exception) && FindUnreadable(prompt, request.Params) is { } one)
            {
                throw Refuse($"{one.Name} {Words(one.ParameterType)}.");
            }
        };

    // What may be null may be left out, and what its attributes ask for holds.
    private static void LookAt(ParameterInfo parameter, GetPromptRequestParams call)
    {
        if (call.Arguments?.TryGetValue(parameter.Name!, out var value) is true)
        {
            if (MethodArguments.TryRead(value, parameter.ParameterType, out var read) && TextPrimitives.Explain(parameter, read) is { } why)
            {
                throw Refuse(why);
            }
        }
        else if (!parameter.HasDefaultValue && TextPrimitives.MayBeNull(parameter))
        {
            call.Arguments = new Dictionary<string, JsonElement>(call.Arguments ?? new Dictionary<string, JsonElement>())
            {
                [parameter.Name!] = JsonElement.Parse("null"),
            };
        }
    }

    // Arguments of prompts are texts (MCP, prompts/get). The SDK reads numbers from them, and no truth values.
    private static void ReadTruths(McpServerPrompt prompt, GetPromptRequestParams call)
    {
        foreach (var parameter in Parameters(prompt).Where(parameter => TypeOf(parameter) == typeof(bool)))
        {
            if (
                call.Arguments?.TryGetValue(parameter.Name!, out var value) is true
                && value.ValueKind == JsonValueKind.String
                && bool.TryParse(value.GetString(), out var truth)
            )
            {
                call.Arguments = new Dictionary<string, JsonElement>(call.Arguments)
                {
                    [parameter.Name!] = JsonElement.Parse(truth ? "true" : "false"),
                };
            }
        }
    }

    private static ParameterInfo? FindUnreadable(McpServerPrompt prompt, GetPromptRequestParams call) =>
        Parameters(prompt)
            .FirstOrDefault(parameter =>
                call.Arguments?.TryGetValue(parameter.Name!, out var value) is true
                && !MethodArguments.IsReadable(value, parameter.ParameterType)
            );

    private static IEnumerable<ParameterInfo> Parameters(McpServerPrompt prompt) =>
        prompt
            .Metadata.OfType<MethodInfo>()
            .SelectMany(method => method.GetParameters())
            .Where(parameter => prompt.ProtocolPrompt.Arguments?.Any(argument => argument.Name == parameter.Name) is true);

    private static Type TypeOf(ParameterInfo parameter) => Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;

    /// <summary>What a value of a type must be.</summary>
    public static string Words(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) switch
        {
            { IsEnum: true } kind => $"must be one of {string.Join(", ", Enum.GetNames(kind))}",
            var one when one == typeof(bool) => "must be true or false",
            var one when Type.GetTypeCode(one) is >= TypeCode.SByte and <= TypeCode.UInt64 => "must be a whole number",
            var one when Type.GetTypeCode(one) is >= TypeCode.Single and <= TypeCode.Decimal => "must be a number",
            _ => "has a wrong form",
        };

    private static McpProtocolException Refuse(string mistake) => new($"The prompt cannot be made: {mistake}", McpErrorCode.InvalidParams);
}

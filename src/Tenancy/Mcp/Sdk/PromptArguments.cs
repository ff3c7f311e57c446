using System.Reflection;
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

            try
            {
                return await next(request, cancellationToken);
            }
            catch (Exception exception) when (MethodArguments.MayCause(exception) && FindUnreadable(prompt, request.Params) is { } name)
            {
                throw Refuse($"{name} has a wrong form.");
            }
        };

    private static string? FindUnreadable(McpServerPrompt prompt, GetPromptRequestParams call) =>
        prompt
            .Metadata.OfType<MethodInfo>()
            .SelectMany(method => method.GetParameters())
            .FirstOrDefault(parameter =>
                call.Arguments?.TryGetValue(parameter.Name!, out var value) is true
                && !MethodArguments.IsReadable(value, parameter.ParameterType)
            )
            ?.Name;

    private static McpProtocolException Refuse(string mistake) => new($"The prompt cannot be made: {mistake}", McpErrorCode.InvalidParams);
}

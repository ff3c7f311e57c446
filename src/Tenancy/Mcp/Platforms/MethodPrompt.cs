using System.Reflection;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp.Platforms;

/// <summary>A method that is a prompt. The argument that it could not be called with is named, as a tool's is.</summary>
internal sealed class MethodPrompt(MethodInfo method, McpServerPrompt prompt) : DelegatingMcpServerPrompt(prompt)
{
    public override async ValueTask<GetPromptResult> GetAsync(
        RequestContext<GetPromptRequestParams> request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        var arguments = request.Params.Arguments;
        foreach (var argument in ProtocolPrompt.Arguments ?? [])
        {
            if (argument.Required is true && arguments?.ContainsKey(argument.Name) is not true)
            {
                throw Refuse($"{argument.Name} is required.");
            }
        }

        try
        {
            return await base.GetAsync(request, cancellationToken);
        }
        catch (Exception exception)
            when (exception is not (McpException or OperationCanceledException) && FindUnreadable(request) is { } name)
        {
            throw Refuse($"{name} has a wrong form.");
        }
    }

    private string? FindUnreadable(RequestContext<GetPromptRequestParams> request) =>
        method
            .GetParameters()
            .FirstOrDefault(parameter =>
                request.Params.Arguments?.TryGetValue(parameter.Name!, out var value) is true
                && !MethodArguments.IsReadable(value, parameter.ParameterType)
            )
            ?.Name;

    private McpProtocolException Refuse(string mistake) =>
        new($"The prompt '{ProtocolPrompt.Name}': {mistake}", McpErrorCode.InvalidParams);
}

using System.Reflection;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// A method with the MCP SDK's own attribute as a tool, run in the call's scope. A <see cref="ToolContext"/> parameter gets the tenant's
/// context.
/// </summary>
internal sealed class MethodTool : TenantTool
{
    // The method may see the message, but nothing reads its id: a direct call is answered with the bytes of its own id.
    private static readonly RequestId NoId = new("direct");

    private readonly McpServerTool _tool;
    private readonly MethodArguments _arguments;
    private readonly bool _asksForUser;

    // The options are made with the tools in them, so that they are not there yet when a tool is built.
    private readonly Lazy<McpServerOptions> _options;

    public MethodTool(Type handlers, MethodInfo method, IServiceProvider services)
    {
        _options = new(() => services.GetRequiredService<IOptions<McpServerOptions>>().Value);
        var rules = new MethodRules(method, method.GetCustomAttribute<McpServerToolAttribute>()!.Name ?? method.Name);
        rules.Check();
        var options = new McpServerToolCreateOptions
        {
            Services = services,
            SchemaCreateOptions = new() { TransformSchemaNode = rules.CheckMember },
        };
        var create = ActivatorUtilities.CreateFactory(handlers, []);
        _tool = method.IsStatic
            ? McpServerTool.Create(method, target: null, options)
            : McpServerTool.Create(method, request => create(request.Services!, null), options);
        _arguments = new(method, _tool.ProtocolTool);
        ToolSchema.Mend(_tool.ProtocolTool, mayLeaveOut: true);
        EarlierProtocolTool = ObjectOutput.Describe(_tool.ProtocolTool);
        _asksForUser = AsksForUser(method) || (!method.IsStatic && handlers.GetConstructors().Any(AsksForUser));
        NeedsServer = AsksForServer(method) || (!method.IsStatic && handlers.GetConstructors().Any(AsksForServer)) || IsGuarded();
    }

    public override Tool ProtocolTool => _tool.ProtocolTool;

    public override IReadOnlyList<object> Metadata => _tool.Metadata;

    internal override Tool EarlierProtocolTool { get; }

    internal override bool NeedsServer { get; }

    internal override bool NeedsUser => _asksForUser || base.NeedsUser;

    public override ToolRun Read(ReadOnlySpan<byte> arguments) =>
        new MethodRun(this, arguments.IsEmpty ? null : JsonSerializer.Deserialize(arguments, ToolJson.Default.DictionaryStringJsonElement));

    /// <summary>Answers a call that came by way of the MCP SDK: with the SDK's server, and its own reading of the arguments.</summary>
    public ValueTask<CallToolResult> InvokeAsync(
        Call call,
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        request.Services = call.Services;
        return InvokeMethodAsync(request, cancellationToken);
    }

    private async ValueTask<CallToolResult> InvokeMethodAsync(
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        _arguments.Complete(request.Params);
        try
        {
            return await _tool.InvokeAsync(request, cancellationToken);
        }
        catch (Exception exception)
            when (exception is not (McpException or OperationCanceledException) && _arguments.FindUnreadable(request.Params) is { } mistake)
        {
            throw new McpException(mistake, exception);
        }
    }

    private static ClaimsPrincipal? Authenticated(ClaimsPrincipal? user) =>
        user?.Identities.Any(identity => identity.IsAuthenticated) is true ? user : null;

    // A method that takes one of these talks to the client. IProgress does not count: without a progress token it reports to nobody, and
    // with one a call goes the way of the SDK.
    private static bool AsksForServer(MethodBase method) =>
        method
            .GetParameters()
            .Any(parameter =>
                parameter.ParameterType == typeof(McpServer)
                || parameter.ParameterType == typeof(RequestContext<CallToolRequestParams>)
                || parameter.ParameterType == typeof(IServiceProvider)
            );

    private static bool AsksForUser(MethodBase method) =>
        method.GetParameters().Any(parameter => parameter.ParameterType == typeof(ClaimsPrincipal));

    // The SDK's own filters look at these.
    private bool IsGuarded() => _tool.Metadata.Any(item => item is IAuthorizeData or IAllowAnonymous);

    private sealed class MethodRun(MethodTool tool, Dictionary<string, JsonElement>? arguments) : ToolRun
    {
        public override async ValueTask<ToolAnswer> RunAsync(Call call, CancellationToken cancellationToken)
        {
            var message = new JsonRpcRequest
            {
                Id = NoId,
                Method = RequestMethods.ToolsCall,
                Context = new() { ProtocolVersion = call.Revision, User = tool._asksForUser ? Authenticated(call.User) : null },
            };
            var request = new RequestContext<CallToolRequestParams>(
                new ServerStandIn(tool._options.Value, call.Services, call.Revision),
                message,
                new() { Name = tool.ProtocolTool.Name, Arguments = arguments }
            )
            {
                Services = call.Services,
                MatchedPrimitive = tool,
            };
            return ToolAnswer.FromResult(await tool.InvokeMethodAsync(request, cancellationToken));
        }
    }
}

[JsonSourceGenerationOptions(AllowDuplicateProperties = false)]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class ToolJson : JsonSerializerContext;

using System.Reflection;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// A method with the MCP SDK's own attribute as a tool, run in the call's scope. A <see cref="ToolContext"/> parameter gets the tenant's
/// context.
/// </summary>
/// <remarks>
/// In a direct call its arguments go from the bytes into its parameters, and what it returns goes into the bytes of the answer. By the
/// SDK's way, and where a parameter asks for something of the SDK's, the SDK does both.
/// </remarks>
internal sealed class MethodTool : TenantTool
{
    private readonly McpServerTool _tool;
    private readonly MethodInvoker _method;
    private readonly ObjectFactory? _create;
    private readonly MethodArguments _arguments;
    private readonly MethodParameters? _parameters;
    private readonly MethodResults _results;
    private readonly bool _asksForUser;

    public MethodTool(Type handlers, MethodInfo method, IServiceProvider services)
    {
        var rules = new MethodRules(method, method.GetCustomAttribute<McpServerToolAttribute>()!.Name ?? method.Name);
        rules.Check();
        var options = new McpServerToolCreateOptions
        {
            Services = services,
            SerializerOptions = MethodArguments.Options,
            SchemaCreateOptions = new() { TransformSchemaNode = MethodRules.NoteMember },
        };
        _create = method.IsStatic ? null : ActivatorUtilities.CreateFactory(handlers, []);
        _tool = Create(method, _create, options);
        if (MethodResults.HasNoSchema(method))
        {
            _tool.ProtocolTool.OutputSchema = null;
        }

        _method = MethodInvoker.Create(method);
        rules.CheckArguments(_tool.ProtocolTool.InputSchema);
        NullAgreement.Apply(method, _tool.ProtocolTool);
        _arguments = new(method, _tool.ProtocolTool);
        ToolSchema.Mend(_tool.ProtocolTool, mayLeaveOut: true);
        ListedProtocolTool = ObjectOutput.WithoutNull(_tool.ProtocolTool);
        EarlierProtocolTool = ObjectOutput.Describe(_tool.ProtocolTool);
        _results = new(method, _tool.ProtocolTool);
        _parameters =
            IsGuarded() || (!method.IsStatic && handlers.GetConstructors().Any(AsksForRequest))
                ? null
                : MethodParameters.TryRead(method, _arguments, services);
        _asksForUser = method.GetParameters().Any(parameter => parameter.ParameterType == typeof(ClaimsPrincipal));
        IsSynchronous = !_results.IsAwaited;
    }

    public override Tool ProtocolTool => _tool.ProtocolTool;

    public override IReadOnlyList<object> Metadata => _tool.Metadata;

    internal override Tool ListedProtocolTool { get; }

    internal override Tool EarlierProtocolTool { get; }

    internal override bool NeedsServer => _parameters is null;

    internal override bool IsSynchronous { get; }

    internal override bool NeedsUser => _asksForUser || base.NeedsUser;

    public override ToolRun Read(ReadOnlySpan<byte> arguments) =>
        new MethodRun(
            this,
            _parameters ?? throw new InvalidOperationException($"The tool '{ProtocolTool.Name}' is called by the MCP SDK only."),
            _arguments.Read(arguments)
        );

    /// <summary>Answers a call that came by way of the MCP SDK: with the SDK's server, and its own reading of the arguments.</summary>
    public async ValueTask<CallToolResult> InvokeAsync(
        Call call,
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        request.Services = call.Services;
        _arguments.Complete(request.Params);
        try
        {
            return await _tool.InvokeAsync(request, cancellationToken);
        }
        catch (Exception exception) when (MethodArguments.MayCause(exception) && _arguments.FindUnreadable(request.Params) is { } mistake)
        {
            throw new McpException(mistake, exception);
        }
    }

    private static McpServerTool Create(MethodInfo method, ObjectFactory? create, McpServerToolCreateOptions options)
    {
        try
        {
            return create is null
                ? McpServerTool.Create(method, target: null, options)
                : McpServerTool.Create(method, request => create(request.Services!, null), options);
        }
        catch (Exception exception) when (exception is not UndescribableException)
        {
            // Those who read its types do not say of which tool they are.
            var name = method.GetCustomAttribute<McpServerToolAttribute>()!.Name ?? method.Name;
            throw new UndescribableException($"tool '{name}' of {method.DeclaringType!.Name}.{method.Name}", exception.Message, exception);
        }
    }

    // What only the SDK gives to the constructor of handlers.
    private static bool AsksForRequest(ConstructorInfo constructor) =>
        constructor
            .GetParameters()
            .Any(parameter =>
                parameter.ParameterType == typeof(McpServer)
                || parameter.ParameterType == typeof(RequestContext<CallToolRequestParams>)
                || parameter.ParameterType == typeof(IProgress<ProgressNotificationValue>)
                || parameter.ParameterType == typeof(ClaimsPrincipal)
                || parameter.ParameterType == typeof(IServiceProvider)
            );

    // The SDK's own filters look at these.
    private bool IsGuarded() => _tool.Metadata.Any(item => item is IAuthorizeData or IAllowAnonymous);

    /// <summary>A direct call of the method.</summary>
    private sealed class MethodRun(MethodTool tool, MethodParameters parameters, MethodArguments.Values values) : ToolRun
    {
        public override async ValueTask<ToolAnswer> RunAsync(Call call, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var handlers = tool._create?.Invoke(call.Services, null);
            try
            {
                values.ThrowIfUnreadable();
                parameters.Fill(values.All, call, cancellationToken);
                var result = await tool._results.AwaitAsync(tool._method.Invoke(handlers, values.All.AsSpan()));
                return tool._results.Answer(result, call.IsModern);
            }
            finally
            {
                await DisposeAsync(handlers);
            }
        }

        private static ValueTask DisposeAsync(object? handlers)
        {
            if (handlers is IAsyncDisposable later)
            {
                return later.DisposeAsync();
            }

            (handlers as IDisposable)?.Dispose();
            return default;
        }
    }
}

[JsonSourceGenerationOptions(AllowDuplicateProperties = false)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(string))]
internal sealed partial class ToolJson : JsonSerializerContext;

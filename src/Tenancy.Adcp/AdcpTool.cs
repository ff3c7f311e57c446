using System.ComponentModel;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Protocol;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>A typed handler as an MCP tool, with AdCP's envelope around it.</summary>
internal sealed class AdcpTool<TRequest, TResponse> : TenantTool
    where TRequest : AdcpRequest
    where TResponse : AdcpResponse
{
    private readonly AdcpSerializer _serializer;
    private readonly IdempotentCalls _idempotent;
    private readonly CallAccount _account;
    private readonly TimeSpan _timeout;
    private readonly ILogger _logger;
    private readonly ObjectFactory _create;
    private readonly Func<object, TRequest, ToolContext, CancellationToken, Task<TResponse>> _handle;

    public AdcpTool(AdcpToolAttribute attribute, Type handlers, MethodInfo method, IServiceProvider services)
        : base(services)
    {
        _serializer = services.GetService<AdcpSerializer>() ?? throw new InvalidOperationException($"{handlers.Name} has AdCP tools: call AddAdcp() on the builder that AddTenancy returns.");
        _idempotent = services.GetRequiredService<IdempotentCalls>();
        _account = services.GetRequiredService<CallAccount>();
        _timeout = TimeSpan.FromSeconds(attribute.TimeoutSeconds);
        _logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(handlers);
        _create = ActivatorUtilities.CreateFactory(handlers, []);
        _handle = Bind(method);
        ProtocolTool = new()
        {
            Name = attribute.Name,
            Description = method.GetCustomAttribute<DescriptionAttribute>()?.Description,
            InputSchema = _serializer.Schema<TRequest>(),
            Annotations = new() { ReadOnlyHint = !typeof(TRequest).IsAssignableTo(typeof(IIdempotentRequest)) },
        };
    }

    public override Tool ProtocolTool { get; }

    // It has an envelope of its own for what it refuses.
    private static bool IsTestController => typeof(TResponse) == typeof(TestControllerResponse);

    protected override async ValueTask<CallToolResult> InvokeAsync(ToolCall toolCall, CancellationToken cancellationToken)
    {
        var arguments = ToObject(toolCall.Arguments);
        try
        {
            var request = _serializer.Read<TRequest>(arguments);
            toolCall = await _account.ResolveAsync(toolCall, request, cancellationToken);
            var content = request is IIdempotentRequest idempotent
                ? await _idempotent.RunAsync(toolCall, ProtocolTool.Name, idempotent, arguments, _timeout, (context, services, token) => HandleAsync(request, context, services, toolCall.IsOpen, token), cancellationToken)
                : await HandleAsync(request, toolCall.Context, toolCall.Services, toolCall.IsOpen, cancellationToken);
            if (request is IIdempotentRequest { IdempotencyKey: var key })
            {
                content["idempotency_key"] = key;
            }

            return Answer(AdcpSerializer.Echo(content, arguments["context"]), isError: IsTestController && content["success"]!.GetValue<bool>() is false);
        }
        catch (AdcpException exception)
        {
            return Answer(AdcpSerializer.WriteError(exception, arguments["context"]), isError: true);
        }
        catch (DocumentChangedException)
        {
            return Answer(AdcpSerializer.WriteError(new(AdcpError.Conflict, "It was changed by somebody else meanwhile: read it again."), arguments["context"]), isError: true);
        }
        catch (StorageBudgetExceededException exception)
        {
            _logger.LogToolFailed(exception, ProtocolTool.Name, toolCall.Context.TenantId.Value);
            return Answer(AdcpSerializer.WriteError(new(AdcpError.ServiceUnavailable, "The seller's storage is full."), arguments["context"]), isError: true);
        }
        catch (StoreUnavailableException exception)
        {
            // What the caller sees of the error is the status, unless progress was reported before.
            _logger.LogStoreAway(exception, ProtocolTool.Name, toolCall.Context.TenantId.Value);
            RefuseForStore();
            return Answer(AdcpSerializer.WriteError(new(AdcpError.ServiceUnavailable, "The seller's store is not available now.", retryAfter: 2), arguments["context"]), isError: true);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            _logger.LogToolFailed(exception, ProtocolTool.Name, toolCall.Context.TenantId.Value);
            return Answer(AdcpSerializer.WriteError(new(AdcpError.ServiceUnavailable, "The seller could not process the request."), arguments["context"]), isError: true);
        }
    }

    private async Task<JsonObject> HandleAsync(TRequest request, ToolContext context, IServiceProvider services, bool isOpen, CancellationToken cancellationToken)
    {
        var response = await _handle(_create(services, null), request, context, cancellationToken);
        if (context.Caller.IsAnonymous && !isOpen && response is IPricedResponse priced)
        {
            priced.RemovePrices();
        }

        return _serializer.Write(response);
    }

    private static Func<object, TRequest, ToolContext, CancellationToken, Task<TResponse>> Bind(MethodInfo method)
    {
        var open = typeof(Func<,,,,>).MakeGenericType(method.DeclaringType!, typeof(TRequest), typeof(ToolContext), typeof(CancellationToken), typeof(Task<TResponse>));
        var binder = typeof(AdcpTool<TRequest, TResponse>).GetMethod(nameof(Untype), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(method.DeclaringType!);
        return (Func<object, TRequest, ToolContext, CancellationToken, Task<TResponse>>)binder.Invoke(null, [method.CreateDelegate(open)])!;
    }

    private static Func<object, TRequest, ToolContext, CancellationToken, Task<TResponse>> Untype<THandlers>(
        Func<THandlers, TRequest, ToolContext, CancellationToken, Task<TResponse>> handle) =>
        (handlers, request, context, cancellationToken) => handle((THandlers)handlers, request, context, cancellationToken);

    private static JsonObject ToObject(IEnumerable<KeyValuePair<string, JsonElement>> arguments) =>
        new(arguments.Select(argument => KeyValuePair.Create(argument.Key, (JsonNode?)(argument.Value.ValueKind switch
        {
            JsonValueKind.Object => JsonObject.Create(argument.Value),
            JsonValueKind.Array => JsonArray.Create(argument.Value),
            JsonValueKind.Null => null,
            _ => JsonValue.Create(argument.Value),
        }))));

    private static CallToolResult Answer(JsonObject content, bool isError) => new()
    {
        IsError = isError,
        StructuredContent = JsonSerializer.SerializeToElement(content, AdcpJson.Default.JsonObject),
        Content = [new TextContentBlock { Text = content.ToJsonString(AdcpSerializer.Text) }],
    };
}

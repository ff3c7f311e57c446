using System.ComponentModel;
using System.Reflection;
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
    private readonly ToolWire<TRequest, TResponse> _wire;
    private readonly KeyedCalls _keyed;
    private readonly CallAccount _account;
    private readonly TimeSpan _timeout;
    private readonly ILogger _logger;
    private readonly ObjectFactory _create;
    private readonly Func<object, TRequest, ToolContext, CancellationToken, Task<TResponse>> _handle;

    public AdcpTool(
        AdcpToolAttribute attribute,
        Type handlers,
        MethodInfo method,
        AdcpSerializer serializer,
        KeyedCalls keyed,
        CallAccount account,
        ILoggerFactory loggers
    )
    {
        _wire = new(serializer);
        _keyed = keyed;
        _account = account;
        _timeout = TimeSpan.FromSeconds(attribute.TimeoutSeconds);
        _logger = loggers.CreateLogger(handlers);
        _create = ActivatorUtilities.CreateFactory(handlers, []);
        _handle = Bind(method);
        ProtocolTool = new()
        {
            Name = attribute.Name,
            Description = method.GetCustomAttribute<DescriptionAttribute>()?.Description,
            InputSchema = serializer.Schema<TRequest>(),
            Annotations = new() { ReadOnlyHint = !typeof(TRequest).IsAssignableTo(typeof(IIdempotentRequest)) },
        };
    }

    public override Tool ProtocolTool { get; }

    public override ToolRun Read(ReadOnlySpan<byte> arguments)
    {
        // A call that leaves its arguments out has an empty object of them.
        var json = arguments.IsEmpty ? "{}"u8 : arguments;
        try
        {
            return new Run(this, _wire.Read(json));
        }
        catch (AdcpException exception)
        {
            return ToolRun.Answered(AdcpAnswers.Error(exception, AdcpAnswers.FindContext(json)));
        }
    }

    private async Task<TResponse> HandleAsync(TRequest request, Call call, CancellationToken cancellationToken)
    {
        var response = await _handle(_create(call.Services, null), request, call.Context, cancellationToken);
        if (call.Context.Caller.IsAnonymous && !call.IsOpen && response is IPricedResponse priced)
        {
            priced.RemovePrices();
        }

        return _wire.Check(response);
    }

    private async ValueTask<ToolAnswer> RunAsync(ToolArguments<TRequest> arguments, Call call, CancellationToken cancellationToken)
    {
        await _account.ResolveAsync(call, arguments.Request, cancellationToken);
        if (arguments.Request is not IIdempotentRequest { IdempotencyKey: var key })
        {
            return _wire.Answer(await HandleAsync(arguments.Request, call, cancellationToken), arguments.Request);
        }

        if (CallAccount.IsAnonymous(call))
        {
            throw new AdcpException(AdcpError.AuthRequired, "Credentials are required.");
        }

        var outcome = await _keyed.RunAsync(
            call,
            new(ProtocolTool.Name, key, arguments.Hash!, _timeout) { IsAnswer = static exception => exception is AdcpException },
            async token => _wire.Write(await HandleAsync(arguments.Request, call, token)),
            cancellationToken
        );
        return new StoredAnswer(outcome.ExpectDone(), key, arguments.Request.Context);
    }

    // What the buyer is told of a failure, and what of it is logged.
    private ToolAnswer Fail(Exception exception, AdcpRequest request, Call call)
    {
        var tenantId = call.Context.TenantId.Value;
        switch (exception)
        {
            case AdcpException told:
                return AdcpAnswers.Error(told, request.Context);
            case CallRefusedException refused:
                if (refused is not DocumentChangedException)
                {
                    _logger.LogToolFailed(exception, ProtocolTool.Name, tenantId);
                }

                return AdcpAnswers.Error(new(CodeOf(refused), refused.CallerMessage), request.Context);
            case StoreUnavailableException:
                // What the caller sees of it is the status of the answer, unless progress was reported before.
                _logger.LogStoreAway(exception, ProtocolTool.Name, tenantId);
                return AdcpAnswers.Error(
                    new(AdcpError.ServiceUnavailable, "The seller's store is not available now.", retryAfter: 2),
                    request.Context
                );
            default:
                _logger.LogToolFailed(exception, ProtocolTool.Name, tenantId);
                return AdcpAnswers.Error(new(AdcpError.ServiceUnavailable, "The seller could not process the request."), request.Context);
        }
    }

    // What lasts is no error that a buyer should try again.
    private static AdcpError CodeOf(CallRefusedException refused) =>
        refused switch
        {
            DocumentChangedException => AdcpError.Conflict,
            StorageBudgetExceededException => AdcpError.PolicyViolation,
            _ => AdcpError.ValidationError,
        };

    private static Func<object, TRequest, ToolContext, CancellationToken, Task<TResponse>> Bind(MethodInfo method)
    {
        var open = typeof(Func<,,,,>).MakeGenericType(
            method.DeclaringType!,
            typeof(TRequest),
            typeof(ToolContext),
            typeof(CancellationToken),
            typeof(Task<TResponse>)
        );
        var binder = typeof(AdcpTool<TRequest, TResponse>)
            .GetMethod(nameof(Untype), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(method.DeclaringType!);
        return (Func<object, TRequest, ToolContext, CancellationToken, Task<TResponse>>)binder.Invoke(null, [method.CreateDelegate(open)])!;
    }

    private static Func<object, TRequest, ToolContext, CancellationToken, Task<TResponse>> Untype<THandlers>(
        Func<THandlers, TRequest, ToolContext, CancellationToken, Task<TResponse>> handle
    ) => (handlers, request, context, cancellationToken) => handle((THandlers)handlers, request, context, cancellationToken);

    private sealed class Run(AdcpTool<TRequest, TResponse> tool, ToolArguments<TRequest> arguments) : ToolRun
    {
        public override ValueTask<ToolAnswer> RunAsync(Call call, CancellationToken cancellationToken) =>
            tool.RunAsync(arguments, call, cancellationToken);

        public override ToolAnswer? Fail(Exception exception, Call call) => tool.Fail(exception, arguments.Request, call);
    }
}

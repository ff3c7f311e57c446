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
    private readonly UnmetMembers? _unmet;
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
        InventoryLists lists,
        ILoggerFactory loggers
    )
    {
        _wire = new(serializer);
        _unmet = UnmetMembers.Of(attribute.Name, typeof(TRequest), attribute.Honours, lists.AreSupported, serializer.Options);
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
            InputSchema = _wire.Schema,
            Annotations = new() { ReadOnlyHint = !ToolWire<TRequest, TResponse>.IsIdempotent },
        };
    }

    public override Tool ProtocolTool { get; }

    public override ToolRun Read(ReadOnlySpan<byte> arguments)
    {
        // A call that leaves its arguments out has an empty object of them.
        var json = arguments.IsEmpty ? "{}"u8 : arguments;
        try
        {
            var read = _wire.Read(json);
            var unmet = FindUnmet(read.Request, json);
            return unmet is null || ToolWire<TRequest, TResponse>.IsIdempotent ? new Run(this, read, unmet) : throw unmet;
        }
        catch (AdcpException exception)
        {
            return ToolRun.Answered(ToolWire<TRequest, TResponse>.Refuse(exception, json));
        }
    }

    private AdcpException? FindUnmet(TRequest request, ReadOnlySpan<byte> json)
    {
        // AdCP, media buys: where a buy is canceled, everything else in the request is ignored.
        if (_unmet is null || request is UpdateMediaBuyRequest { Canceled: true })
        {
            return null;
        }

        try
        {
            _unmet.Refuse(json);
            return null;
        }
        catch (AdcpException unmet)
        {
            return unmet;
        }
    }

    private async Task<TResponse> HandleAsync(TRequest request, Call call, CancellationToken cancellationToken)
    {
        var response = await _handle(_create(call.Services, null), request, call.Context, cancellationToken);
        if (call.Context.Caller.IsAnonymous && !call.IsOpen && response is IPricedResponse priced)
        {
            priced.RemovePrices();
        }

        if (call.Context.IsSandbox && response is ISandboxResponse sandbox)
        {
            sandbox.Sandbox ??= true;
        }

        return _wire.Check(response);
    }

    private async ValueTask<ToolAnswer> RunAsync(
        ToolArguments<TRequest> arguments,
        AdcpException? unmet,
        Call call,
        CancellationToken cancellationToken
    )
    {
        if (CallAccount.IsAnonymous(call))
        {
            RefuseStranger(arguments.Request);
        }

        var account = await _account.ResolveAsync(call, arguments.Request, cancellationToken);
        if (arguments.Request is not IIdempotentRequest { IdempotencyKey: var key })
        {
            return _wire.Answer(await HandleAsync(arguments.Request, call, cancellationToken), arguments.Request);
        }

        var outcome = await _keyed.RunAsync(
            call,
            new(ProtocolTool.Name, key, arguments.Hash!, _timeout)
            {
                IsAnswer = static exception => exception is AdcpException,
                EnvelopeBytes = AdcpAnswers.MaxEnvelopeBytes,
            },
            async token =>
            {
                // All of this comes after the claim: what was answered once is answered so again, whatever the seller supports by now, and
                // wherever the account stands.
                if (unmet is not null)
                {
                    throw unmet;
                }

                await _account.UseAsync(call, arguments.Request, account, token);

                // What has changed at the next try may be the account.
                account = null;
                return _wire.Write(await HandleAsync(arguments.Request, call, token));
            },
            cancellationToken
        );
        return ToolWire<TRequest, TResponse>.Answer(outcome.ExpectDone(), key, arguments.Request);
    }

    // A caller without credentials changes nothing, and sees no prices: a filter by them would tell them one by one.
    private static void RefuseStranger(TRequest request)
    {
        if (request is IIdempotentRequest)
        {
            throw new AdcpException(AdcpError.AuthRequired, "Credentials are required.");
        }

        if (request is GetProductsRequest { Filters.BudgetRange: not null })
        {
            throw new AdcpException(
                AdcpError.AuthRequired,
                "Prices are for callers with credentials, and so is a filter by them.",
                "filters.budget_range"
            );
        }
    }

    // What the buyer is told of a failure, and what of it is logged.
    private ToolAnswer Fail(Exception exception, TRequest request, Call call)
    {
        var tenantId = call.Context.TenantId.Value;
        switch (exception)
        {
            case AdcpException told:
                _logger.LogToolRefused(ProtocolTool.Name, tenantId, told.Error.Code);
                return Refuse(told);
            case CallRefusedException refused:
                if (refused is not DocumentChangedException)
                {
                    _logger.LogToolFailed(exception, ProtocolTool.Name, tenantId, call.Reference);
                }

                return Refuse(new(CodeOf(refused), refused.CallerMessage));
            case StoreUnavailableException:
                // What the caller sees of it is the status of the answer, unless progress was reported before.
                _logger.LogStoreAway(exception, ProtocolTool.Name, tenantId);
                return Refuse(new(AdcpError.ServiceUnavailable, "The seller's store is not available now.", retryAfter: 2));
            default:
                _logger.LogToolFailed(exception, ProtocolTool.Name, tenantId, call.Reference);
                return Refuse(new(AdcpError.ServiceUnavailable, $"The seller could not process the request. Reference: {call.Reference}"));
        }

        ToolAnswer Refuse(AdcpException told) => ToolWire<TRequest, TResponse>.Refuse(told, request);
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

    private sealed class Run(AdcpTool<TRequest, TResponse> tool, ToolArguments<TRequest> arguments, AdcpException? unmet) : ToolRun
    {
        public override ValueTask<ToolAnswer> RunAsync(Call call, CancellationToken cancellationToken) =>
            tool.RunAsync(arguments, unmet, call, cancellationToken);

        public override bool IsCallersMistake(Exception exception) => exception is AdcpException;

        public override ToolAnswer? Fail(Exception exception, Call call) => tool.Fail(exception, arguments.Request, call);
    }
}

using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp;

/// <summary>An MCP server without sessions, which serves the requests of many callers and tenants. What belongs to a request flows with its message; the server keeps nothing of it.</summary>
/// <remarks>The MCP SDK makes a server for each request without a session, and that is most of what such a request costs.</remarks>
internal sealed class StatelessServer : IAsyncDisposable
{
    // A message is taken within microseconds, on a very busy machine within milliseconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly StreamableHttpServerTransport _transport;
    private readonly McpServer _server;
    private readonly TimeProvider _time;
    private readonly IServiceScopeFactory _scopes;
    private readonly Task _running;
    private int _waiting;
    private long _waitingSince;

    public StatelessServer(McpServerOptions options, bool namesItself, IServiceScopeFactory scopes, ILoggerFactory loggers, TimeProvider time)
    {
        // Outside of the application's own filters.
        options.ScopeRequests = false;
        options.Filters.Message.IncomingFilters.Insert(0, next => (message, _) => RunHandlerAsync(message, next));
#pragma warning disable MCPEXP002 // Such a handler has no filters, and the server's services instead.
        if (options.Handlers.CallToolWithAlternateHandler is null)
#pragma warning restore MCPEXP002
        {
            options.Filters.Request.CallToolFilters.Insert(0, next => (request, cancellationToken) => next(WithServices(request), cancellationToken));
        }

        options.Filters.Request.ListToolsFilters.Insert(0, next => (request, cancellationToken) => next(WithServices(request), cancellationToken));
        if (namesItself)
        {
            options.Filters.Message.OutgoingFilters.Insert(0, next => (message, cancellationToken) => next(WithName(message), cancellationToken));
        }

        _time = time;
        _scopes = scopes;
        _transport = new(loggers) { Stateless = true, FlowExecutionContextFromRequests = true };
        _server = McpServer.Create(_transport, options, loggers, new CurrentServices());

        // The flow of the request that happens to be the first is not that of the others.
        using (ExecutionContext.SuppressFlow())
        {
            _running = Task.Run(RunAsync);
        }
    }

    /// <summary>Whether messages are taken. Its loop may be gone although handlers that it began still run.</summary>
    public bool IsAlive => !_running.IsCompleted && (Volatile.Read(ref _waiting) == 0 || _time.GetElapsedTime(Volatile.Read(ref _waitingSince)) < Patience);

    /// <summary>Handles a message, and returns when its handler has ended: it uses the request's services.</summary>
    /// <returns>False where the server stopped before it came to it: nothing has happened yet, and another can serve it.</returns>
    public async Task<bool> TryHandleAsync(HttpContext context, JsonRpcMessage message, HeldReply reply, Func<JsonRpcMessage?, ValueTask>? starting)
    {
        var call = StatelessCall.Begin(context, reply, _scopes);
        context.Features.Set(_server);
        BeginWaiting();
        try
        {
            if (!await _transport.HandlePostRequestAsync(message, reply, starting, call.Aborted))
            {
                reply.BecomeAccepted();
                return true;
            }
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            if (call.TryAbandon())
            {
                EndWaiting();
            }

            if (!call.IsAbandoned)
            {
                await call.Ended;
                throw;
            }

            if (call.Aborted.IsCancellationRequested)
            {
                throw;
            }

            reply.Forget();
            return false;
        }

        if (call.TryAbandon())
        {
            // The server refused the message itself.
            EndWaiting();
            return true;
        }

        if (call.IsAbandoned)
        {
            reply.Forget();
            return false;
        }

        await call.Ended;
        return true;
    }

    /// <summary>Gives back the messages that nobody takes any more.</summary>
    public async Task GiveBackAsync()
    {
        await foreach (var message in _transport.MessageReader.ReadAllAsync())
        {
            if (message.Context is { ExecutionContext: { } flow, RelatedTransport: { } reply } && CallOf(flow)?.TryAbandon() is true)
            {
                EndWaiting();
                await reply.DisposeAsync();
            }
        }
    }

    /// <summary>Takes no further message, and ends when the handlers have ended that it began.</summary>
    public ValueTask CloseAsync() => _transport.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static StatelessCall? CallOf(ExecutionContext flow)
    {
        StatelessCall? call = null;
        ExecutionContext.Run(flow, _ => call = StatelessCall.Current, null);
        return call;
    }

    private static RequestContext<T> WithServices<T>(RequestContext<T> request)
    {
        request.Services = StatelessCall.Current?.Services;
        return request;
    }

    // Since 2026-07-28 every result says which server it is from, and to its callers that is the tenant's.
    private static MessageContext WithName(MessageContext message)
    {
        if (message.JsonRpcMessage is JsonRpcResponse { Result: JsonObject result } && result["_meta"] is JsonObject meta && StatelessCall.Current is { } call)
        {
            meta["io.modelcontextprotocol/serverInfo"] = JsonObject.Create(call.ServerInfo);
        }

        return message;
    }

    private async Task RunAsync()
    {
        try
        {
            await _server.RunAsync();
        }
        finally
        {
            _ = GiveBackAsync();
        }
    }

    // The request's token and services are the call's, not the server's.
    private async Task RunHandlerAsync(MessageContext message, McpMessageHandler next)
    {
        var call = StatelessCall.Current;
        if (call?.TryBegin() is not true)
        {
            throw new OperationCanceledException("The request ended before its message was taken.");
        }

        EndWaiting();
        try
        {
            message.Services = call.Services;
            await next(message, call.Aborted);
        }
        finally
        {
            try
            {
                await call.Services.DisposeAsync();
            }
            finally
            {
                call.End();
            }
        }
    }

    private void BeginWaiting()
    {
        if (Volatile.Read(ref _waiting) == 0)
        {
            Volatile.Write(ref _waitingSince, _time.GetTimestamp());
        }

        Interlocked.Increment(ref _waiting);
    }

    private void EndWaiting()
    {
        Volatile.Write(ref _waitingSince, _time.GetTimestamp());
        Interlocked.Decrement(ref _waiting);
    }

    /// <summary>The server's services, to whoever asks: those of the request that is being handled.</summary>
    private sealed class CurrentServices : IKeyedServiceProvider
    {
        private static CallScope Services =>
            StatelessCall.Current?.Services ?? throw new InvalidOperationException("A server without sessions has services during a request only.");

        public object? GetService(Type serviceType) => Services.GetService(serviceType);

        public object? GetKeyedService(Type serviceType, object? serviceKey) => Services.GetKeyedService(serviceType, serviceKey);

        public object GetRequiredKeyedService(Type serviceType, object? serviceKey) => Services.GetRequiredKeyedService(serviceType, serviceKey);
    }
}

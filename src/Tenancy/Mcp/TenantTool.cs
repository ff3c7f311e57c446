using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>A tool that is shared by the tenants of a platform and called with the context of one.</summary>
public abstract class TenantTool : McpServerTool
{
    private readonly HandlerCalls _calls;
    private readonly ToolContextFactory _contexts;

    /// <summary>Initializes the tool.</summary>
    /// <param name="services">The application's services.</param>
    protected TenantTool(IServiceProvider services)
    {
        _calls = services.GetRequiredService<HandlerCalls>();
        _contexts = services.GetRequiredService<ToolContextFactory>();
    }

    /// <inheritdoc/>
    public override IReadOnlyList<object> Metadata => [];

    /// <summary>What a caller must be allowed to do, beyond being known.</summary>
    internal IReadOnlyList<string> RequiredScopes { get; set; } = [];

    /// <inheritdoc/>
    public sealed override async ValueTask<CallToolResult> InvokeAsync(RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        try
        {
            await using var call = _calls.Begin(this);
            return await InvokeAsync(new ToolCall(this, request, call.Tenant, call.Context, call.Services), cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            RefuseForStore();
            throw;
        }
    }

    /// <summary>Answers one call.</summary>
    protected abstract ValueTask<CallToolResult> InvokeAsync(ToolCall toolCall, CancellationToken cancellationToken);

    /// <summary>Runs work that goes on although its client went: in a scope of its own, without the request's HttpContext, on the same tenant.</summary>
    internal Task<T> RunDetached<T>(TenantModel tenant, ToolContext caller, string operationId, Func<ToolContext, IServiceProvider, Task<T>> work)
    {
        // It begins here, where the call that it comes from still holds the platform and its place among the tenant's calls.
        var call = _calls.Begin(tenant, caller, operationId);
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(RunAsync);
        }

        async Task<T> RunAsync()
        {
            await using (call)
            {
                return await work(call.Context, call.Services);
            }
        }
    }

    /// <summary>The same call, for the accounts that its arguments name. Its context ends with that of the call.</summary>
    internal ToolCall ForAccounts(ToolCall call, string? accountId, IReadOnlyList<string> readable)
    {
        var context = _contexts.Create(call.Tenant, call.Context.Caller, accountId, call.Context.OperationId, readable);
        call.Context.EndsWith(context);
        ((CallScope)call.Services).Context = context;
        return new(this, call.Request, call.Tenant, context, call.Services);
    }

    /// <summary>Makes the answer 503 while that is possible.</summary>
    internal static void RefuseForStore() => HandlerCalls.RefuseForStore();
}

/// <summary>One call of a tool.</summary>
public sealed class ToolCall
{
    private readonly TenantTool _tool;

    internal ToolCall(TenantTool tool, RequestContext<CallToolRequestParams> request, TenantModel tenant, ToolContext context, IServiceProvider services) =>
        (_tool, Request, Tenant, Context, Services) = (tool, request, tenant, context, services);

    /// <summary>Gets the tenant's context.</summary>
    public ToolContext Context { get; }

    /// <summary>Gets the services of the call's own scope.</summary>
    public IServiceProvider Services { get; }

    /// <summary>Gets whether the tenant asks no caller for proof, so that nothing is kept from anonymous ones.</summary>
    public bool IsOpen => ToolContextFactory.IsOpen(Tenant);

    /// <summary>Gets the arguments as sent.</summary>
    public IEnumerable<KeyValuePair<string, JsonElement>> Arguments => Request.Params.Arguments ?? Enumerable.Empty<KeyValuePair<string, JsonElement>>();

    internal RequestContext<CallToolRequestParams> Request { get; }

    internal TenantModel Tenant { get; }

    internal ToolCall ForAccounts(string? accountId, IReadOnlyList<string> readable) => _tool.ForAccounts(this, accountId, readable);

    internal Task<T> RunDetached<T>(string operationId, Func<ToolContext, IServiceProvider, Task<T>> work) => _tool.RunDetached(Tenant, Context, operationId, work);
}

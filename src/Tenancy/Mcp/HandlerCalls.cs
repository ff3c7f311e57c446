using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Server;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>Begins the calls of handlers: each in a scope of services of its own, with the context of the request's tenant and caller.</summary>
internal sealed class HandlerCalls(IServiceScopeFactory scopes, ToolContextFactory contexts)
{
    /// <summary>Begins a call of a tool, or of something else where <paramref name="tool"/> is null.</summary>
    /// <exception cref="McpException">The caller may not make it.</exception>
    public HandlerCall Begin(TenantTool? tool = null)
    {
        var origin = Origin;
        var tenant = origin.Tenant;
        var context = contexts.Create(tenant, origin.Caller);

        // The gate has read the same name before; this is the second lock on the same door.
        if (!contexts.MayCall(tenant, context.Caller, tool?.ProtocolTool.Name))
        {
            throw new McpException("Credentials are required.");
        }

        if (tool is not null && ToolScopes.Missing(tenant, origin.User, tool).Count > 0)
        {
            throw new McpException("A scope is missing.");
        }

        return Begin(origin.Slot, tenant, context);
    }

    /// <summary>Begins a call for work that goes on without its request, and in the place of that among the tenant's calls.</summary>
    public HandlerCall Begin(TenantModel tenant, ToolContext caller, string operationId) =>
        Begin(Origin.Slot, tenant, contexts.Create(tenant, caller.Caller, caller.AccountId, operationId, caller.Accounts.Readable));

    /// <summary>Makes the answer to the request 503 while that is possible.</summary>
    public static void RefuseForStore() => CallOrigin.Current?.Reply.RefuseForStore();

    /// <summary>Makes each request of the MCP SDK's own handlers, prompts and resources such a call; tools begin theirs themselves.</summary>
    public void Configure(McpServerOptions options)
    {
        var filters = options.Filters.Request;
        filters.ListPromptsFilters.Add(Filter);
        filters.GetPromptFilters.Add(Filter);
        filters.ListResourcesFilters.Add(Filter);
        filters.ListResourceTemplatesFilters.Add(Filter);
        filters.ReadResourceFilters.Add(Filter);
        filters.SubscribeToResourcesFilters.Add(Filter);
        filters.UnsubscribeFromResourcesFilters.Add(Filter);
        filters.CompleteFilters.Add(Filter);
    }

    private McpRequestHandler<TParams, TResult> Filter<TParams, TResult>(McpRequestHandler<TParams, TResult> next) => async (request, cancellationToken) =>
    {
        try
        {
            await using var call = Begin();
            request.Services = call.Services;
            return await next(request, cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            RefuseForStore();
            throw;
        }
    };

    // A handler may run on after its request, whose holds on the platform and on the call's place end with it.
    private HandlerCall Begin(CallSlot slot, TenantModel tenant, ToolContext context)
    {
        if (!slot.TryHold())
        {
            throw new McpException("The tenant has as many calls under way as it may: call again later.");
        }

        if (!tenant.Platform!.TryHold())
        {
            slot.Release();
            throw new McpException("The tenant has changed meanwhile: call again.");
        }

        return new(slot, tenant, context, new(scopes, context));
    }

    private static CallOrigin Origin => CallOrigin.Current ?? throw new InvalidOperationException("A tenant's handler was called outside a tenant's request.");
}

/// <summary>A call of a handler, which holds its tenant's platform, and its place among the tenant's calls, until it is disposed.</summary>
internal readonly struct HandlerCall(CallSlot slot, TenantModel tenant, ToolContext context, CallScope services) : IAsyncDisposable
{
    public TenantModel Tenant { get; } = tenant;

    public ToolContext Context { get; } = context;

    public CallScope Services { get; } = services;

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Services.DisposeAsync();
        }
        finally
        {
            Context.End();
            slot.Release();
            await Tenant.Platform!.ReleaseAsync();
        }
    }
}

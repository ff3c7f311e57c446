using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.Resolution;

namespace Tenancy.Mcp;

/// <summary>A tool that is shared by the tenants of a platform and called with the context of one.</summary>
public abstract class TenantTool : McpServerTool
{
    private readonly IHttpContextAccessor _http;
    private readonly IServiceScopeFactory _scopes;
    private readonly ToolContextFactory _contexts;

    /// <summary>Initializes the tool.</summary>
    /// <param name="services">The application's services.</param>
    protected TenantTool(IServiceProvider services)
    {
        _http = services.GetRequiredService<IHttpContextAccessor>();
        _scopes = services.GetRequiredService<IServiceScopeFactory>();
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
        var tenant = (_http.HttpContext?.Features.Get<ITenantFeature>() ?? throw new InvalidOperationException("A tenant's tool was called outside a tenant's request.")).Tenant;
        var context = _contexts.Create(tenant, CallerIdentity.Read(_http.HttpContext.User, tenant.Id));
        try
        {
            // The gate has read the same name before; this is the second lock on the same door.
            if (!_contexts.MayCall(tenant, context.Caller, ProtocolTool.Name))
            {
                throw new McpException("Credentials are required.");
            }

            if (ToolScopes.Missing(tenant, _http.HttpContext.User, this).Any())
            {
                throw new McpException("A scope is missing.");
            }

            await using var scope = BeginScope(context);
            return await InvokeAsync(new ToolCall(this, request, tenant, context, scope.ServiceProvider), cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            RefuseForStore();
            throw;
        }
        finally
        {
            context.End();
        }
    }

    /// <summary>Answers one call.</summary>
    protected abstract ValueTask<CallToolResult> InvokeAsync(ToolCall toolCall, CancellationToken cancellationToken);

    /// <summary>Runs work that goes on although its client went: in a scope of its own, without the request's HttpContext, on the same tenant.</summary>
    internal Task<T> RunDetached<T>(TenantModel tenant, ToolContext caller, string operationId, Func<ToolContext, IServiceProvider, Task<T>> work)
    {
        if (!tenant.Platform!.TryHold())
        {
            throw new InvalidOperationException("The request that begins the work does not hold its tenant's platform.");
        }

        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(RunAsync);
        }

        async Task<T> RunAsync()
        {
            var context = _contexts.Create(tenant, caller.Caller, caller.AccountId, operationId, caller.Accounts.Readable);
            try
            {
                await using var scope = BeginScope(context);
                return await work(context, scope.ServiceProvider);
            }
            finally
            {
                context.End();
                await tenant.Platform.ReleaseAsync();
            }
        }
    }

    /// <summary>The same call, for the accounts that its arguments name. Its context ends with that of the call.</summary>
    internal ToolCall ForAccounts(ToolCall call, string? accountId, IReadOnlyList<string> readable)
    {
        var context = _contexts.Create(call.Tenant, call.Context.Caller, accountId, call.Context.OperationId, readable);
        call.Context.EndsWith(context);
        call.Services.GetRequiredService<ToolContextHolder>().Context = context;
        return new(this, call.Request, call.Tenant, context, call.Services);
    }

    /// <summary>Makes the answer 503 while that is possible.</summary>
    internal void RefuseForStore() => _http.HttpContext?.Features.Get<HeldReply>()?.RefuseForStore();

    private AsyncServiceScope BeginScope(ToolContext context)
    {
        var scope = _scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ToolContextHolder>().Context = context;
        return scope;
    }
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

    internal void RefuseForStore() => _tool.RefuseForStore();

    internal Task<T> RunDetached<T>(string operationId, Func<ToolContext, IServiceProvider, Task<T>> work) => _tool.RunDetached(Tenant, Context, operationId, work);
}

/// <summary>Lets services of the call's scope, and parameters of plain MCP tools, get the context.</summary>
internal sealed class ToolContextHolder
{
    public ToolContext? Context { get; set; }
}

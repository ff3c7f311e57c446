using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Authentication;
using Tenancy.Configuration;
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

    /// <inheritdoc/>
    public sealed override async ValueTask<CallToolResult> InvokeAsync(RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var feature = _http.HttpContext?.Features.Get<ITenantFeature>() ?? throw new InvalidOperationException("A tenant's tool was called outside a tenant's request.");
        var context = _contexts.Create(feature.Tenant, CallerIdentity.Read(_http.HttpContext.User, feature.Tenant.Id));
        try
        {
            // The gate has read the same name before; this is the second lock on the same door.
            if (!_contexts.MayCall(feature.Tenant, context.Caller, ProtocolTool.Name))
            {
                throw new McpException("Credentials are required.");
            }

            await using var scope = _scopes.CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<ToolContextHolder>().Context = context;
            return await InvokeAsync(new ToolCall(request, context, scope.ServiceProvider, ToolContextFactory.IsOpen(feature.Tenant)), cancellationToken);
        }
        finally
        {
            context.End();
        }
    }

    /// <summary>Answers one call.</summary>
    protected abstract ValueTask<CallToolResult> InvokeAsync(ToolCall toolCall, CancellationToken cancellationToken);
}

/// <summary>One call of a tool.</summary>
public sealed class ToolCall
{
    internal ToolCall(RequestContext<CallToolRequestParams> request, ToolContext context, IServiceProvider services, bool isOpen) =>
        (Request, Context, Services, IsOpen) = (request, context, services, isOpen);

    /// <summary>Gets the tenant's context.</summary>
    public ToolContext Context { get; }

    /// <summary>Gets the services of the call's own scope.</summary>
    public IServiceProvider Services { get; }

    /// <summary>Gets whether the tenant asks no caller for proof, so that nothing is kept from anonymous ones.</summary>
    public bool IsOpen { get; }

    /// <summary>Gets the arguments as sent.</summary>
    public IEnumerable<KeyValuePair<string, JsonElement>> Arguments => Request.Params.Arguments ?? Enumerable.Empty<KeyValuePair<string, JsonElement>>();

    internal RequestContext<CallToolRequestParams> Request { get; }
}

/// <summary>Lets services of the call's scope, and parameters of plain MCP tools, get the context.</summary>
internal sealed class ToolContextHolder
{
    public ToolContext? Context { get; set; }
}

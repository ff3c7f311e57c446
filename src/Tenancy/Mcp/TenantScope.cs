using Microsoft.Extensions.Logging;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>Opens a tenant for work outside a tool call, such as a nightly job. Each opening is logged with its reason.</summary>
public sealed class TenantScopes
{
    private readonly TenantRegistry _registry;
    private readonly ToolContextFactory _contexts;
    private readonly ILogger<TenantScopes> _logger;

    internal TenantScopes(TenantRegistry registry, ToolContextFactory contexts, ILogger<TenantScopes> logger) =>
        (_registry, _contexts, _logger) = (registry, contexts, logger);

    /// <summary>Opens a tenant.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="reason">What for; it is logged.</param>
    /// <param name="accountId">
    /// The account whose documents are worked on, or the identity of a caller (<see cref="CallerIdentity.Value"/>) for those of the caller
    /// itself; null for none.
    /// </param>
    /// <exception cref="TenantNotFoundException">There is no such tenant, or it is not served now.</exception>
    public TenantScope Open(TenantId tenantId, string reason, string? accountId = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        var tenant = _registry.Get(tenantId.Value);
        if (tenant is not { IsServing: true } || !tenant.Platform!.TryHold())
        {
            throw new TenantNotFoundException(tenantId);
        }

        _logger.TenantScopeOpened(tenantId.Value, accountId ?? "none", reason);
        var unit = new UnitOfWork(ToolContextFactory.DocumentBudget(tenant, CallerIdentity.System));
        return new(tenant, _contexts.Create(tenant, CallerIdentity.System, unit, accountId), unit);
    }
}

/// <summary>A tenant that is open for work outside a tool call, until it is disposed.</summary>
/// <remarks>What it writes is written by <see cref="CommitAsync"/>.</remarks>
public sealed class TenantScope : IAsyncDisposable
{
    private readonly TenantModel _tenant;
    private readonly UnitOfWork _unit;
    private int _isDisposed;

    internal TenantScope(TenantModel tenant, ToolContext context, UnitOfWork unit) => (_tenant, Context, _unit) = (tenant, context, unit);

    /// <summary>Gets the way to the tenant's platform and state. The caller is <c>system</c>.</summary>
    public ToolContext Context { get; }

    /// <summary>Writes what was created, replaced and deleted since the last commit, all of it or nothing.</summary>
    /// <inheritdoc cref="ToolContext.FlushAsync" path="/param|/exception"/>
    public Task CommitAsync(CancellationToken cancellationToken = default) => Context.FlushAsync(cancellationToken);

    /// <summary>Drops what is not committed.</summary>
    public void Discard() => _unit.Work?.Discard();

    /// <summary>Ends the scope.</summary>
    /// <exception cref="InvalidOperationException">Something was written and never committed: it is lost.</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Context.End();
            await _tenant.Platform!.ReleaseAsync();
            _unit.ThrowIfForgotten();
        }
    }
}

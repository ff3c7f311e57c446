using Microsoft.Extensions.Logging;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

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

using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Mcp.Calls;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>
/// One run of a handler. It holds its tenant's platform, and its place among the tenant's calls, until the handler has ended, whatever becomes of the
/// request that it began with.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The last ReleaseAsync disposes of the services. A handler cannot end its own call.")]
public sealed class Call
{
    private readonly ToolContextFactory _contexts;
    private readonly ConcurrentCalls.Places _place;
    private readonly CallServices _services;
    private readonly ToolContext _first;
    private ToolContext? _narrowed;

    // The request's own hold, and that of work which goes on without it.
    private int _holds = 1;

    internal Call(TenantModel tenant, ToolContextFactory contexts, ToolContext context, ConcurrentCalls.Places place, IServiceScopeFactory scopes)
    {
        (Tenant, _contexts, _first, _place) = (tenant, contexts, context, place);
        Context = context;
        _services = new(scopes, this);
    }

    /// <summary>Gets the tenant's context.</summary>
    public ToolContext Context { get; private set; }

    /// <summary>Gets the services of the call's own scope.</summary>
    public IServiceProvider Services => _services;

    /// <summary>Gets whether the tenant asks no caller for proof, so that nothing is kept from anonymous ones.</summary>
    public bool IsOpen => ToolContextFactory.IsOpen(Tenant);

    internal TenantModel Tenant { get; }

    /// <summary>Narrows the call to what its arguments name: from here on its context is for these accounts, and for this piece of work.</summary>
    internal void Narrow(string? accountId, ReadableAccounts? readable, string? operationId = null)
    {
        _narrowed?.End();
        Context = _narrowed = _contexts.Create(Tenant, _first.Caller, accountId, operationId, readable);
    }

    /// <summary>Goes on with the call although its request may end: with neither the request's context nor its ambient state.</summary>
    internal Task<T> RunDetached<T>(Func<Task<T>> work)
    {
        Interlocked.Increment(ref _holds);
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(RunAsync);
        }

        async Task<T> RunAsync()
        {
            try
            {
                return await work();
            }
            finally
            {
                await ReleaseAsync();
            }
        }
    }

    /// <summary>Ends a hold. With the last one the call ends: whoever kept its context or its services reaches nothing with them any more.</summary>
    internal ValueTask ReleaseAsync() => Interlocked.Decrement(ref _holds) == 0 ? EndAsync() : default;

    private async ValueTask EndAsync()
    {
        try
        {
            await _services.DisposeAsync();
        }
        finally
        {
            _first.End();
            _narrowed?.End();
            _place.GiveBack();
            await Tenant.Platform!.ReleaseAsync();
        }
    }
}

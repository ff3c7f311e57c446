using Microsoft.Extensions.DependencyInjection;

namespace Tenancy.Mcp;

/// <summary>The services of one call: its context, and all else from a scope that is made when something else is first asked for. Most calls ask for nothing.</summary>
internal sealed class CallScope(IServiceScopeFactory scopes, ToolContext? context = null) : IKeyedServiceProvider, IAsyncDisposable
{
    private static readonly EndedScope Ended = new();
    private IServiceScope? _scope;

    /// <summary>The call's context, narrowed to its account once that is known; null where there is none yet.</summary>
    public ToolContext? Context { get; set; } = context;

    private IServiceProvider Services => (Volatile.Read(ref _scope) ?? Begin()).ServiceProvider;

    public object? GetService(Type serviceType) =>
        serviceType == typeof(ToolContext) && Context is not null ? Context
        : serviceType == typeof(IServiceProvider) ? this
        : Services.GetService(serviceType);

    public object? GetKeyedService(Type serviceType, object? serviceKey) => ((IKeyedServiceProvider)Services).GetKeyedService(serviceType, serviceKey);

    public object GetRequiredKeyedService(Type serviceType, object? serviceKey) => Services.GetRequiredKeyedService(serviceType, serviceKey);

    public async ValueTask DisposeAsync()
    {
        switch (Interlocked.Exchange(ref _scope, Ended))
        {
            case IAsyncDisposable scope:
                await scope.DisposeAsync();
                break;
            case { } scope:
                scope.Dispose();
                break;
        }
    }

    private IServiceScope Begin()
    {
        var scope = scopes.CreateScope();
        scope.ServiceProvider.GetRequiredService<ToolContextHolder>().Call = this;
        if (Interlocked.CompareExchange(ref _scope, scope, null) is not { } other)
        {
            return scope;
        }

        scope.Dispose();
        return other;
    }

    private sealed class EndedScope : IServiceScope
    {
        public IServiceProvider ServiceProvider => throw new ObjectDisposedException("The call's services", "The call has ended: do not keep its services.");

        public void Dispose()
        {
            // There is nothing left.
        }
    }
}

/// <summary>Lets services of the call's scope get the context.</summary>
internal sealed class ToolContextHolder
{
    public CallScope? Call { get; set; }
}

using Microsoft.Extensions.DependencyInjection;

namespace Tenancy.Mcp;

/// <summary>
/// The services of one call: its context, and all else from a scope that is made when something else is first asked for. Most calls ask for
/// nothing.
/// </summary>
internal sealed class CallServices(IServiceScopeFactory scopes, Call call) : IKeyedServiceProvider, IAsyncDisposable
{
    private static readonly EndedScope Ended = new();
    private IServiceScope? _scope;

    private IServiceProvider Services => (Volatile.Read(ref _scope) ?? Begin()).ServiceProvider;

    public object? GetService(Type serviceType) =>
        serviceType == typeof(ToolContext) ? call.Context
        : serviceType == typeof(IServiceProvider) ? this
        : Services.GetService(serviceType);

    public object? GetKeyedService(Type serviceType, object? serviceKey) =>
        ((IKeyedServiceProvider)Services).GetKeyedService(serviceType, serviceKey);

    public object GetRequiredKeyedService(Type serviceType, object? serviceKey) =>
        Services.GetRequiredKeyedService(serviceType, serviceKey);

    /// <summary>Ends the scope, if there is one.</summary>
    public ValueTask DisposeAsync() =>
        Interlocked.Exchange(ref _scope, Ended) switch
        {
            null => default,
            IAsyncDisposable scope => scope.DisposeAsync(),
            { } scope => Dispose(scope),
        };

    private static ValueTask Dispose(IServiceScope scope)
    {
        scope.Dispose();
        return default;
    }

    private IServiceScope Begin()
    {
        var scope = scopes.CreateScope();
        scope.ServiceProvider.GetRequiredService<CurrentCall>().Call = call;
        if (Interlocked.CompareExchange(ref _scope, scope, null) is not { } other)
        {
            return scope;
        }

        scope.Dispose();
        return other;
    }

    private sealed class EndedScope : IServiceScope
    {
        public IServiceProvider ServiceProvider =>
            throw new ObjectDisposedException("The call's services", "The call has ended: do not keep its services.");

        public void Dispose()
        {
            // There is nothing left.
        }
    }
}

/// <summary>Lets the services of a call's scope get its context.</summary>
internal sealed class CurrentCall
{
    public Call? Call { get; set; }
}

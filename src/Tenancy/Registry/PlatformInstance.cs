using Microsoft.Extensions.Logging;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.Registry;

/// <summary>One tenant's instance of its platform. It is disposed after the last request that holds it.</summary>
internal abstract class PlatformInstance(TenantId tenant, object instance, ILogger logger)
{
    // Most objects are disposed of at once, so that whoever goes on after a release finds them disposed. One that hangs is not waited for
    // any longer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // The registry's own hold counts as one.
    private int _holds = 1;

    /// <summary>Gets the user's object.</summary>
    public object Instance { get; } = instance;

    /// <summary>Gets the names of the tools that tenants of this platform have.</summary>
    public abstract IReadOnlySet<string> ToolNames { get; }

    /// <summary>Holds the instance for one request.</summary>
    /// <returns>False when it was already let go: the tenant has a newer one, or is gone.</returns>
    public bool TryHold()
    {
        var holds = Volatile.Read(ref _holds);
        while (holds > 0)
        {
            var seen = Interlocked.CompareExchange(ref _holds, holds + 1, holds);
            if (seen == holds)
            {
                return true;
            }

            holds = seen;
        }

        return false;
    }

    /// <summary>
    /// Ends a hold. It never throws, and waits a second at most: a request that happens to hold the instance last must not pay for how the
    /// user's object is disposed of.
    /// </summary>
    public ValueTask ReleaseAsync() => Interlocked.Decrement(ref _holds) == 0 ? EndAsync() : default;

    private async ValueTask EndAsync() =>
        await Task.Run(DisposeSafelyAsync).WaitAsync(Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task DisposeSafelyAsync()
    {
        // Whoever ended the last hold does not do what the user's object does.
        AuditActor.BecomeApplication();
        try
        {
            switch (Instance)
            {
                case IAsyncDisposable disposable:
                    await disposable.DisposeAsync().ConfigureAwait(false);
                    break;
                case IDisposable disposable:
                    disposable.Dispose();
                    break;
            }
        }
        catch (Exception exception)
        {
            logger.PlatformNotDisposed(exception, tenant.Value);
        }
    }
}

/// <summary>Builds the platform of a tenant.</summary>
internal interface IPlatformFactory
{
    /// <summary>Builds what all tenants of a platform share now, so that a mistake in it stops the start and not a tenant.</summary>
    void Prepare();

    /// <summary>Builds it; what it throws disables the tenant, with the message as the reason.</summary>
    Task<PlatformInstance> CreateAsync(TenantConfig tenant, CancellationToken cancellationToken);
}

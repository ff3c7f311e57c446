using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Tenancy;
using Tenancy.Embedded;
using Tenancy.State;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the embedded store.</summary>
public static class EmbeddedStoreTenancyBuilderExtensions
{
    /// <summary>Serves state from a store inside this process where <c>ConnectionStrings:Redis</c> is not set.</summary>
    /// <remarks>
    /// It needs nothing installed, keeps everything in memory, and forgets it when the process ends: for development, demos and tests.
    /// Everywhere but in Development the server refuses to start on it unless <c>Tenancy:AcceptEmbeddedStore</c> is true.
    /// </remarks>
    public static ITenancyBuilder AddEmbeddedStore(this ITenancyBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);

        // The store's own messages matter only when something is wrong.
        builder.Services.AddLogging(logging => logging.AddFilter(EmbeddedStore.LogCategory, LogLevel.Warning));
        builder.Services.TryAddSingleton<IEmbeddedStore, EmbeddedStore>();
        return builder;
    }
}

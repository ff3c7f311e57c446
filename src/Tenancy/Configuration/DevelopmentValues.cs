using Microsoft.Extensions.Hosting;

namespace Tenancy.Configuration;

/// <summary>
/// Says where values for development are good: tokens and keys that are easy to guess, localhost as the server's own domain, a store that
/// forgets, tools for tests. An environment is taken for Production unless it is named Development: a misspelt name must not open a server.
/// </summary>
internal static class DevelopmentValues
{
    /// <summary>Whether they are good here.</summary>
    public static bool AreAllowed(IHostEnvironment environment, TenancyOptions options) =>
        environment.IsDevelopment() || (options.AllowDevelopmentValues && !environment.IsProduction());
}

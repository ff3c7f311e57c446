using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Tenancy.Configuration;

namespace Tenancy;

/// <summary>Lets the server listen on the port that a hosting platform names in <c>PORT</c>, where nothing says it better.</summary>
/// <remarks>
/// It wins over <c>ASPNETCORE_URLS</c>, the ports of container images and appsettings; <c>URLS</c> as a variable, <c>--urls</c>, and what
/// the application says in code win over it.
/// </remarks>
internal sealed class PortVariable(TenancyConfiguration configuration, IServer? server = null) : IHostedLifecycleService
{
    /// <summary>
    /// Finds the URL to listen on; null where the configuration does not name a port, or names URLs in the same source or a higher one.
    /// </summary>
    /// <exception cref="InvalidOperationException">PORT is no port.</exception>
    public static string? FindUrl(IConfigurationRoot configuration)
    {
        foreach (var provider in configuration.Providers.Reverse())
        {
            if (provider.TryGet("urls", out var urls) && !string.IsNullOrEmpty(urls))
            {
                return null;
            }

            if (provider.TryGet("PORT", out var port) && !string.IsNullOrEmpty(port))
            {
                return int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 65535
                    ? $"http://*:{number}"
                    : throw new InvalidOperationException(
                        $"PORT is '{port}': use the number of a port, 1 to 65535, or set URLS in its place."
                    );
            }
        }

        return null;
    }

    // Before the web server starts, which looks for URLs in the configuration only where it was given none.
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        if (
            server?.Features.Get<IServerAddressesFeature>()?.Addresses is { Count: 0, IsReadOnly: false } addresses
            && FindUrl(configuration) is { } url
        )
        {
            addresses.Add(url);
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

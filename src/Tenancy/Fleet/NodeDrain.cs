using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.Fleet;

/// <summary>
/// When the server is told to stop: says first that it is not ready, and goes on serving for as long as those who send it requests need to
/// hear of that.
/// </summary>
internal sealed class NodeDrain(
    IHostEnvironment environment,
    IOptions<TenancyOptions> options,
    IOptions<HostOptions> host,
    ServingTime serving,
    TimeProvider time,
    ILogger<NodeDrain> logger
) : IHostedLifecycleService
{
    private static readonly TimeSpan Default = TimeSpan.FromSeconds(5);

    /// <summary>Gets whether the server was told to stop.</summary>
    public bool HasBegun => serving.IsEnding;

    private TimeSpan Wait => options.Value.DrainTime ?? (environment.IsDevelopment() ? TimeSpan.Zero : Default);

    /// <summary>Checks that the host's time to stop is longer: where it is over, requests are cut off.</summary>
    /// <exception cref="InvalidOperationException">It is not.</exception>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        var whole = host.Value.ShutdownTimeout;
        return Wait == TimeSpan.Zero || whole == Timeout.InfiniteTimeSpan || Wait < whole
            ? Task.CompletedTask
            : throw new InvalidOperationException(
                $"Tenancy:DrainTime is {Wait}, and the host has {whole} for all of its stop (HostOptions.ShutdownTimeout): use a shorter "
                    + "Tenancy:DrainTime, or give the host more time."
            );
    }

    /// <summary>Waits, while the server still listens: it is called before anything is stopped.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        serving.BeginToEnd();
        var wait = Wait;
        if (wait > TimeSpan.Zero)
        {
            logger.Draining((int)wait.TotalSeconds);
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        serving.End();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

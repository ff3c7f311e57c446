namespace Tenancy.Registry;

/// <summary>
/// Says when a check begins to wait for an answer from outside. Whoever began the check waits for it up to that moment only: a check that
/// asks nobody is done by then, and its result is there at once.
/// </summary>
internal sealed class CheckProgress
{
    // Measured by the machine's own clock: it bounds how long code may block a thread, which does not depend on the time that a test sets.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource _waits = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The check waits for something from now on.</summary>
    public void Waits() => _waits.TrySetResult();

    /// <summary>Gives a check the time that its code takes, so that a tenant for which nothing has to be asked is served at once.</summary>
    /// <remarks>A check that waits, or whose code blocks, goes on by itself.</remarks>
    public async Task SettleAsync(Task check)
    {
        Task settled = Task.WhenAny(check, _waits.Task);
        await settled.WaitAsync(Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (check.IsCompleted)
        {
            await check.ConfigureAwait(false);
        }
        else
        {
            _ = check.ContinueWith(
                static task => _ = task.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted,
                TaskScheduler.Default
            );
        }
    }
}

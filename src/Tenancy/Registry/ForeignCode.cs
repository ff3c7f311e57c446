using Tenancy.Audit;

namespace Tenancy.Registry;

/// <summary>
/// Calls an application's platform or validator for a check. Its code runs on a thread of its own from the first line: what it does before
/// it first awaits may block, and would hold up the timer that began the check, and with it the checks of other tenants.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="unwanted">Ends the call, because nobody is interested any more.</param>
internal sealed class ForeignCode(TimeProvider time, CancellationToken unwanted) : IDisposable
{
    /// <summary>What a call may take. One that does not end in time is left alone.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _clock = new(Timeout, time);

    // The code has a token of its own, whose callbacks run on a thread of their own, too: one that blocks there must not keep the call from
    // ending. It is never disposed, as it may still be telling the code.
    private readonly CancellationTokenSource _told = new();

    /// <summary>Calls it.</summary>
    /// <param name="code">The call.</param>
    /// <param name="progress">Is told where the call waits.</param>
    /// <param name="late">Takes what comes after nobody waits for it any more.</param>
    /// <exception cref="OperationCanceledException">It did not end in time, or nobody is interested any more.</exception>
    public async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> code, CheckProgress? progress, Action<T>? late = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_clock.Token, unwanted);
        var begun = Task.Run<Task<T>>(
            () =>
            {
                // What it does by itself is not what the admin did who asked for the check.
                AuditActor.BecomeApplication();
                return code(_told.Token);
            },
            CancellationToken.None
        );
        try
        {
            var call = await begun.WaitAsync(limit.Token).ConfigureAwait(false);
            if (!call.IsCompleted)
            {
                progress?.Waits();
            }

            return await call.WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            _ = _told.CancelAsync();
            _ = TakeAsync(begun, late);
            throw;
        }
    }

    public void Dispose() => _clock.Dispose();

    private static async Task TakeAsync<T>(Task<Task<T>> begun, Action<T>? late)
    {
        try
        {
            var result = await (await begun.ConfigureAwait(false)).ConfigureAwait(false);
            late?.Invoke(result);
        }
        catch (Exception)
        {
            // It failed after the check had given up on it, which is what the reason of the tenant says.
        }
    }
}

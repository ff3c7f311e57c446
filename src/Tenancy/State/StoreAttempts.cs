using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>
/// Sends again what the store did not answer. A timeout is not a "no": the first try may have been written, so that each script knows what
/// it is sent twice.
/// </summary>
internal static class StoreAttempts
{
    // A lost connection is mostly back after this time. It is measured by the machine's clock, which no test moves.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <param name="most">How often it is sent at most.</param>
    /// <param name="send">Sends it, and is told whether it was sent before.</param>
    public static async Task<T> RunAsync<T>(int most, Func<bool, Task<T>> send)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await send(attempt > 1).ConfigureAwait(false);
            }
            catch (StoreUnavailableException exception) when (attempt < most && exception.InnerException is not GenerationEndedException)
            {
                await Task.Delay(Pause * attempt).ConfigureAwait(false);
            }
        }
    }
}

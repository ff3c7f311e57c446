using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>Sends to the store again what it did not answer. A timeout is not a "no", so that it must know what it is sent twice.</summary>
internal static class StoreAttempts
{
    // So long a lost connection takes to be there again, mostly. It goes by the store's own time, which no test's clock moves.
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

using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>
/// Knows whether the store has stopped to answer, so that only the first calls wait for it and the others are told at once.
/// </summary>
/// <remarks>
/// The Redis client knows of a connection that broke. A connection that is open, and on which nothing comes back any more, is known here.
/// One slow command is no absence yet: only when nothing at all was answered while it waited.
/// </remarks>
internal sealed class StoreAbsence(Func<Task> probe) : IDisposable
{
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(250);

    // Probes run one after another, so that one timer serves them all. It uses the machine's clock, which no test moves.
    private readonly PeriodicTimer _timer = new(ProbeInterval);
    private long _answers;
    private int _isKnown;

    /// <exception cref="StoreUnavailableException">The store is known to be away.</exception>
    public void ThrowIfKnown()
    {
        if (Volatile.Read(ref _isKnown) == 1)
        {
            throw new StoreUnavailableException(new TimeoutException("The store does not answer; it is asked again until it does."));
        }
    }

    public Call Begin() => new(this, Volatile.Read(ref _answers));

    public void Dispose() => _timer.Dispose();

    private async Task ProbeAsync()
    {
        do
        {
            try
            {
                await probe().ConfigureAwait(false);

                // This counts as an answer, so that a call that began before it and times out only now proves nothing any more.
                Interlocked.Increment(ref _answers);
                Volatile.Write(ref _isKnown, 0);
                return;
            }
            catch (Exception)
            {
                // The probe failed in some way: only an answer ends the absence.
            }
        } while (await _timer.WaitForNextTickAsync().ConfigureAwait(false));
    }

    /// <summary>One call to the store, from its beginning.</summary>
    internal readonly struct Call(StoreAbsence absence, long answersBefore)
    {
        public void Answered() => Interlocked.Increment(ref absence._answers);

        public void TimedOut()
        {
            if (Volatile.Read(ref absence._answers) == answersBefore && Interlocked.Exchange(ref absence._isKnown, 1) == 0)
            {
                _ = absence.ProbeAsync();
            }
        }
    }
}

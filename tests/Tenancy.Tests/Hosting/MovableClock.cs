namespace Tenancy.Tests.Hosting;

/// <summary>
/// The system's clock, moved on by as much as a test likes. Unlike one that stands still, it is always as far from the store's clock.
/// </summary>
internal sealed class MovableClock : TimeProvider
{
    private long _offset;

    public void Advance(TimeSpan by) => Interlocked.Add(ref _offset, by.Ticks);

    public override long GetTimestamp() =>
        System.GetTimestamp() + (Interlocked.Read(ref _offset) * (TimestampFrequency / TimeSpan.TicksPerSecond));

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Interlocked.Read(ref _offset));
}

namespace Tenancy.State;

/// <summary>The units that a call is billed with, within bounds: what is added over a day must not overflow.</summary>
internal static class UsedUnits
{
    /// <summary>The most units of a call.</summary>
    public const long Most = 1_000_000_000_000;

    /// <summary>Adds units, or none of them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are less than none, or more than a call may have.</exception>
    public static void Add(ref long all, long units)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(units);
        for (var before = Volatile.Read(ref all); ; )
        {
            if (units > Most - before)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(units),
                    units,
                    $"A call has {Most} units at most, and this one has {before} already: choose a larger unit."
                );
            }

            var seen = Interlocked.CompareExchange(ref all, before + units, before);
            if (seen == before)
            {
                return;
            }

            before = seen;
        }
    }
}

using System.Globalization;

namespace Tenancy.State;

/// <summary>
/// How much of a limit is used, and how much of that nodes may still hold without having spent it. The rule is GCRA, the generic cell rate
/// algorithm: a request moves the arrival time on by one interval, and may come as long as that is no more than a minute ahead.
/// </summary>
/// <param name="Arrival">The theoretical arrival time, in microseconds.</param>
/// <param name="Interval">The time between two requests that it was counted with, in microseconds.</param>
/// <param name="Second">The second in which something was lent last.</param>
/// <param name="Recent">The requests that were lent in that second and not returned.</param>
/// <param name="Earlier">The requests that were lent in the second before and not returned.</param>
/// <remarks>
/// <para>rate-limit.lua keeps the same in the store, by the same rules: what is changed here is to be changed there.</para>
/// <para>
/// What is lent to a node may be spent at any time within the next second. Until that is over, time gives nothing of it back: otherwise a
/// node could
/// spend its share when the limit is full again, and more than the limit would come at once. A share lasts until the end of the second
/// after the one in
/// which it was lent, which is at least as long as the node may spend it; then it counts as spent at that moment.
/// </para>
/// </remarks>
internal readonly record struct LimitUse(long Arrival, long Interval, long Second, int Recent, int Earlier)
{
    private const long MicrosecondsPerSecond = 1_000_000;

    /// <summary>
    /// What one node may be lent: this share of what is left. Other nodes find most of it, and a slice is of one where little is left.
    /// </summary>
    private const int LentShare = 16;

    /// <summary>When it is as if nothing had ever been used.</summary>
    public long End =>
        Recent + Earlier == 0 ? Arrival : Math.Max(Arrival, ((Second + 2) * MicrosecondsPerSecond) + ((Recent + Earlier) * Interval));

    private long Held => (Recent + Earlier) * Interval;

    /// <summary>Reads what the store keeps; null for something else.</summary>
    public static LimitUse? Read(string stored)
    {
        var parts = stored.Split(':');
        var numbers = new long[5];
        for (var i = 0; i < parts.Length; i++)
        {
            if (i == numbers.Length || !long.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
            {
                return null;
            }
        }

        return parts.Length is 2 or 5 && numbers[1] > 0 ? new(numbers[0], numbers[1], numbers[2], (int)numbers[3], (int)numbers[4]) : null;
    }

    /// <summary>
    /// The use as it is at a time, under a limit that may have changed since: what was used is as many requests of the new one.
    /// </summary>
    public LimitUse At(long now, RateLimit limit)
    {
        var interval = limit.Interval;
        var current = now / MicrosecondsPerSecond;
        if (Interval == 0)
        {
            return new(now, interval, current, 0, 0);
        }

        var arrival = Interval == interval ? Arrival : now + (long)Math.Floor((Arrival - now) * (double)interval / Interval);
        var (second, recent, earlier) = (Second, Recent, Earlier);
        if (current > second)
        {
            arrival = Math.Max(arrival, ((second + 1) * MicrosecondsPerSecond) + ((recent + earlier) * interval));
            (recent, earlier) = (0, recent);
        }

        if (current > second + 1)
        {
            arrival = Math.Max(arrival, ((second + 2) * MicrosecondsPerSecond) + (earlier * interval));
            earlier = 0;
        }

        // A clock that falls back into the second before is ignored. Where it falls back further, as after a failover, shares begin anew,
        // and nobody waits longer than a full minute.
        second = current == second - 1 ? second : current;
        arrival = Math.Max(arrival, now + ((recent + earlier) * interval));
        return new(Math.Min(arrival, now + limit.Span), interval, second, recent, earlier);
    }

    /// <summary>Takes back what was counted and not used.</summary>
    /// <param name="count">The requests.</param>
    /// <param name="lentIn">The second in which they were lent; 0 for a request that was counted alone.</param>
    /// <param name="now">The time that the use was brought to.</param>
    public LimitUse Return(int count, long lentIn, long now)
    {
        var (credit, recent, earlier) = (count * Interval, Recent, Earlier);
        if (lentIn >= Second)
        {
            recent = Math.Max(0, recent - count);
        }
        else if (lentIn == Second - 1)
        {
            earlier = Math.Max(0, earlier - count);
        }
        else if (lentIn > 0)
        {
            // A share counts as spent from the moment at which its time was over. What time has given back since then is not given back
            // twice.
            credit = Math.Max(0, credit - (now - ((lentIn + 2) * MicrosecondsPerSecond)));
        }

        var returned = this with { Recent = recent, Earlier = earlier };
        return returned with { Arrival = Math.Min(Arrival, Math.Max(Arrival - credit, now + returned.Held)) };
    }

    /// <summary>The requests that may come at once.</summary>
    public int Left(long now, RateLimit limit) => (int)((now + limit.Span - Arrival) / Interval);

    /// <summary>What a node that wants to have some at hand is lent, beside what is spent at once.</summary>
    public static int Lend(int wanted, int left) => Math.Max(0, Math.Min(wanted, left / LentShare));

    /// <summary>Counts requests, and what is lent.</summary>
    public LimitUse Take(int requests, int lent) =>
        this with
        {
            Arrival = Arrival + ((requests + (long)lent) * Interval),
            Recent = Recent + lent,
        };
}

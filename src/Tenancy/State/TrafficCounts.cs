using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>
/// Counts in memory the calls of each tenant in the present quarter of an hour, how they ended, and how long they took on a scale, until it
/// is written: each minute, and when the server stops.
/// </summary>
/// <remarks>No call waits for another here, and one of a tenant that was called in this quarter before allocates nothing.</remarks>
internal sealed class TrafficCounts(TimeProvider time)
{
    // Who found a quarter before it was over may still count in it.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<TenantLife, Quarter> _current = new();
    private readonly ConcurrentQueue<(TenantLife Life, Quarter Quarter)> _over = new();

    /// <summary>Gets how many tenants are counted.</summary>
    public int Count => _current.Count;

    /// <summary>Counts a call.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="generation">Its generation.</param>
    /// <param name="end">How it ended.</param>
    /// <param name="micros">How long it took, in microseconds.</param>
    public void Add(TenantId tenant, long generation, CallEnd end, long micros) => Present(tenant, generation).Add(end, micros);

    /// <summary>Notes how much of a limit is spent.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="generation">Its generation.</param>
    /// <param name="limit">The limit.</param>
    /// <param name="spent">How much, in per cent. Less than one is not noted.</param>
    public void NotePeak(TenantId tenant, long generation, LimitPeak limit, int spent)
    {
        if (spent > 0)
        {
            Present(tenant, generation).NotePeak(limit, spent);
        }
    }

    /// <summary>Counts a request, or a call, that was refused because a limit is spent.</summary>
    public void AddRefused(TenantId tenant, long generation) => Present(tenant, generation).AddRefused();

    /// <summary>What is counted of a tenant and may not be written yet; null for nothing.</summary>
    public Quarter? Find(TenantLife life) => _current.GetValueOrDefault(life);

    /// <summary>Gives what changed since this was asked last; each time the whole of a quarter, so that it may be written again.</summary>
    /// <remarks>One caller asks. What it could not write it marks again by <see cref="Quarter.Mark"/>.</remarks>
    public IReadOnlyList<(TenantLife Life, Quarter Quarter)> Take()
    {
        var now = time.GetUtcNow();
        var taken = new List<(TenantLife, Quarter)>();
        for (var left = _over.Count; left > 0 && _over.TryDequeue(out var over); left--)
        {
            if (over.Quarter.TakeMark())
            {
                taken.Add(over);
            }

            if (now < over.Quarter.End + Grace)
            {
                _over.Enqueue(over);
            }
        }

        foreach (var (life, quarter) in _current)
        {
            if (now >= quarter.End + Grace && _current.TryRemove(new(life, quarter)))
            {
                // Of an idle tenant nothing is left. One more look finds what was counted in it at the last moment.
                _over.Enqueue((life, quarter));
            }

            if (quarter.TakeMark())
            {
                taken.Add((life, quarter));
            }
        }

        return taken;
    }

    private Quarter Present(TenantId tenant, long generation)
    {
        var (life, number) = (new TenantLife(tenant, generation), Quarter.NumberOf(time.GetUtcNow()));
        var quarter = _current.GetOrAdd(life, static (_, number) => new(number), number);
        return quarter.Number < number ? Begin(life, quarter, number) : quarter;
    }

    private Quarter Begin(TenantLife life, Quarter before, long number)
    {
        var next = new Quarter(number);
        if (_current.TryUpdate(life, next, before))
        {
            _over.Enqueue((life, before));
            return next;
        }

        return _current.GetOrAdd(life, next);
    }
}

/// <summary>A tenant, and its generation.</summary>
internal readonly record struct TenantLife(TenantId Tenant, long Generation);

/// <summary>How a call ended, as it is counted here.</summary>
internal enum CallEnd
{
    /// <summary>It was answered.</summary>
    Good,

    /// <summary>Its caller was told what to mend.</summary>
    Error,

    /// <summary>Its handler failed, or the store was away.</summary>
    Failed,

    /// <summary>Its caller left.</summary>
    Cancelled,
}

/// <summary>A limit of which the most that was spent is kept.</summary>
internal enum LimitPeak
{
    /// <summary>The requests of a minute.</summary>
    Rate,

    /// <summary>The calls that may run at once on a node. It is noted when a call begins, which may go on for long.</summary>
    Calls,

    /// <summary>The requests of a minute that one address may make without credentials.</summary>
    Anonymous,

    /// <summary>The MCP sessions. How many there are is looked at each minute.</summary>
    Sessions,

    /// <summary>What documents may take up. How much it is is looked at each minute.</summary>
    Documents,
}

/// <summary>The calls of a tenant in a quarter of an hour.</summary>
internal sealed class Quarter(long number)
{
    /// <summary>How long it is.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromMinutes(15);

    /// <summary>The scale of how long calls take, in milliseconds: each step has those up to it, and the last all others.</summary>
    public static readonly int[] Scale =
    [
        1,
        2,
        3,
        5,
        7,
        10,
        15,
        20,
        30,
        50,
        70,
        100,
        150,
        200,
        300,
        500,
        700,
        1000,
        1500,
        2000,
        3000,
        5000,
        7000,
        10_000,
        15_000,
        20_000,
        30_000,
        60_000,
        int.MaxValue,
    ];

    private const string LimitsMark = "limits:";

    private readonly long[] _ends = new long[Enum.GetValues<CallEnd>().Length];
    private readonly long[] _steps = new long[Scale.Length];
    private readonly int[] _peaks = new int[Enum.GetValues<LimitPeak>().Length];
    private long _refused;
    private int _isMarked;

    /// <summary>Gets which it is since 1970.</summary>
    public long Number => number;

    /// <summary>Gets when it begins.</summary>
    public DateTimeOffset Start => StartOf(number);

    /// <summary>Gets when it is over.</summary>
    public DateTimeOffset End => StartOf(number + 1);

    /// <summary>The number of the one in which a time is.</summary>
    public static long NumberOf(DateTimeOffset at) => (at - DateTimeOffset.UnixEpoch).Ticks / Length.Ticks;

    /// <summary>When one begins.</summary>
    public static DateTimeOffset StartOf(long number) => DateTimeOffset.UnixEpoch + (number * Length);

    /// <summary>Counts a call.</summary>
    public void Add(CallEnd end, long micros)
    {
        Interlocked.Increment(ref _ends[(int)end]);
        Interlocked.Increment(ref _steps[StepOf(micros)]);
        Volatile.Write(ref _isMarked, 1);
    }

    /// <summary>Counts what was refused because a limit is spent.</summary>
    public void AddRefused()
    {
        Interlocked.Increment(ref _refused);
        Volatile.Write(ref _isMarked, 1);
    }

    /// <summary>Notes how much of a limit is spent, in per cent: the most of it is kept.</summary>
    public void NotePeak(LimitPeak limit, int spent)
    {
        ref var peak = ref _peaks[(int)limit];
        for (var seen = Volatile.Read(ref peak); seen < spent; )
        {
            var before = Interlocked.CompareExchange(ref peak, spent, seen);
            if (before == seen)
            {
                Volatile.Write(ref _isMarked, 1);
                return;
            }

            seen = before;
        }
    }

    /// <summary>How many calls ended so.</summary>
    public long Of(CallEnd end) => Interlocked.Read(ref _ends[(int)end]);

    /// <summary>The most of a limit that was spent, in per cent.</summary>
    public int PeakOf(LimitPeak limit) => Volatile.Read(ref _peaks[(int)limit]);

    /// <summary>Gets how many requests and calls were refused because a limit was spent.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Has it written again.</summary>
    public void Mark() => Volatile.Write(ref _isMarked, 1);

    /// <summary>Whether it changed since this was asked last.</summary>
    public bool TakeMark() => Interlocked.Exchange(ref _isMarked, 0) == 1;

    /// <summary>Adds what another node, or this one before a restart, counted in the same quarter.</summary>
    public void Add(Quarter other)
    {
        for (var i = 0; i < _ends.Length; i++)
        {
            _ends[i] += other._ends[i];
        }

        for (var i = 0; i < _steps.Length; i++)
        {
            _steps[i] += other._steps[i];
        }

        for (var i = 0; i < _peaks.Length; i++)
        {
            _peaks[i] = Math.Max(_peaks[i], other._peaks[i]);
        }

        _refused += other._refused;
    }

    /// <summary>The step of the scale up to which so large a part of the calls took, in milliseconds; null where there is none.</summary>
    /// <param name="part">The part, such as 0.99.</param>
    public int? Percentile(double part)
    {
        var wanted = (long)Math.Ceiling(part * _steps.Sum());
        if (wanted == 0)
        {
            return null;
        }

        var seen = 0L;
        for (var i = 0; i < _steps.Length - 1; i++)
        {
            seen += _steps[i];
            if (seen >= wanted)
            {
                return Scale[i];
            }
        }

        return null;
    }

    /// <summary>
    /// What is kept of it: the calls by how they ended, those of each step that has some, and what was spent of limits where that is any.
    /// </summary>
    public string ToText()
    {
        var text = new StringBuilder();
        text.AppendJoin(',', _ends.Select((_, i) => Interlocked.Read(ref _ends[i])));
        for (var i = 0; i < _steps.Length; i++)
        {
            if (Interlocked.Read(ref _steps[i]) is > 0 and var calls)
            {
                text.Append(CultureInfo.InvariantCulture, $" {i}:{calls}");
            }
        }

        if (Refused > 0 || Array.Exists(_peaks, static peak => peak > 0))
        {
            text.Append(CultureInfo.InvariantCulture, $" {LimitsMark}{Refused}");
            Array.ForEach(_peaks, peak => text.Append(CultureInfo.InvariantCulture, $",{peak}"));
        }

        return text.ToString();
    }

    /// <summary>Reads what is kept; null where a later release keeps it in another form.</summary>
    public static Quarter? Read(long number, string text)
    {
        var quarter = new Quarter(number);
        var parts = text.Split(' ');
        var ends = parts[0].Split(',');
        if (ends.Length != quarter._ends.Length)
        {
            return null;
        }

        for (var i = 0; i < ends.Length; i++)
        {
            if (!TryRead(ends[i], out quarter._ends[i]))
            {
                return null;
            }
        }

        foreach (var part in parts.AsSpan(1))
        {
            if (part.StartsWith(LimitsMark, StringComparison.Ordinal))
            {
                if (!quarter.TryReadLimits(part[LimitsMark.Length..].Split(',')))
                {
                    return null;
                }

                continue;
            }

            var colon = part.IndexOf(':', StringComparison.Ordinal);
            if (
                colon < 0
                || !TryRead(part.AsSpan(0, colon), out var step)
                || step >= quarter._steps.Length
                || !TryRead(part.AsSpan(colon + 1), out quarter._steps[step])
            )
            {
                return null;
            }
        }

        return quarter;
    }

    // An earlier release has fewer limits: the others were not looked at then.
    private bool TryReadLimits(string[] numbers)
    {
        if (numbers.Length > 1 + _peaks.Length || !TryRead(numbers[0], out _refused))
        {
            return false;
        }

        for (var i = 0; i < numbers.Length - 1; i++)
        {
            if (!int.TryParse(numbers[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out _peaks[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryRead(ReadOnlySpan<char> text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static int StepOf(long micros)
    {
        var millis = (micros + 999) / 1000;
        for (var i = 0; i < Scale.Length - 1; i++)
        {
            if (millis <= Scale[i])
            {
                return i;
            }
        }

        return Scale.Length - 1;
    }
}

using System.Globalization;
using System.Text.Json.Serialization;
using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>What the calls of one tool that ended alike took.</summary>
/// <param name="Tool">The tool.</param>
/// <param name="Outcome">How they ended.</param>
/// <param name="Calls">How many there were.</param>
/// <param name="Micros">How long they took, in microseconds.</param>
/// <param name="Bytes">The bytes of their requests and answers.</param>
/// <param name="Units">What handlers added.</param>
internal readonly record struct UsageRow(string Tool, string Outcome, long Calls, long Micros, long Bytes, long Units);

/// <summary>A call that is counted by its own commit.</summary>
/// <param name="Row">What it took.</param>
/// <param name="Day">The day, as <c>yyyymmdd</c>.</param>
/// <param name="FirstDay">The first day of which something may be kept.</param>
/// <param name="KeptFor">For how many milliseconds a day is kept.</param>
internal sealed record CommittedUse(UsageRow Row, int Day, int FirstDay, long KeptFor)
{
    public static CommittedUse Of(UsageRow row, DateTimeOffset now, UsageOptions bounds) =>
        new(row, UsageDay.Of(now), UsageStore.FirstDay(now), UsageStore.KeptFor(UsageDay.Of(now), now, bounds));
}

/// <summary>A day of UTC as keys and scripts have it: <c>yyyymmdd</c>.</summary>
internal static class UsageDay
{
    public static int Of(DateTimeOffset time) => Of(DateOnly.FromDateTime(time.UtcDateTime));

    public static int Of(DateOnly day) => (((day.Year * 100) + day.Month) * 100) + day.Day;

    public static DateOnly Read(int day) => new(day / 10_000, day / 100 % 100, day % 100);

    /// <summary>A day of a generation, as the index of days has it.</summary>
    public static string Of(long generation, int day) => string.Create(CultureInfo.InvariantCulture, $"{generation}:{day}");

    /// <inheritdoc cref="Of(long, int)"/>
    public static (long Generation, int Day) Read(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return (
            long.Parse(text.AsSpan(0, colon), CultureInfo.InvariantCulture),
            int.Parse(text.AsSpan(colon + 1), CultureInfo.InvariantCulture)
        );
    }
}

[JsonSerializable(typeof(UsageRow[]))]
internal sealed partial class UsageJson : JsonSerializerContext;

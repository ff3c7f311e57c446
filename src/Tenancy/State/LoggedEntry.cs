using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Tenancy.State;

/// <summary>An entry of a log of what all tenants share.</summary>
/// <param name="Id">What names it, and what comes before it: its time and a tag.</param>
/// <param name="At">When it was written.</param>
/// <param name="Entry">The entry.</param>
internal sealed record LoggedEntry<T>(string Id, DateTimeOffset At, T Entry);

/// <summary>Reads entries as the store keeps them: <c>time.tag tenant text</c>.</summary>
internal static class LoggedEntry
{
    /// <summary>The digits of a time in microseconds, so that entries are in the order of their texts.</summary>
    public const int TimeLength = 16;

    public static LoggedEntry<T> Read<T>(string stored, JsonTypeInfo<T> type)
    {
        var parts = stored.Split(' ', 3);
        var micros = long.Parse(parts[0].AsSpan(0, TimeLength), CultureInfo.InvariantCulture);
        return new(parts[0], DateTimeOffset.UnixEpoch.AddMicroseconds(micros), JsonSerializer.Deserialize(parts[2], type)!);
    }

    /// <summary>A time as entries begin with it.</summary>
    public static string Time(DateTimeOffset time) =>
        ((time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond).ToString("D16", CultureInfo.InvariantCulture);
}

using System.Text.Json;
using System.Text.RegularExpressions;

namespace Tenancy.Configuration;

/// <summary>
/// Names a field of a record within a record as JSON paths do: <c>limits.maxSessions</c>, <c>urls[1]</c>, and
/// <c>limits.tools['a.b'].rateLimit</c> where a name has more than letters, digits, hyphens and underscores.
/// </summary>
internal static partial class FieldPath
{
    /// <summary>Names a field of the record at a place; the place is empty for the outermost record.</summary>
    public static string Join(string place, string name) =>
        !PlainName().IsMatch(name) ? $"{place}['{name}']"
        : place.Length == 0 ? name
        : $"{place}.{name}";

    /// <summary>Where a serializer found a mistake; empty for the whole document.</summary>
    public static string Of(JsonException exception) => (exception.Path ?? "").TrimStart('$').TrimStart('.');

    /// <summary>The names and indexes on the way to a field, the outermost first.</summary>
    public static IEnumerable<string> Split(string field) =>
        Segments().Matches(field).Select(match => match.Groups.Values.Skip(1).Single(group => group.Success).Value);

    /// <summary>
    /// The key of the configuration for a field of the record in a section, so that what a message names can be typed:
    /// <c>Tenancy:Tenants:0:limits:rateLimit</c>.
    /// </summary>
    public static string ToSetting(string section, string field) => string.Join(':', Split(field).Prepend(section));

    [GeneratedRegex(@"\A[\w-]+\z")]
    private static partial Regex PlainName();

    // A name between brackets may have an apostrophe of its own.
    [GeneratedRegex(@"(?:\A|\.)([^.[]+)|\[(\d+)\]|\['(.*?)'\](?=[.[]|\z)", RegexOptions.Singleline)]
    private static partial Regex Segments();
}

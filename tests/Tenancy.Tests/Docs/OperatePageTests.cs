using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Tenancy.Adcp;

namespace Tenancy.Tests.Docs;

/// <summary>docs/operate.md has the log's events and the fixed limits as the code has them.</summary>
public sealed partial class OperatePageTests
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Page Page = Page.Read("docs/operate.md");

    private static IEnumerable<Type> Types => typeof(ITenancyBuilder).Assembly.GetTypes().Concat(typeof(AdcpError).Assembly.GetTypes());

    [Fact]
    public void Every_event_of_the_log_has_a_row_with_its_level_and_name()
    {
        var events = Types
            .SelectMany(type => type.GetMethods(All))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>()
            .Select(message => $"{message.EventId} {message.Level} {message.EventName}");
        var rows = Page.Rows("| id | level | name").Select(row => $"{row[0]} {row[1]} {row[2].Trim('`')}");
        Assert.Equal(events.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_fixed_limit_is_that_of_the_code()
    {
        var rows = Page.Rows("| limit | value | in code").ToArray();
        Assert.True(rows.Length > 10, $"{rows.Length} rows");
        foreach (var row in rows)
        {
            Assert.Equal((row[0], Value(row[1])), (row[0], Find(row[2].Trim('`'))));
        }
    }

    /// <summary>A value as a plain number: counts, bytes, milliseconds of Redis' timeouts, or ticks.</summary>
    private static long Value(string text)
    {
        var match = Number().Match(text);
        var number = long.Parse(match.Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch
        {
            "KiB" => number * 1024,
            "MiB" => number * 1024 * 1024,
            "hour" or "hours" => number * TimeSpan.TicksPerHour,
            "minutes" => number * TimeSpan.TicksPerMinute,
            "second" or "seconds" => number * TimeSpan.TicksPerSecond,
            _ => number,
        };
    }

    private static long Find(string name)
    {
        var (typeName, memberName) = name.Split('.') is [var first, var second] ? (first, second) : throw new FormatException(name);
        var type = Types.Single(one => one.Name.Split('`')[0] == typeName);
        return type.GetMember(memberName, All).Single() switch
        {
            FieldInfo { IsLiteral: true } constant => Convert.ToInt64(constant.GetRawConstantValue(), CultureInfo.InvariantCulture),
            FieldInfo field => Plain(field.GetValue(null)!, name),
            PropertyInfo property => Plain(property.GetValue(New(type))!, name),
            _ => throw new NotSupportedException(name),
        };
    }

    // An attribute's seconds are a number.
    private static long Plain(object value, string name) =>
        value is TimeSpan time ? time.Ticks
        : name.EndsWith("Seconds", StringComparison.Ordinal) ? (int)value * TimeSpan.TicksPerSecond
        : Convert.ToInt64(value, CultureInfo.InvariantCulture);

    // Nothing of what its constructor asks for is used for a number.
    private static object New(Type type)
    {
        var constructor = type.GetConstructors(All).MinBy(constructor => constructor.GetParameters().Length)!;
        return constructor.Invoke(new object?[constructor.GetParameters().Length]);
    }

    [GeneratedRegex(@"^([\d,]+) ?(\w*)")]
    private static partial Regex Number();
}

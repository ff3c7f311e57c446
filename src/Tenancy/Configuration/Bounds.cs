using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Tenancy.Configuration;

/// <summary>The bounds of a value, as the attributes Range, Length and MaxLength at its property say them.</summary>
internal sealed class Bounds
{
    private readonly RangeAttribute? _range;
    private readonly LengthAttribute? _length;
    private readonly int? _maxCount;
    private readonly string? _unit;

    private Bounds(ICustomAttributeProvider property)
    {
        _range = Find<RangeAttribute>(property);
        _length = Find<LengthAttribute>(property);
        _maxCount = Find<MaxLengthAttribute>(property)?.Length;
        _unit = Find<UnitAttribute>(property)?.Name;
    }

    /// <summary>What the value counts; null where it counts nothing.</summary>
    public string? Unit => _unit;

    public static Bounds Of(ICustomAttributeProvider property) => new(property);

    /// <summary>Says what is wrong with a value and how to mend it; null where it is within the bounds.</summary>
    /// <param name="value">The value.</param>
    /// <param name="mayBeLeftOut">Whether the value may be left out.</param>
    public string? Explain(object? value, bool mayBeLeftOut) =>
        value switch
        {
            TimeSpan time when _range is not null => time < Time(_range.Minimum) || time > Time(_range.Maximum)
                ? $"is {time}: use {Time(_range.Minimum)} to {Time(_range.Maximum)} (hours:minutes:seconds)"
                : null,
            IConvertible number when _range is not null => Number(number) < Number(_range.Minimum)
            || Number(number) > Number(_range.Maximum)
                ? $"is {Text(number)}: use {(!HasMaximum ? "" : number is double ? "a number from " : "a whole number from ")}{this}"
                : null,
            string { Length: var length } when _length is not null && (length < _length.MinimumLength || length > _length.MaximumLength) =>
                $"must have {this}{(mayBeLeftOut ? ", or be left out" : "")}",
            null when _length is not null && !mayBeLeftOut => $"must have {this}",
            ICollection { Count: var count } when count > _maxCount => $"has {count} values: {_maxCount} are the most",
            IReadOnlyCollection<object> { Count: var count } when count > _maxCount => $"has {count} values: {_maxCount} are the most",
            _ => null,
        };

    /// <summary>The bounds in words; empty where there are none.</summary>
    public override string ToString() =>
        this switch
        {
            { _range: { OperandType: var type } range } when type == typeof(TimeSpan) => $"{Time(range.Minimum)} to {Time(range.Maximum)}",
            { _range: not null, HasMaximum: true } => $"{Text(_range.Minimum)} to {Text(_range.Maximum)}",
            { _range: not null } => $"at least {Text(_range.Minimum)}{(_unit is null ? "" : " " + _unit)}",
            { _length: not null } => $"{_length.MinimumLength} to {_length.MaximumLength} characters",
            { _maxCount: not null } => $"at most {_maxCount}",
            _ => "",
        };

    // RangeAttribute has doubles where its bounds are beyond those of an int, and no other way to say that there is no upper one.
    private bool HasMaximum => Number(_range!.Maximum) < long.MaxValue;

    private static T? Find<T>(ICustomAttributeProvider property)
        where T : Attribute => (T?)property.GetCustomAttributes(typeof(T), inherit: true).SingleOrDefault();

    private static double Number(object number) => Convert.ToDouble(number, CultureInfo.InvariantCulture);

    private static string Text(object number) => Convert.ToString(number, CultureInfo.InvariantCulture)!;

    private static TimeSpan Time(object time) => TimeSpan.Parse((string)time, CultureInfo.InvariantCulture);
}

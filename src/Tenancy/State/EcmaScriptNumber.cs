using System.Globalization;

namespace Tenancy.State;

/// <summary>Numbers as ECMAScript writes them: ECMA-262, Number::toString, radix 10.</summary>
internal static class EcmaScriptNumber
{
    /// <summary>Writes a finite number with the fewest digits that read back as the same double.</summary>
    public static string Format(double value)
    {
        if (value == 0)
        {
            return "0";
        }

        var (digits, point) = Shortest(Math.Abs(value));
        var sign = value < 0 ? "-" : "";
        return sign
            + point switch
            {
                > 0 and <= 21 when digits.Length <= point => digits.PadRight(point, '0'),
                > 0 and <= 21 => $"{digits[..point]}.{digits[point..]}",
                > -6 and <= 0 => $"0.{new string('0', -point)}{digits}",
                _ => WithExponent(digits, point - 1),
            };
    }

    private static string WithExponent(string digits, int exponent)
    {
        var fraction = digits.Length == 1 ? "" : "." + digits[1..];
        return string.Create(CultureInfo.InvariantCulture, $"{digits[0]}{fraction}e{(exponent < 0 ? "-" : "+")}{Math.Abs(exponent)}");
    }

    /// <summary>The shortest digits, and where the point lies: after that many of them.</summary>
    private static (string Digits, int Point) Shortest(double value)
    {
        // .NET gives the same shortest digits, in a layout of its own: 1E+21, 0.0001, 123.45.
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        var exponentAt = text.IndexOf('E', StringComparison.Ordinal);
        var exponent =
            exponentAt < 0 ? 0 : int.Parse(text.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = exponentAt < 0 ? text : text[..exponentAt];
        var pointAt = mantissa.IndexOf('.', StringComparison.Ordinal);
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var significant = digits.TrimStart('0');
        var point = (pointAt < 0 ? digits.Length : pointAt) - (digits.Length - significant.Length) + exponent;
        return (significant.TrimEnd('0'), point);
    }
}

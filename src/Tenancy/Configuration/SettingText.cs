using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text.Json;

namespace Tenancy.Configuration;

/// <summary>How a text of the configuration becomes a value of a type.</summary>
/// <param name="Form">What the text has to be, as it follows the word "use".</param>
/// <param name="Read">Gives the value; null where the text is none.</param>
internal sealed record SettingText(string Form, Func<string, object?> Read)
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    private static readonly Dictionary<Type, SettingText> Known = new()
    {
        [typeof(string)] = new("a text", text => text),
        [typeof(bool)] = new("true or false", text => bool.TryParse(text, out var value) ? value : null),
        [typeof(int)] = new("a whole number", text =>
            int.TryParse(text, NumberStyles.AllowLeadingSign, Culture, out var value) ? value : null
        ),
        [typeof(long)] = new("a whole number", text =>
            long.TryParse(text, NumberStyles.AllowLeadingSign, Culture, out var value) ? value : null
        ),
        [typeof(double)] = new("a number, such as 0.5", text =>
            double.TryParse(text, NumberStyles.Float, Culture, out var value) ? value : null
        ),
        [typeof(TimeSpan)] = new("hours:minutes:seconds, such as 00:00:30", text =>
            TimeSpan.TryParse(text, Culture, out var value) ? value : null
        ),
        [typeof(Uri)] = new("an absolute URL, such as https://example.com", text =>
            AbsoluteUrl.TryParse(text, out var value) ? value : null
        ),
        [typeof(IPNetwork)] = new("an address, or a network such as 10.20.0.0/16", text => IPNetwork.TryParse(text, out var value) ? value
            : IPAddress.TryParse(text, out var address) && IsWhole(address, text) ? new IPNetwork(address, BitsOf(address))
            : null),
    };

    /// <summary>How texts become values of a type; null where they do not.</summary>
    public static SettingText? Of(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsEnum ? OfEnum(type) : Known.GetValueOrDefault(type);
    }

    // Of an address with less than four numbers, or with a zone, nobody can tell what is meant: 10.1 is 10.0.0.1.
    private static bool IsWhole(IPAddress address, string text) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? address.ScopeId == 0 : text.Count('.') == 3;

    private static int BitsOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32;

    private static SettingText OfEnum(Type type)
    {
        var isFlags = type.IsDefined(typeof(FlagsAttribute));
        var names = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        var forms = new List<string>();
        foreach (var member in type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(member => !isFlags || !IsZero(member)))
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(member.Name);
            var alias = member.GetCustomAttribute<AlsoReadAttribute>()?.Name;
            names[name] = names[alias ?? name] = member.GetValue(null)!;
            forms.Add(alias is null ? name : $"{name} (or {alias})");
        }

        var form = isFlags ? $"any of {List(forms, "and")}" : List(forms, "or");
        return new(form, text => names.GetValueOrDefault(text));
    }

    private static bool IsZero(FieldInfo member) => Convert.ToInt64(member.GetRawConstantValue(), Culture) == 0;

    private static string List(List<string> words, string last) =>
        words.Count == 1 ? words[0] : $"{string.Join(", ", words.SkipLast(1))} {last} {words[^1]}";
}

/// <summary>Another name that settings may have for a value of an enumeration.</summary>
[AttributeUsage(AttributeTargets.Field)]
internal sealed class AlsoReadAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Tenancy.Configuration;

namespace Tenancy.Tests.Docs;

/// <summary>Writes the reference of the settings and of a tenant's fields from the types that are read, and from their comments.</summary>
internal sealed partial class SettingsPage(XmlDocs docs)
{
    private readonly StringBuilder _text = new();

    public override string ToString() => _text.ToString();

    public SettingsPage Write(string text)
    {
        _text.Append(text.ReplaceLineEndings("\n").TrimEnd()).Append("\n\n");
        return this;
    }

    /// <summary>Writes a section of the settings, and the sections within it.</summary>
    public SettingsPage WriteSettings(Type type, string section)
    {
        var settings = Activator.CreateInstance(type)!;
        var properties = SettingsType.Settings(type).ToArray();
        Write($"## {section}");
        WriteTable(
            ["Setting", "Type", "Default", "Bounds", "What it is"],
            properties
                .Where(property => !SettingsType.IsSection(property.PropertyType))
                .Select(property =>
                    Row(property.Name, property, property.PropertyType, isRequired: false, property.GetValue(settings), effect: null)
                )
        );
        foreach (var inner in properties.Where(property => SettingsType.IsSection(property.PropertyType)))
        {
            WriteSettings(inner.PropertyType, $"{section}:{inner.Name}");
        }

        return this;
    }

    /// <summary>Writes the fields of a record, and those of the records within it.</summary>
    /// <param name="type">The form of the record.</param>
    /// <param name="title">The heading.</param>
    /// <param name="outer">
    /// What a change makes necessary of the record that this one is part of; null where there is no change.
    /// </param>
    public SettingsPage WriteFields(JsonTypeInfo type, string title, ChangeEffects? outer)
    {
        var initial = Initial(type.Type);
        var fields = RecordFields.Of(type).ToArray();
        Write($"### {title}");
        WriteTable(
            ["Field", "Type", "Default", "Bounds", .. outer is null ? Array.Empty<string>() : ["A change"], "What it is"],
            fields.Select(field =>
                Row(
                    field.Field.Name,
                    (PropertyInfo)field.Field.AttributeProvider!,
                    field.Field.PropertyType,
                    field.Field.IsRequired,
                    field.Field.Get!(initial),
                    outer is { } known ? Effect(RecordFields.OnChange(field.Field, field.Type, known)) : null
                )
            )
        );
        foreach (var (field, fieldType) in fields)
        {
            var effects = outer is { } known ? RecordFields.OnChange(field, fieldType, known).Effects : (ChangeEffects?)null;
            if (RecordFields.HasFields(fieldType))
            {
                WriteFields(fieldType, $"`{field.Name}`", effects);
            }
            else if (RecordFields.NamedRecords(fieldType) is { } named)
            {
                WriteFields(named, $"`{field.Name}`", effects);
            }
        }

        return this;
    }

    private void WriteTable(string[] head, IEnumerable<string?[]> rows)
    {
        WriteRow(head);
        WriteRow(head.Select(_ => "---"));
        foreach (var row in rows)
        {
            WriteRow(row.OfType<string>().Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)));
        }

        _text.Append('\n');
    }

    private void WriteRow(IEnumerable<string> cells) => _text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private string?[] Row(string name, PropertyInfo property, Type type, bool isRequired, object? initial, string? effect)
    {
        var (text, said) = docs.Of(property);
        var bounds = Bounds.Of(property);
        var value = isRequired ? "required" : Default(property, initial, said);
        var kind = property.GetCustomAttribute<OfKindAttribute>() is { } owner ? $"the kind `{Written(owner.Kind)}` only" : "";
        var limits = string.Join(", ", new[] { bounds.ToString(), kind }.Where(limit => limit.Length > 0));
        return [$"`{name}`", TypeName(name, type, bounds.Unit), value, limits, effect, text];
    }

    private static string TypeName(string name, Type type, string? unit)
    {
        if (SettingsType.Item(type) is { } item)
        {
            return "list: " + TypeName(name, item, unit);
        }

        if (SettingText.Of(type) is { } form)
        {
            return Article().Replace(form.Form.Split(", such")[0], "") + (unit is null ? "" : $" ({unit})");
        }

        return type == typeof(JsonElement?) ? "object"
            : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>)
                ? $"by name: [object](#{name.ToLowerInvariant()})"
            : type == typeof(TenantSecrets) ? "[object](admin-api.md#secrets)"
            : type == typeof(TenantRegistration) ? "[tenant](#a-tenant)"
            : $"[object](#{name.ToLowerInvariant()})";
    }

    /// <summary>The default is what the type has. What the comment says is checked, or stands for a value that does not speak.</summary>
    private static string Default(PropertyInfo property, object? value, string? said)
    {
        if (value is null or ICollection { Count: 0 })
        {
            return said ?? "none";
        }

        if (SettingText.Of(value.GetType()) is null)
        {
            return said ?? "";
        }

        var words = Words(value);
        if (said is not null && said != words)
        {
            throw new InvalidOperationException(
                $"The default of {property.DeclaringType}.{property.Name} is {words}, and its comment says {said}: mend one of them."
            );
        }

        var isPlain = value is not TimeSpan && !words.EndsWith("MiB", StringComparison.Ordinal);
        return isPlain ? $"`{Written(value)}`" : $"`{Written(value)}` ({words})";
    }

    /// <summary>A value as people say it.</summary>
    private static string Words(object value) =>
        value switch
        {
            bool => Written(value),
            long bytes and >= 1 << 20 when bytes % (1 << 20) == 0 => $"{bytes >> 20} MiB",
            int or long => string.Create(CultureInfo.InvariantCulture, $"{value:N0}"),
            TimeSpan { TotalSeconds: 1 } => "1 second",
            TimeSpan time => $"{time.TotalSeconds.ToString(CultureInfo.InvariantCulture)} seconds",
            Enum when Written(value).Split(", ") is [.. { Length: > 0 } others, var last] => $"{string.Join(", ", others)} and {last}",
            _ => Written(value),
        };

    /// <summary>A value as it is written in the configuration.</summary>
    private static string Written(object value) =>
        value switch
        {
            bool or Enum => string.Join(", ", value.ToString()!.Split(", ").Select(JsonNamingPolicy.CamelCase.ConvertName)),
            IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString()!,
        };

    private static object Initial(Type type)
    {
        var constructor = type.GetConstructors().MinBy(constructor => constructor.GetParameters().Length)!;
        return constructor.Invoke([.. constructor.GetParameters().Select(parameter => parameter.DefaultValue)]);
    }

    private static string Effect(OnChangeAttribute rule)
    {
        if (rule.Effects.HasFlag(ChangeEffects.Refused))
        {
            return "is refused";
        }

        string?[] effects =
        [
            rule.Effects.HasFlag(ChangeEffects.Validation) ? "is validated first" : null,
            rule.Effects.HasFlag(ChangeEffects.NewPlatform) ? "builds the platform anew" : null,
            rule.Effects.HasFlag(ChangeEffects.EndOfStreams) ? "ends streams" : null,
        ];
        return string.Join(", ", effects.OfType<string>()) + (rule.To is null ? "" : $" when set to `{Written(rule.To)}`");
    }

    [GeneratedRegex("^an? ")]
    private static partial Regex Article();
}

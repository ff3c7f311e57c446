using System.Collections;
using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;

namespace Tenancy.Configuration;

/// <summary>
/// Reads the properties of classes of settings from the configuration. What cannot be read stays as it is, and is a mistake that names the
/// setting, its value and the fix.
/// </summary>
/// <param name="configuration">The root of the application's configuration.</param>
/// <param name="sections">All sections from which classes of settings are read: one may be within another.</param>
internal sealed class SettingsReader(IConfiguration configuration, IReadOnlyList<string> sections)
{
    private readonly List<string> _mistakes = [];

    public IReadOnlyList<string> Mistakes => _mistakes;

    /// <summary>Reads the properties of an object from a section.</summary>
    public void Read(object settings, string section)
    {
        var properties = SettingsType.Settings(settings.GetType()).ToArray();
        RefuseUnknown(section, [.. properties.Select(property => property.Name), .. Within(section)]);
        foreach (var property in properties)
        {
            var path = ConfigurationPath.Combine(section, property.Name);
            if (SettingsType.IsSection(property.PropertyType))
            {
                var inner = property.GetValue(settings) ?? Activator.CreateInstance(property.PropertyType)!;
                Read(inner, path);
                property.SetValue(settings, inner);
            }
            else if (ReadValue(property, path) is { } value)
            {
                property.SetValue(settings, value);
            }
        }
    }

    private void RefuseUnknown(string section, string[] known)
    {
        var all = string.Join(", ", known);
        if (ReadText(section) is not null)
        {
            // The text is not repeated: it may be a secret that belongs one level below.
            _mistakes.Add($"{section} is a section and has no value: set one of its settings, {all}.");
        }

        foreach (var child in configuration.GetSection(section).GetChildren())
        {
            if (!known.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            {
                var suggestion = Spelling.Nearest(child.Key, known) is { } nearest ? $": did you mean {nearest}?" : ".";
                _mistakes.Add($"{child.Path} is not a setting{suggestion} The settings of this section are {all}.");
            }
        }
    }

    /// <summary>The names that other sections have within a section.</summary>
    private IEnumerable<string> Within(string section) =>
        sections
            .Where(other => other.StartsWith(section + ConfigurationPath.KeyDelimiter, StringComparison.OrdinalIgnoreCase))
            .Select(other => other[(section.Length + 1)..].Split(ConfigurationPath.KeyDelimiter)[0]);

    private object? ReadValue(PropertyInfo property, string path)
    {
        var type = property.PropertyType;
        if (SettingText.Of(type) is { } form)
        {
            return type.IsDefined(typeof(FlagsAttribute)) ? ReadFlags(type, form, path) : ReadScalar(property, form, path);
        }

        if (SettingsType.Item(type) is { } item)
        {
            return SettingText.Of(item) is { } itemForm ? ReadList(item, itemForm, path) : ReadRecords(item, path);
        }

        return ConfigurationTree.Read(configuration, path) is { } node ? Record(type, path).Read(node, path, _mistakes) : null;
    }

    private object? ReadScalar(PropertyInfo property, SettingText form, string path)
    {
        if (ReadText(path) is not { } text)
        {
            if (configuration.GetSection(path).GetChildren().Any())
            {
                _mistakes.Add($"{path} is a list or a section: use {form.Form}.");
            }

            return null;
        }

        var value = form.Read(text);
        if (value is null)
        {
            var isSecret = property.GetCustomAttribute<PasswordPropertyTextAttribute>() is { Password: true };
            _mistakes.Add($"{path} {(isSecret ? "cannot be read" : $"is '{text}'")}: use {form.Form}.");
        }

        return value;
    }

    private object? ReadFlags(Type type, SettingText form, string path) =>
        ReadItems(form, path) is { } flags
            ? Enum.ToObject(type, flags.Aggregate(0L, static (all, flag) => all | Convert.ToInt64(flag, CultureInfo.InvariantCulture)))
            : null;

    private Array? ReadList(Type item, SettingText form, string path) => ReadItems(form, path) is { } values ? ToList(values, item) : null;

    /// <summary>A list of values, or one text with commas, as environment variables have it.</summary>
    private List<object>? ReadItems(SettingText form, string path)
    {
        IEnumerable<string> texts;
        switch (ConfigurationTree.Read(configuration, path))
        {
            case null:
                return null;
            case JsonArray list when list.All(item => item is JsonValue):
                texts = list.Select(item => item!.ToString());
                break;
            case JsonValue text:
                texts = text.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
                break;
            default:
                _mistakes.Add($"{path} must be a list of texts.");
                return null;
        }

        var values = new List<object>();
        foreach (var text in texts)
        {
            if (form.Read(text) is { } value)
            {
                values.Add(value);
            }
            else
            {
                _mistakes.Add($"{path} has '{text}': use {form.Form}.");
            }
        }

        return values;
    }

    private Array? ReadRecords(Type item, string path)
    {
        switch (ConfigurationTree.Read(configuration, path))
        {
            // An empty list is an empty text.
            case null or JsonValue:
                return null;
            case JsonArray list:
                var record = Record(item, path);
                var values = list.Select((node, i) => record.Read(node, ConfigurationPath.Combine(path, $"{i}"), _mistakes));
                return ToList([.. values.OfType<object>()], item);
            default:
                _mistakes.Add($"{path} must be a list: put what it has into [ ].");
                return null;
        }
    }

    private string? ReadText(string path) => configuration[path] is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;

    private static ConfiguredRecord Record(Type type, string path) =>
        ConfiguredRecord.Of(type) ?? throw new NotSupportedException($"{path} has the type {type}, which no setting can have.");

    private static Array ToList(List<object> values, Type item)
    {
        var list = Array.CreateInstance(item, values.Count);
        ((ICollection)values).CopyTo(list, 0);
        return list;
    }
}

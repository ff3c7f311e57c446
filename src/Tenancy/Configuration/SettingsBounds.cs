using System.Reflection;

namespace Tenancy.Configuration;

/// <summary>Finds the settings whose values are beyond the bounds that attributes set, whoever set them.</summary>
internal static class SettingsBounds
{
    public static IEnumerable<string> Check(object settings, string section) =>
        SettingsType.Settings(settings.GetType()).SelectMany(property => Check(property.GetValue(settings), property, section));

    private static IEnumerable<string> Check(object? value, PropertyInfo property, string section)
    {
        if (Bounds.Of(property).Explain(value, mayBeLeftOut: true) is { } reason)
        {
            return [$"{section}:{property.Name} {reason}."];
        }

        if (value is null)
        {
            return [];
        }

        return SettingsType.IsSection(property.PropertyType) ? Check(value, $"{section}:{property.Name}")
            : ConfiguredRecord.Of(property.PropertyType) is { } record
                ? RecordFields
                    .Validate(value, record.Form)
                    .Select(error => $"{FieldPath.ToSetting($"{section}:{property.Name}", error.Field)} {error.Message}.")
            : [];
    }
}

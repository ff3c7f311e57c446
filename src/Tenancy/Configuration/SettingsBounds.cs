using System.Text.Json;

namespace Tenancy.Configuration;

/// <summary>Finds the settings whose values are beyond the bounds that attributes set, whoever set them.</summary>
internal static class SettingsBounds
{
    public static IEnumerable<string> Check(object settings, string section)
    {
        foreach (var property in SettingsType.Settings(settings.GetType()))
        {
            var (type, value) = (property.PropertyType, property.GetValue(settings));
            if (Bounds.Of(property).Explain(value, mayBeLeftOut: true) is { } reason)
            {
                yield return $"{section}:{property.Name} {reason}.";
            }

            foreach (var mistake in value is null ? [] : SettingsType.IsSection(type) ? Check(value, $"{section}:{property.Name}") : CheckRecord(value, section, property.Name))
            {
                yield return mistake;
            }
        }
    }

    private static IEnumerable<string> CheckRecord(object value, string section, string name) => SettingsType.Record(value.GetType()) is var (form, _)
        ? RecordFields.Validate(value, form, JsonNamingPolicy.CamelCase.ConvertName(name) + ".").Select(error => $"{section}:{error.Field} {error.Message}.")
        : [];
}

using System.Collections;
using System.Reflection;

namespace Tenancy.Configuration;

/// <summary>What the types of settings say of their form.</summary>
internal static class SettingsType
{
    /// <summary>The properties of a class that are settings.</summary>
    public static IEnumerable<PropertyInfo> Settings(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is { IsPublic: true });

    /// <summary>Whether a setting is a section with settings of its own.</summary>
    public static bool IsSection(Type type) =>
        type.IsClass && !typeof(IEnumerable).IsAssignableFrom(type) && SettingText.Of(type) is null && ConfiguredRecord.Of(type) is null;

    /// <summary>The type of a list's items; null for what is no list.</summary>
    public static Type? Item(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;
}

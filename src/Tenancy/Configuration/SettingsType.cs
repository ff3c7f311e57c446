using System.Collections;
using System.Reflection;
using System.Text.Json.Serialization.Metadata;

namespace Tenancy.Configuration;

/// <summary>What the types of settings say of their form.</summary>
internal static class SettingsType
{
    // Tenants, and what they are made of, have the form that they have wherever they are written. What is read may then become something else.
    private static readonly Dictionary<Type, (JsonTypeInfo Form, Func<object, object> Convert)> Records = new()
    {
        [typeof(TenantAuthentication)] = (ConfigurationJsonContext.Default.TenantAuthentication, static read => read),
        [typeof(TenantLimits)] = (ConfigurationJsonContext.Default.TenantLimits, static read => read),
        [typeof(TenantRegistration)] = (ConfigurationJsonContext.Default.TenantWire, static read => ((TenantWire)read).ToRegistration()),
    };

    /// <summary>The properties of a class that are settings.</summary>
    public static IEnumerable<PropertyInfo> Settings(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is { IsPublic: true });

    /// <summary>Whether a setting is a section with settings of its own.</summary>
    public static bool IsSection(Type type) =>
        type.IsClass && !typeof(IEnumerable).IsAssignableFrom(type) && SettingText.Of(type) is null && Record(type) is null;

    /// <summary>The type of a list's items; null for what is no list.</summary>
    public static Type? Item(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    /// <summary>The JSON form of a setting that is a record; null for what is none.</summary>
    public static (JsonTypeInfo Form, Func<object, object> Convert)? Record(Type type) => Records.TryGetValue(type, out var record) ? record : null;
}

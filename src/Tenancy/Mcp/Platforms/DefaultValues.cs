using System.ComponentModel;
using System.Reflection;

namespace Tenancy.Mcp.Platforms;

/// <summary>What parameters are where nothing is given for them, as the MCP SDK has it.</summary>
internal static class DefaultValues
{
    /// <summary>The default of a parameter; null where it has none, and where that is null or a structure's own.</summary>
    public static object? Of(ParameterInfo parameter)
    {
        if (parameter.GetCustomAttribute<DefaultValueAttribute>(inherit: true) is { } attribute)
        {
            return attribute.Value;
        }

        var value = parameter.HasDefaultValue ? parameter.DefaultValue : null;

        // Reflection gives the default of an enumeration that may be null as its number.
        return value is not null && Nullable.GetUnderlyingType(parameter.ParameterType) is { IsEnum: true } kind
            ? Enum.ToObject(kind, value)
            : value;
    }

    /// <summary>Whether a parameter has a default.</summary>
    public static bool Has(ParameterInfo parameter) =>
        parameter.HasDefaultValue || parameter.IsDefined(typeof(DefaultValueAttribute), true);
}

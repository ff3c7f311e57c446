using System.Reflection;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// The arguments of a method that is a tool. The MCP SDK says of what it cannot read only that it failed; here the argument is named, so
/// that a model can mend its call, and what the tool's schema says holds.
/// </summary>
internal sealed class MethodArguments
{
    private static readonly JsonElement Null = JsonElement.Parse("null");

    private readonly ArgumentSchema _schema;
    private readonly string[] _nullable;
    private readonly ParameterInfo[] _parameters;

    /// <summary>Reads what the MCP SDK says of a method.</summary>
    public MethodArguments(MethodInfo method, Tool tool)
    {
        _schema = ArgumentSchema.Read(tool.InputSchema);
        var required = tool.InputSchema.TryGetProperty("required", out var names)
            ? names.EnumerateArray().Select(name => name.GetString())
            : [];
        _nullable = [.. _schema.Nullable.Intersect(required).OfType<string>()];
        _parameters = [.. method.GetParameters().Where(parameter => HasArgument(tool, parameter))];
    }

    /// <summary>Adds what was left out and may be null.</summary>
    /// <exception cref="McpException">An argument is not as the schema says; the message names it.</exception>
    public void Complete(CallToolRequestParams call)
    {
        if (_schema.FindMistake(call.Arguments) is { } mistake)
        {
            throw new McpException(mistake);
        }

        foreach (var name in _nullable)
        {
            if (call.Arguments?.ContainsKey(name) is not true)
            {
                call.Arguments = call.Arguments is null
                    ? new Dictionary<string, JsonElement>()
                    : new Dictionary<string, JsonElement>(call.Arguments);
                call.Arguments[name] = Null;
            }
        }
    }

    /// <summary>Says which argument the method could not have been called with; null where the mistake is another one.</summary>
    public string? FindUnreadable(CallToolRequestParams call)
    {
        foreach (var parameter in _parameters)
        {
            if (call.Arguments?.TryGetValue(parameter.Name!, out var value) is true && !IsReadable(value, parameter.ParameterType))
            {
                return $"{parameter.Name} has a wrong form.";
            }
        }

        return null;
    }

    private static bool HasArgument(Tool tool, ParameterInfo parameter) =>
        tool.InputSchema.TryGetProperty("properties", out var properties) && properties.TryGetProperty(parameter.Name!, out _);

    /// <summary>Whether a value can be read as an argument of a type.</summary>
    public static bool IsReadable(JsonElement value, Type type)
    {
        try
        {
            value.Deserialize(McpJsonUtilities.DefaultOptions.GetTypeInfo(type));
            return true;
        }
        catch (Exception exception) when (exception is JsonException or FormatException or ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }
}

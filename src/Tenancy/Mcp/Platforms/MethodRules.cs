using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// Looks whether all that a method says of its arguments and its result can be said in a schema. What cannot would fail at each call, or
/// would not hold.
/// </summary>
internal sealed class MethodRules(MethodInfo method, string tool)
{
    private const string Date = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])";
    private const string Hour = "(?:[01][0-9]|2[0-3])";
    private const string Sixty = "[0-5][0-9]";

    /// <summary>Looks at parameters and result.</summary>
    /// <exception cref="InvalidOperationException">Something cannot be described; the message names it.</exception>
    public void Check()
    {
        foreach (var parameter in method.GetParameters())
        {
            if (Explain(RulesOf(parameter), parameter.ParameterType, parameter.Name!) is { } refusal)
            {
                throw Refuse(refusal);
            }
        }

        if (
            MethodResults.ResultOf(method.ReturnType) is { IsGenericType: true } result
            && result.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>)
        )
        {
            throw Refuse("it returns an IAsyncEnumerable, and a result is written in one piece: return a list.");
        }

        if (method.ReturnType == typeof(void) && method.IsDefined(typeof(AsyncStateMachineAttribute)))
        {
            throw Refuse("it is async and returns nothing, so that it is answered before it has run: return a Task.");
        }
    }

    /// <summary>Looks at what was noted of the members of the types of parameters.</summary>
    /// <exception cref="UndescribableException">Something cannot be described; the message names it.</exception>
    public void CheckArguments(JsonElement schema)
    {
        if (JsonNode.Parse(schema.GetRawText()) is JsonObject root && TypeRules.FindRefusal(root) is { } refusal)
        {
            throw Refuse(refusal);
        }
    }

    /// <summary>Notes what types and attributes say of members, as their schemas are made.</summary>
    public static JsonNode NoteMember(AIJsonSchemaCreateContext context, JsonNode schema)
    {
        if (context.PropertyInfo is { } property)
        {
            // Of a record's parameter the compiler leaves the attributes there, and gives none to the property.
            ValidationAttribute[] rules = [.. RulesOf(context.PropertyAttributeProvider), .. RulesOf(context.ParameterAttributeProvider)];
            if (schema is JsonObject member)
            {
                NullAgreement.Note(member, property);
                TypeRules.NoteMember(member, property);

                ToolSchema.NoteRequired(member, rules.OfType<RequiredAttribute>().FirstOrDefault());
                AttributeRules.Apply(member, context.TypeInfo.Type, rules);
                if (Array.Exists(rules, rule => rule is not RequiredAttribute))
                {
                    TypeRules.NoteAttributes(
                        member,
                        Explain(rules, context.TypeInfo.Type, $"{context.DeclaringType?.Name}.{property.Name}")
                    );
                }

                ToolSchema.NoteWriting(member, Find<JsonIgnoreAttribute>(context.PropertyAttributeProvider)?.Condition);
            }
        }

        if (schema is JsonObject described)
        {
            var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
            DescribeForm(described, type);
            TypeRules.NoteType(described, context.TypeInfo);
            if (context.TypeInfo.Kind == JsonTypeInfoKind.Object && type.IsValueType && type.IsAssignableTo(typeof(ITuple)))
            {
                // What it has are fields, which are neither read nor written: all of it would be lost.
                described["$comment"] = ToolSchema.Unsupported;
            }
        }

        return schema;
    }

    // The formats that .NET lists are not those of its own texts: a date-time and a time have an offset in a schema (RFC 3339), which the
    // types need not have, and a Uri may be relative.
    internal static void DescribeForm(JsonObject schema, Type type)
    {
        if (type == typeof(DateTime) && schema.Remove("format"))
        {
            schema["pattern"] = $"^{Date}(?:T{Hour}:{Sixty}(?::{Sixty}(?:\\.[0-9]{{1,16}})?)?(?:Z|[+-]{Hour}:{Sixty})?)?$";
        }
        else if (type == typeof(TimeOnly) && schema.Remove("format"))
        {
            schema["pattern"] = $"^{Hour}:{Sixty}:{Sixty}(?:\\.[0-9]{{1,7}})?$";
        }
        else if (type == typeof(Uri) && schema.ContainsKey("format"))
        {
            schema["format"] = "uri-reference";
        }
        else if (type == typeof(byte[]) || type == typeof(Memory<byte>) || type == typeof(ReadOnlyMemory<byte>))
        {
            schema["contentEncoding"] = "base64";
        }
    }

    private UndescribableException Refuse(string why) => new($"tool '{tool}' of {method.DeclaringType!.Name}.{method.Name}", why);

    private static T? Find<T>(ICustomAttributeProvider? member)
        where T : Attribute => member?.GetCustomAttributes(typeof(T), inherit: true) is [T found, ..] ? found : null;

    private static string? Explain(IEnumerable<ValidationAttribute> rules, Type type, string place) =>
        rules
            .Select(rule =>
                AttributeRules.Explain(rule, type) is { } why
                    ? $"{place} has [{rule.GetType().Name.Replace("Attribute", "", StringComparison.Ordinal)}], {why}."
                    : null
            )
            .FirstOrDefault(refusal => refusal is not null);

    private static IEnumerable<ValidationAttribute> RulesOf(ICustomAttributeProvider? member) =>
        member?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true).Cast<ValidationAttribute>() ?? [];
}

using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Runtime.CompilerServices;
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

    private readonly HashSet<string> _patterns =
    [
        .. method.GetParameters().Select(parameter => parameter.GetCustomAttribute<RegularExpressionAttribute>()?.Pattern).OfType<string>(),
    ];

    /// <summary>Looks at parameters and result.</summary>
    /// <exception cref="InvalidOperationException">Something cannot be described; the message names it.</exception>
    public void Check()
    {
        foreach (var parameter in method.GetParameters())
        {
            Check(parameter, parameter.Name!);
        }

        if (Result(method.ReturnType) is { IsGenericType: true } result && result.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>))
        {
            throw new InvalidOperationException(
                $"The tool '{tool}' cannot be described: {method.DeclaringType!.Name}.{method.Name} returns an IAsyncEnumerable, and a "
                    + "result is written in one piece: return a list."
            );
        }
    }

    /// <summary>Looks at the members of the types of parameters and result, as their schemas are made.</summary>
    public JsonNode CheckMember(AIJsonSchemaCreateContext context, JsonNode schema)
    {
        if (context.PropertyInfo is { } property)
        {
            var place = $"{context.DeclaringType?.Name}.{property.Name}";
            Check(context.PropertyAttributeProvider, place);
            Check(context.ParameterAttributeProvider, place);
            if (schema is JsonObject member)
            {
                NullAgreement.Note(member, property);
                TypeRules.NoteMember(member, property);

                // Of a record's parameter the compiler leaves the attribute there, and gives none to the property.
                ToolSchema.NoteRequired(
                    member,
                    Find<RequiredAttribute>(context.PropertyAttributeProvider)
                        ?? Find<RequiredAttribute>(context.ParameterAttributeProvider)
                );
                ToolSchema.NoteWriting(member, Find<JsonIgnoreAttribute>(context.PropertyAttributeProvider)?.Condition);
            }
        }

        if (schema is JsonObject described)
        {
            if (PatternOf(context, described) is { } pattern)
            {
                described["pattern"] = Whole(pattern);
            }

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

    // The attributes of a parameter are no part of the context of its schema: that the pattern is one of theirs is all that can be known.
    private string? PatternOf(AIJsonSchemaCreateContext context, JsonObject schema) =>
        context.GetCustomAttribute<RegularExpressionAttribute>(inherit: true)?.Pattern
        ?? (context.Path.IsEmpty && schema["pattern"]?.ToString() is { } own && _patterns.Contains(own) ? own : null);

    // The attribute asks for all of a text, and a schema's pattern for any part of it.
    private static string Whole(string pattern) =>
        pattern is ['^', .., '$'] && !pattern.Contains('|', StringComparison.Ordinal) ? pattern : $"^(?:{pattern})$";

    private static T? Find<T>(ICustomAttributeProvider? member)
        where T : Attribute => member?.GetCustomAttributes(typeof(T), inherit: true) is [T found, ..] ? found : null;

    private void Check(ICustomAttributeProvider? member, string place)
    {
        if (
            member
                ?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true)
                .FirstOrDefault(rule => !IsListed((ValidationAttribute)rule)) is
            { } rule
        )
        {
            throw new InvalidOperationException(
                $"The tool '{tool}' cannot be described: {place} has "
                    + $"[{rule.GetType().Name.Replace("Attribute", "", StringComparison.Ordinal)}], which no JSON schema can say: use "
                    + "another attribute of System.ComponentModel.DataAnnotations, or check it in the method."
            );
        }
    }

    private static Type Result(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() is var open && (open == typeof(Task<>) || open == typeof(ValueTask<>))
            ? type.GenericTypeArguments[0]
            : type;

    // What Microsoft.Extensions.AI writes into schemas. A rule that derives from one of these may check something of its own.
    private static bool IsListed(ValidationAttribute rule) =>
        rule.GetType().Assembly == typeof(ValidationAttribute).Assembly
            && rule
                is RequiredAttribute
                    or RangeAttribute { Minimum: int or double }
                    or MinLengthAttribute
                    or MaxLengthAttribute
                    or LengthAttribute
                    or StringLengthAttribute
                    or RegularExpressionAttribute
                    or AllowedValuesAttribute
                    or DeniedValuesAttribute
                    or EmailAddressAttribute
                    or UrlAttribute
                    or Base64StringAttribute
        || rule.GetType() == typeof(DataTypeAttribute);
}

using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Security.Claims;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tenancy.Mcp.Platforms;

/// <summary>
/// Looks at the methods that are prompts and resources. What they are called with are texts, the arguments of a prompt (MCP, prompts/get)
/// and the variables of a URI (RFC 6570): a method that could never be called by them, or never answered with what it returns, stops the
/// start.
/// </summary>
internal static partial class TextPrimitives
{
    private static readonly Type[] PromptResults = [typeof(string), typeof(GetPromptResult), typeof(PromptMessage), typeof(ChatMessage)];

    private static readonly Type[] ResourceResults =
    [
        typeof(string),
        typeof(ReadResourceResult),
        typeof(ResourceContents),
        typeof(AIContent),
    ];

    /// <summary>Looks at a prompt.</summary>
    /// <exception cref="UndescribableException">It can never be called.</exception>
    public static void Check(Prompt prompt, MethodInfo method)
    {
        var what = $"prompt '{prompt.Name}'";
        CheckResult(what, method, PromptResults, [typeof(PromptMessage), typeof(ChatMessage)]);
        var arguments = (prompt.Arguments ?? []).Select(argument => argument.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var parameter in method.GetParameters().Where(parameter => arguments.Contains(parameter.Name!)))
        {
            CheckText(what, parameter, "the arguments of prompts");
        }

        // As an argument of a tool may be left out.
        foreach (var argument in prompt.Arguments ?? [])
        {
            argument.Required &= !Array.Exists(method.GetParameters(), parameter =>
                parameter.Name == argument.Name && MayBeNull(parameter)
            );
        }
    }

    /// <summary>Looks at a resource.</summary>
    /// <exception cref="UndescribableException">It can never be read.</exception>
    public static void Check(ResourceTemplate resource, MethodInfo method, IServiceProviderIsService known)
    {
        var what = $"resource '{resource.UriTemplate}'";
        CheckResult(what, method, ResourceResults, ResourceResults);
        if (!Uri.TryCreate(Expression().Replace(resource.UriTemplate, "1"), UriKind.Absolute, out _))
        {
            throw new UndescribableException(what, "its URI is no absolute one, such as shop://shelves/{number}.");
        }

        var expressions = Expression().Matches(resource.UriTemplate).Select(expression => expression.Value).ToArray();
        var variables = Names(expressions);
        var optional = Names(expressions.Where(expression => expression is ['{', '?' or '&', ..]));
        foreach (var parameter in method.GetParameters().Where(parameter => IsArgument(parameter, known)))
        {
            if (variables.Contains(parameter.Name!))
            {
                CheckText(what, parameter, "the variables of URIs");
                if (optional.Contains(parameter.Name!) && !parameter.HasDefaultValue)
                {
                    throw new UndescribableException(
                        what,
                        $"'{parameter.Name}' may be left out of its URI: give the parameter a default, such as null."
                    );
                }
            }
            else if (!parameter.HasDefaultValue)
            {
                throw new UndescribableException(
                    what,
                    $"its URI has no variable '{parameter.Name}': name one so, as in {{{parameter.Name}}}, or give the parameter a default."
                );
            }
        }
    }

    /// <summary>Whether a parameter may be null, so that it may be left out.</summary>
    public static bool MayBeNull(ParameterInfo parameter) =>
        Nullable.GetUnderlyingType(parameter.ParameterType) is not null
        || (!parameter.ParameterType.IsValueType && new NullabilityInfoContext().Create(parameter).ReadState == NullabilityState.Nullable);

    /// <summary>What a parameter's validation attributes say of a value that it has; null where nothing is wrong.</summary>
    public static string? Explain(ParameterInfo parameter, object? value)
    {
        var context = new ValidationContext(parameter) { MemberName = parameter.Name, DisplayName = parameter.Name! };
        return parameter
            .GetCustomAttributes<ValidationAttribute>()
            .Select(rule => rule.GetValidationResult(value, context)?.ErrorMessage)
            .FirstOrDefault(mistake => mistake is not null);
    }

    private static void CheckText(string what, ParameterInfo parameter, string texts)
    {
        if (MethodArguments.Options.GetTypeInfo(parameter.ParameterType).Kind != JsonTypeInfoKind.None)
        {
            throw new UndescribableException(
                what,
                $"its parameter '{parameter.Name}' is a list or an object, and {texts} are texts. Use a text, a number, a truth value "
                    + "or an enumeration."
            );
        }
    }

    private static void CheckResult(string what, MethodInfo method, Type[] known, Type[] knownItems)
    {
        var type = MethodResults.ResultOf(method.ReturnType);
        var items = type.GetInterfaces()
            .Append(type)
            .Where(one => one.IsGenericType && one.GetGenericTypeDefinition() == typeof(IEnumerable<>))
            .Select(one => one.GenericTypeArguments[0]);
        if (!IsAmong(type, known) && !items.Any(item => IsAmong(item, knownItems)))
        {
            throw new UndescribableException(
                what,
                $"{method.DeclaringType!.Name}.{method.Name} returns {type.Name}: return "
                    + $"{string.Join(" or ", known.Select(one => one.Name))}."
            );
        }
    }

    private static HashSet<string> Names(IEnumerable<string> expressions) =>
        expressions.SelectMany(expression => Name().Matches(expression)).Select(name => name.Value).ToHashSet(StringComparer.Ordinal);

    private static bool IsAmong(Type type, Type[] known) =>
        Array.Exists(known, one => type.IsAssignableTo(one) || type.IsAssignableFrom(one));

    private static bool IsArgument(ParameterInfo parameter, IServiceProviderIsService known)
    {
        var type = parameter.ParameterType;
        return type != typeof(McpServer)
            && type != typeof(IServiceProvider)
            && type != typeof(CancellationToken)
            && type != typeof(ToolContext)
            && type != typeof(ClaimsPrincipal)
            && type != typeof(IProgress<ProgressNotificationValue>)
            && !(type.IsGenericType && type.GetGenericTypeDefinition() == typeof(RequestContext<>))
            && !known.IsService(type)
            && !parameter.IsDefined(typeof(FromKeyedServicesAttribute));
    }

    [GeneratedRegex(@"\{[^{}]*\}")]
    private static partial Regex Expression();

    [GeneratedRegex(@"[A-Za-z0-9_.%]+(?=[,:*}])")]
    private static partial Regex Name();
}

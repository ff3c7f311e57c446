using System.Buffers;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp.Platforms;

/// <summary>What a method that is a tool returns, as an answer: as the MCP SDK makes one of it.</summary>
internal sealed class MethodResults
{
    private static readonly JsonTypeInfo AnyType = McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(object));
    private readonly bool _isStructured;
    private readonly bool _isWrapped;
    private readonly Func<object?, ValueTask<object?>> _await;

    public MethodResults(MethodInfo method, Tool tool)
    {
        _isStructured = tool.OutputSchema is not null;
        _isWrapped = tool.OutputSchema is { } schema && ObjectOutput.MustWrap(schema);
        _await = Awaiter(method.ReturnType);
        IsAwaited = _await != Give;
    }

    /// <summary>
    /// Whether no schema is listed of what a method returns: it is the answer itself, or JSON that may be null, of which no structured
    /// content is sent then.
    /// </summary>
    public static bool HasNoSchema(MethodInfo method) =>
        ResultOf(method.ReturnType) is var type
        && (
            type.IsAssignableTo(typeof(CallToolResult))
            || (type.IsAssignableTo(typeof(JsonNode)) && NullAgreement.Result(method)?.ReadState == NullabilityState.Nullable)
        );

    /// <summary>Gets whether the method may return before it has a result.</summary>
    public bool IsAwaited { get; }

    /// <summary>Waits for what a method returned.</summary>
    public ValueTask<object?> AwaitAsync(object? returned) => _await(returned);

    /// <summary>The answer.</summary>
    /// <param name="result">What the method returned, awaited.</param>
    /// <param name="isModern">Whether the client speaks 2026-07-28 or later; before that structured content is an object.</param>
    public ToolAnswer Answer(object? result, bool isModern)
    {
        var isWrapped = _isWrapped && !isModern;
        return result switch
        {
            CallToolResult own => ToolAnswer.FromResult(own),
            null => FromBlocks([], result, isWrapped),
            string text => FromBlocks([new TextContentBlock { Text = text }], result, isWrapped),
            ContentBlock block => FromBlocks([block], result, isWrapped),
            AIContent content => FromBlocks([content.ToContentBlock()], result, isWrapped, content is ErrorContent),
            IEnumerable<AIContent> contents => FromContents([.. contents], result, isWrapped),
            IEnumerable<ContentBlock> blocks => FromBlocks([.. blocks], result, isWrapped),
            _ => new JsonAnswer(result, _isStructured, _isWrapped),
        };
    }

    private ToolAnswer FromContents(AIContent[] contents, object result, bool isWrapped) =>
        FromBlocks(
            [.. contents.Select(content => content.ToContentBlock())],
            result,
            isWrapped,
            contents.Length > 0 && Array.TrueForAll(contents, content => content is ErrorContent)
        );

    private ToolAnswer FromBlocks(ContentBlock[] blocks, object? result, bool isWrapped, bool? isError = null) =>
        ToolAnswer.FromResult(
            new()
            {
                Content = blocks,
                StructuredContent = _isStructured ? Structure(result, isWrapped) : null,
                IsError = isError,
            }
        );

    private static JsonElement? Structure(object? result, bool isWrapped) =>
        isWrapped
            ? JsonSerializer.SerializeToElement(
                new JsonObject { ["result"] = JsonSerializer.SerializeToNode(result, AnyType) },
                ToolJson.Default.JsonObject
            )
        : result is null ? null
        : JsonSerializer.SerializeToElement(result, AnyType);

    /// <summary>What a method returns, once it is awaited.</summary>
    public static Type ResultOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() is var open && (open == typeof(Task<>) || open == typeof(ValueTask<>))
            ? type.GenericTypeArguments[0]
            : type;

    private static Func<object?, ValueTask<object?>> Awaiter(Type type)
    {
        if (type.IsGenericType && type.GetGenericTypeDefinition() is var open && (open == typeof(Task<>) || open == typeof(ValueTask<>)))
        {
            var name = open == typeof(Task<>) ? nameof(AwaitTaskOfAsync) : nameof(AwaitValueTaskOfAsync);
            return typeof(MethodResults)
                .GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!
                .MakeGenericMethod(type.GenericTypeArguments[0])
                .CreateDelegate<Func<object?, ValueTask<object?>>>();
        }

        return type == typeof(Task) ? AwaitTaskAsync
            : type == typeof(ValueTask) ? AwaitValueTaskAsync
            : Give;
    }

    private static ValueTask<object?> Give(object? returned) => new(returned);

    private static async ValueTask<object?> AwaitTaskOfAsync<T>(object? returned) => await (Task<T>)NotNull(returned);

    private static async ValueTask<object?> AwaitValueTaskOfAsync<T>(object? returned) => await (ValueTask<T>)NotNull(returned);

    private static async ValueTask<object?> AwaitTaskAsync(object? returned)
    {
        await (Task)NotNull(returned);
        return null;
    }

    private static async ValueTask<object?> AwaitValueTaskAsync(object? returned)
    {
        await (ValueTask)NotNull(returned);
        return null;
    }

    private static object NotNull(object? returned) => returned ?? throw new InvalidOperationException("The method returned no task.");

    /// <summary>A result that is JSON: written once, for the text and for what is structured.</summary>
    private sealed class JsonAnswer(object result, bool isStructured, bool isWrapped) : ToolAnswer
    {
        internal override bool IsStructured => isStructured;

        internal override bool IsWrapped => isWrapped;

        internal override bool SaysSuccess => false;

        public override void WriteTo(IBufferWriter<byte> output)
        {
            using var writer = new Utf8JsonWriter(output);
            JsonSerializer.Serialize(writer, result, AnyType);
        }
    }
}

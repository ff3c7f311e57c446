using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp.Requests;

/// <summary>
/// Whether the MCP SDK can read what a message carries. What it cannot read it answers as if the server had failed, or not at all.
/// </summary>
internal static class MessageParameters
{
#pragma warning disable MCP9005 // Methods that later revisions do without are asked for by clients of earlier ones.
    private static readonly FrozenDictionary<string, JsonTypeInfo> Types = new Dictionary<string, JsonTypeInfo>
    {
        [RequestMethods.Initialize] = TypeOf<InitializeRequestParams>(),
        [RequestMethods.ToolsList] = TypeOf<ListToolsRequestParams>(),
        [RequestMethods.ToolsCall] = TypeOf<CallToolRequestParams>(),
        [RequestMethods.PromptsList] = TypeOf<ListPromptsRequestParams>(),
        [RequestMethods.PromptsGet] = TypeOf<GetPromptRequestParams>(),
        [RequestMethods.ResourcesList] = TypeOf<ListResourcesRequestParams>(),
        [RequestMethods.ResourcesTemplatesList] = TypeOf<ListResourceTemplatesRequestParams>(),
        [RequestMethods.ResourcesRead] = TypeOf<ReadResourceRequestParams>(),
        [RequestMethods.ResourcesSubscribe] = TypeOf<SubscribeRequestParams>(),
        [RequestMethods.ResourcesUnsubscribe] = TypeOf<UnsubscribeRequestParams>(),
        [RequestMethods.CompletionComplete] = TypeOf<CompleteRequestParams>(),
        [RequestMethods.LoggingSetLevel] = TypeOf<SetLevelRequestParams>(),
        [RequestMethods.SubscriptionsListen] = TypeOf<SubscriptionsListenRequestParams>(),
    }.ToFrozenDictionary(StringComparer.Ordinal);
#pragma warning restore MCP9005

    private static readonly JsonTypeInfo AnswerType = TypeOf<JsonRpcMessage>();

    /// <summary>Whether the parameters of a message are those that its method takes.</summary>
    /// <param name="method">The method.</param>
    /// <param name="parameters">The parameters; empty where there are none.</param>
    /// <param name="isModern">Whether the message is of 2026-07-28, for which the SDK says of some methods that they are gone.</param>
    public static bool AreReadable(string method, ReadOnlySpan<byte> parameters, bool isModern) =>
        !Types.TryGetValue(method, out var type)
        || (isModern && IsGone(method))
        || (IsReadable(parameters.IsEmpty ? "{}"u8 : parameters, type) && (method != McpRequest.SetLogLevel || NamesLevel(parameters)));

    /// <summary>Whether a message is an answer to a question of the server's.</summary>
    public static bool IsAnswer(ReadOnlySpan<byte> message) => IsReadable(message, AnswerType);

#pragma warning disable MCP9005 // As above.
    private static bool IsGone(string method) =>
        method
            is RequestMethods.Initialize
                or RequestMethods.LoggingSetLevel
                or RequestMethods.ResourcesSubscribe
                or RequestMethods.ResourcesUnsubscribe;
#pragma warning restore MCP9005

    private static bool IsReadable(ReadOnlySpan<byte> json, JsonTypeInfo type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) is { } value && !LacksSomething(value);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    // The serializer takes a number for the name of a level, which MCP does not.
    private static bool NamesLevel(ReadOnlySpan<byte> parameters) =>
        JsonElement.Parse(parameters).TryGetProperty("level", out var level) && level.ValueKind == JsonValueKind.String;

    // Null where there must be something: the serializer takes it, and whoever uses it fails.
    private static bool LacksSomething(object value) =>
        value
            is InitializeRequestParams { ProtocolVersion: null }
                or InitializeRequestParams { ClientInfo: null }
                or CallToolRequestParams { Name: null }
                or GetPromptRequestParams { Name: null }
                or ReadResourceRequestParams { Uri: null }
                or SubscribeRequestParams { Uri: null }
                or UnsubscribeRequestParams { Uri: null }
                or SubscriptionsListenRequestParams { Notifications: null }
                or CompleteRequestParams { Ref: null or PromptReference { Name: null } or ResourceTemplateReference { Uri: null } }
                or CompleteRequestParams { Argument: null or { Name: null } or { Value: null } };

    private static JsonTypeInfo TypeOf<T>() => McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(T));
}

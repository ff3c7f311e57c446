using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace McpFixtures.Tasks;

/// <summary>A task as its caller sees it (SEP-2663).</summary>
internal sealed class TaskDescription : Result
{
    public static JsonTypeInfo<TaskDescription> Type { get; } =
        (JsonTypeInfo<TaskDescription>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(TaskDescription));

    public required string TaskId { get; init; }

    public required string Status { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset LastUpdatedAt { get; init; }

    // Null says without end, and has to be said.
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? TtlMs { get; init; }

    public int PollIntervalMs { get; init; } = 50;

    public CallToolResult? Result { get; init; }

    public JsonRpcErrorDetail? Error { get; init; }

    public IReadOnlyDictionary<string, InputRequest>? InputRequests { get; init; }
}

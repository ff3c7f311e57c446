using System.Buffers;
using System.Text;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp;

/// <summary>
/// What a tool answers: one JSON object, which stands in the answer twice, as structured content and as a text for models.
/// </summary>
public abstract class ToolAnswer
{
    /// <summary>
    /// The most bytes of the JSON object: 4 MiB. It stands in the answer twice, and who calls may have many answers under way.
    /// </summary>
    internal const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>Gets whether the answer says that the call failed.</summary>
    public bool IsError { get; init; }

    /// <summary>
    /// Gets the result as the MCP SDK has it, where a tool made one of its own; null where it is what <see cref="WriteTo"/> writes.
    /// </summary>
    internal virtual CallToolResult? Result => null;

    /// <summary>An answer that is written already.</summary>
    /// <param name="json">One JSON object, in UTF-8 and without line ends.</param>
    /// <param name="isError">Whether it says that the call failed.</param>
    public static ToolAnswer FromJson(ReadOnlyMemory<byte> json, bool isError = false) => new WrittenAnswer(json) { IsError = isError };

    /// <summary>An answer as the MCP SDK has it, such as one that is no JSON object.</summary>
    public static ToolAnswer FromResult(CallToolResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return new ResultAnswer(result) { IsError = result.IsError is true };
    }

    /// <summary>Writes the JSON object, in UTF-8 and without line ends. It is called once, and nothing is awaited meanwhile.</summary>
    public abstract void WriteTo(IBufferWriter<byte> output);

    /// <summary>Writes the answer now, so that what cannot be answered is known before anything is committed.</summary>
    /// <exception cref="AnswerTooLargeException">It has too many bytes.</exception>
    internal ToolAnswer Settle()
    {
        if (Result is { } result)
        {
            AnswerTooLargeException.ThrowIf(
                JsonSerializer.SerializeToUtf8Bytes(result, McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(CallToolResult))).Length,
                2 * MaxBytes
            );
            return this;
        }

        var output = new ArrayBufferWriter<byte>();
        WriteTo(output);
        AnswerTooLargeException.ThrowIf(output.WrittenCount, MaxBytes);
        return FromJson(output.WrittenMemory, IsError);
    }

    /// <summary>The answer as the MCP SDK has it.</summary>
    /// <exception cref="AnswerTooLargeException">It has too many bytes.</exception>
    internal CallToolResult ToResult()
    {
        if (Result is { } result)
        {
            return result;
        }

        var output = new ArrayBufferWriter<byte>();
        WriteTo(output);
        AnswerTooLargeException.ThrowIf(output.WrittenCount, MaxBytes);
        return new()
        {
            IsError = IsError,
            StructuredContent = JsonElement.Parse(output.WrittenSpan),
            Content = [new TextContentBlock { Text = Encoding.UTF8.GetString(output.WrittenSpan) }],
        };
    }

    private sealed class ResultAnswer(CallToolResult result) : ToolAnswer
    {
        internal override CallToolResult Result => result;

        public override void WriteTo(IBufferWriter<byte> output) => throw new NotSupportedException("The result is written as a whole.");
    }

    private sealed class WrittenAnswer(ReadOnlyMemory<byte> json) : ToolAnswer
    {
        public override void WriteTo(IBufferWriter<byte> output) => output.Write(json.Span);
    }
}

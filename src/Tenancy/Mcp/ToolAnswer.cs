using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
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

    /// <summary>Gets whether the JSON stands in the answer as structured content, and not only as a text.</summary>
    internal virtual bool IsStructured => true;

    /// <summary>Gets whether structured content is put into an object for clients before 2026-07-28, as its member "result".</summary>
    internal virtual bool IsWrapped => false;

    /// <summary>Gets whether the answer says that the call did not fail, too, where it did not.</summary>
    internal virtual bool SaysSuccess => true;

    /// <summary>Gets the most bytes that <see cref="WriteTo"/> may write.</summary>
    internal int MostBytes => Result is null && IsStructured ? MaxBytes : 2 * MaxBytes;

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

    /// <summary>Writes the answer for nobody, to know before anything is committed whether somebody else will be able to.</summary>
    /// <returns>How many bytes it has.</returns>
    /// <exception cref="AnswerTooLargeException">It has too many bytes.</exception>
    internal long ThrowIfTooLarge()
    {
        var output = new ArrayBufferWriter<byte>();
        WriteTo(output);
        AnswerTooLargeException.ThrowIf(output.WrittenCount, MostBytes);
        return output.WrittenCount;
    }

    /// <summary>The answer as the MCP SDK has it. It is written for that, so that this is called once, too.</summary>
    /// <param name="bytes">How many bytes of JSON the tool answered.</param>
    /// <exception cref="AnswerTooLargeException">It has too many bytes.</exception>
    internal CallToolResult ToResult(out long bytes)
    {
        if (Result is { } result)
        {
            bytes = Measure(result);
            return result;
        }

        var output = new ArrayBufferWriter<byte>();
        WriteTo(output);
        AnswerTooLargeException.ThrowIf(output.WrittenCount, MostBytes);
        bytes = output.WrittenCount;
        return new()
        {
            IsError = IsError,
            StructuredContent = JsonElement.Parse(output.WrittenSpan),
            Content = [new TextContentBlock { Text = Encoding.UTF8.GetString(output.WrittenSpan) }],
        };
    }

    /// <summary>
    /// How many bytes of JSON a tool answered by a result of the MCP SDK's: what is structured stands in it as JSON. Anything else is
    /// written once for nobody.
    /// </summary>
    internal static long Measure(CallToolResult result)
    {
        if (result.StructuredContent is { ValueKind: not JsonValueKind.Undefined } json)
        {
            return JsonMarshal.GetRawUtf8Value(json).Length;
        }

        using var writer = new Utf8JsonWriter(Stream.Null);
        JsonSerializer.Serialize(writer, result, ResultAnswer.ResultType);
        writer.Flush();
        return writer.BytesCommitted;
    }

    private sealed class ResultAnswer(CallToolResult result) : ToolAnswer
    {
        internal static readonly JsonTypeInfo ResultType = McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(CallToolResult));

        internal override CallToolResult Result => result;

        // All of the result: content, structured content and what else it has.
        public override void WriteTo(IBufferWriter<byte> output)
        {
            using var writer = new Utf8JsonWriter(output);
            JsonSerializer.Serialize(writer, result, ResultType);
        }
    }

    private sealed class WrittenAnswer(ReadOnlyMemory<byte> json) : ToolAnswer
    {
        public override void WriteTo(IBufferWriter<byte> output) => output.Write(json.Span);
    }
}

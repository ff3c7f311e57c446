using System.Buffers;
using ModelContextProtocol.Protocol;

namespace Tenancy.Mcp.Direct;

/// <summary>An answer whose JSON is written, so that nothing can keep it from being sent once its call is committed.</summary>
internal sealed class SettledAnswer : ToolAnswer
{
    private readonly ToolAnswer _answer;

    public SettledAnswer(ToolAnswer answer, ReadOnlyMemory<byte> json)
    {
        (_answer, Json) = (answer, json);
        IsError = answer.IsError;
    }

    public ReadOnlyMemory<byte> Json { get; }

    internal override CallToolResult? Result => _answer.Result;

    internal override bool IsStructured => _answer.IsStructured;

    internal override bool IsWrapped => _answer.IsWrapped;

    internal override bool SaysSuccess => _answer.SaysSuccess;

    public override void WriteTo(IBufferWriter<byte> output) => output.Write(Json.Span);
}

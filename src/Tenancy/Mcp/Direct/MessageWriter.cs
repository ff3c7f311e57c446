using System.Buffers;
using System.IO.Pipelines;

namespace Tenancy.Mcp.Direct;

/// <summary>Writes a message whose length is known into the body of a response.</summary>
internal ref struct MessageWriter
{
    // Of a larger one the pipe would have to make a block that no other answer uses.
    private const int MaxSpan = 64 * 1024;

    private static readonly SearchValues<byte> Marks = SearchValues.Create((byte)'"', (byte)'\\');

    private readonly PipeWriter _output;
    private readonly byte[]? _rented;
    private readonly Span<byte> _span;
    private int _length;

    public MessageWriter(PipeWriter output, int length)
    {
        _output = output;
        _rented = length > MaxSpan ? ArrayPool<byte>.Shared.Rent(length) : null;
        _span = _rented ?? output.GetSpan(length);
    }

    /// <summary>Gets a quote as the MCP SDK escapes it.</summary>
    public static ReadOnlySpan<byte> Quote => "\\u0022"u8;

    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_span[_length..]);
        _length += bytes.Length;
    }

    /// <summary>Writes JSON as what stands in a JSON text. JSON without line ends has no other characters that need it: control characters are escaped in it.</summary>
    public void WriteEscaped(scoped ReadOnlySpan<byte> json)
    {
        for (int next; (next = json.IndexOfAny(Marks)) >= 0; json = json[(next + 1)..])
        {
            Write(json[..next]);
            Write(json[next] == (byte)'"' ? Quote : "\\\\"u8);
        }

        Write(json);
    }

    /// <summary>Hands what was written to the response.</summary>
    public readonly void Complete()
    {
        if (_rented is null)
        {
            _output.Advance(_length);
            return;
        }

        _output.Write(_rented.AsSpan(0, _length));
        ArrayPool<byte>.Shared.Return(_rented);
    }
}

using System.Buffers;
using System.IO.Pipelines;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace Tenancy.Mcp.Direct;

/// <summary>Writes a message whose length is known into the body of a response.</summary>
internal ref struct MessageWriter
{
    // Of a larger one the pipe would have to make a block that no other answer uses.
    private const int MaxSpan = 64 * 1024;

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

    /// <summary>
    /// Writes JSON as what stands in a JSON text. JSON without control characters between its tokens has no other characters that need it:
    /// within its texts they are escaped.
    /// </summary>
    /// <remarks>
    /// There is a quote every few bytes, so that a search for each would cost more than the copying: a block is copied as it is, and cut
    /// where a mark is in it.
    /// </remarks>
    public void WriteEscaped(scoped ReadOnlySpan<byte> json)
    {
        // All 16 bytes of a block are copied, and then only those before the first mark count: what was copied beyond it is overwritten by
        // what follows. So the last blocks, which have nothing after them to write into, are not copied like this.
        while (json.Length >= 2 * Vector128<byte>.Count)
        {
            var block = Vector128.Create(json);
            block.CopyTo(_span[_length..]);
            var marks = (
                Vector128.Equals(block, Vector128.Create((byte)'"')) | Vector128.Equals(block, Vector128.Create((byte)'\\'))
            ).ExtractMostSignificantBits();
            if (marks == 0)
            {
                _length += Vector128<byte>.Count;
                json = json[Vector128<byte>.Count..];
                continue;
            }

            var clean = BitOperations.TrailingZeroCount(marks);
            _length += clean;
            WriteMark(json[clean]);
            json = json[(clean + 1)..];
        }

        foreach (var one in json)
        {
            if (one is (byte)'"' or (byte)'\\')
            {
                WriteMark(one);
            }
            else
            {
                _span[_length++] = one;
            }
        }
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

    private void WriteMark(byte mark) => Write(mark == (byte)'"' ? Quote : "\\\\"u8);
}

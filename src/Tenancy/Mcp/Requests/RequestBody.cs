using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Tenancy.Mcp.Requests;

/// <summary>
/// The body of a request, in one piece. Whoever consumes it reads no further; whoever gives it back leaves it as if it had not been read.
/// </summary>
internal sealed class RequestBody : IDisposable
{
    private readonly HttpRequest _http;
    private readonly ReadOnlySequence<byte> _read;
    private readonly SequencePosition _start;
    private readonly BodyBudgets.Holding? _held;
    private byte[]? _rented;
    private bool _isOver;

    public RequestBody(HttpRequest http, ReadOnlySequence<byte> read, BodyBudgets.Holding? held)
    {
        (_http, _read, _held, _start) = (http, read, held, read.Start);
        if (read.IsSingleSegment)
        {
            Bytes = read.First;
        }
        else
        {
            _rented = ArrayPool<byte>.Shared.Rent((int)read.Length);
            read.CopyTo(_rented);
            Bytes = _rented.AsMemory(0, (int)read.Length);
        }

        if (Bytes.Span.StartsWith(ByteOrderMark))
        {
            Bytes = Bytes[ByteOrderMark.Length..];
            _start = read.GetPosition(ByteOrderMark.Length);
        }
    }

    /// <summary>
    /// Gets what some clients write before their JSON, and who reads that may ignore (RFC 8259, section 8.1).
    /// </summary>
    public static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Gets the bytes, until the body is consumed, given back or disposed of.</summary>
    public ReadOnlyMemory<byte> Bytes { get; private set; }

    /// <summary>Ends the body: its bytes are not needed any more.</summary>
    public void Consume()
    {
        End(_read.End);
        _held?.Dispose();
    }

    /// <summary>Leaves the body to somebody who reads it again.</summary>
    public void GiveBack() => End(_start);

    public void Dispose()
    {
        GiveBack();
        _held?.Dispose();
    }

    private void End(SequencePosition consumed)
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        Bytes = default;
        _http.BodyReader.AdvanceTo(consumed);
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
            _rented = null;
        }
    }
}

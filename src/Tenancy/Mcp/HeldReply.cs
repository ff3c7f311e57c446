using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Tenancy.Resolution;

namespace Tenancy.Mcp;

/// <summary>
/// The body of an answer that begins with its first message, and not before, so that a call can still be refused by status when its tool finds the
/// store away. A client that accepts JSON only gets the last message as plain JSON, where the MCP SDK knows event streams alone.
/// </summary>
/// <remarks>The MCP SDK sends the headers of clients before 2026-07-28 before a tool runs; those of later ones it sends with the first message, too.</remarks>
internal sealed class HeldReply : Stream
{
    private const int Held = 0;
    private const int Begun = 1;
    private const int Refused = 2;
    private const int Over = 3;
    private readonly HttpContext _context;
    private readonly PipeWriter _body;
    private MemoryStream? _events;
    private int _state;
    private long _length;
    private bool _isAnswered;

    /// <summary>Begins to answer a request.</summary>
    public HeldReply(HttpContext context)
    {
        _context = context;
        _body = context.Response.BodyWriter;
        IsPlainJson = AcceptedReply.IsPlainJson(context.Request);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Gets whether the answer is to be plain JSON.</summary>
    public bool IsPlainJson { get; }

    /// <summary>Runs the rest of the pipeline, with this as the body of its response.</summary>
    public async ValueTask<object?> RunAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var response = _context.Response;
        var body = response.Body;
        response.Body = this;
        if (IsPlainJson)
        {
            _context.Request.Headers.Accept = AcceptedReply.Both;
        }

        CallOrigin.Begin(_context, this);
        try
        {
            var result = await next(invocation);
            await response.BodyWriter.FlushAsync(_context.RequestAborted);
            return result;
        }
        finally
        {
            response.Body = body;
        }
    }

    /// <summary>Ends the answer: with what was held back of it or, where it was refused, with the refusal.</summary>
    public Task EndAsync(McpRequest request)
    {
        if (Volatile.Read(ref _state) == Refused)
        {
            ForgetEventStream(_context.Response);
            return Refusal.StoreUnavailable.WriteAsync(_context, isMcp: true, request.Id);
        }

        return _events is null ? EndAnswerAsync() : EndJsonAsync(_events);
    }

    /// <summary>Makes the answer 503, unless a part of it, such as a progress notification, was sent.</summary>
    public void RefuseForStore() => Interlocked.CompareExchange(ref _state, Refused, Held);

    /// <summary>Sets the headers of an event stream, as the MCP SDK does.</summary>
    public void BecomeEventStream()
    {
        var headers = _context.Response.Headers;
        headers.ContentType = "text/event-stream";
        headers.CacheControl = "no-cache,no-store";
        headers.ContentEncoding = "identity";
        headers["X-Accel-Buffering"] = "no";
        _context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
    }

    /// <summary>Answers a notification.</summary>
    public void BecomeAccepted()
    {
        _context.Response.ContentType = null;
        _context.Response.StatusCode = StatusCodes.Status202Accepted;
    }

    /// <summary>Gives the answer the status that an error has, as the MCP SDK does since 2026-07-28.</summary>
    public ValueTask SetStatus(JsonRpcMessage? first)
    {
        if (first is JsonRpcError { Error.Code: var code } && !_context.Response.HasStarted)
        {
            _context.Response.StatusCode = (McpErrorCode)code switch
            {
                McpErrorCode.MethodNotFound => StatusCodes.Status404NotFound,
                McpErrorCode.MissingRequiredClientCapability or McpErrorCode.UnsupportedProtocolVersion or McpErrorCode.HeaderMismatch => StatusCodes.Status400BadRequest,
                _ => _context.Response.StatusCode,
            };
        }

        return default;
    }

    /// <summary>Takes back what <see cref="BecomeEventStream"/> did, where nothing was written.</summary>
    public void Forget()
    {
        ForgetEventStream(_context.Response);
        _context.Response.Headers.Remove(HeaderNames.ContentType);
        _context.Response.Headers.Remove(HeaderNames.CacheControl);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var written = buffer.Span;
        var isAnswer = IsAnswer(written);
        if (IsPlainJson && (_events is not null || !isAnswer || !written.EndsWith("\n\n"u8)))
        {
            // Not the answer alone and in one piece: the last message is picked out at the end.
            (_events ??= new()).Write(written);
        }
        else if (Interlocked.CompareExchange(ref _state, Begun, Held) is Held or Begun)
        {
            written = IsPlainJson ? written[Frame.Length..^2] : written;
            _length += written.Length;
            _isAnswered = isAnswer;
            _body.Write(written);
        }

        return default;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Sends what was written, unless that is the answer itself: it goes in one piece with the end.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) =>
        Volatile.Read(ref _state) == Begun && !_isAnswered ? _body.FlushAsync(cancellationToken).AsTask() : Task.CompletedTask;

    public override void Flush()
    {
    }

    /// <summary>Ends it with its request. Kestrel writes the next answer with the same writer: who comes too late must not write into that.</summary>
    protected override void Dispose(bool disposing)
    {
        Volatile.Write(ref _state, Over);
        base.Dispose(disposing);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private static ReadOnlySpan<byte> Frame => "event: message\ndata: "u8;

    // A look is enough: an answer that it does not know is sent at once, as everything else is.
    private static bool IsAnswer(ReadOnlySpan<byte> written) =>
        written.StartsWith(Frame) && (written[Frame.Length..].StartsWith("{\"result\""u8) || written[Frame.Length..].StartsWith("{\"error\""u8));

    private static bool IsEventStream(HttpResponse response) => response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) is true;

    private static void ForgetEventStream(HttpResponse response)
    {
        response.ContentLength = null;
        response.Headers.Remove(HeaderNames.ContentEncoding);
        response.Headers.Remove("X-Accel-Buffering");
    }

    private async Task EndAnswerAsync()
    {
        if (_length == 0)
        {
            return;
        }

        if (IsPlainJson)
        {
            BecomeJson();
        }

        if (!_context.Response.HasStarted)
        {
            _context.Response.ContentLength = _length;
        }

        await _body.FlushAsync(_context.RequestAborted);
    }

    private void BecomeJson()
    {
        ForgetEventStream(_context.Response);
        _context.Response.ContentType = "application/json";
    }

    private async Task EndJsonAsync(MemoryStream events)
    {
        ReadOnlyMemory<byte> written = events.GetBuffer().AsMemory(0, (int)events.Length);
        if (IsEventStream(_context.Response))
        {
            BecomeJson();
            written = LastMessage(written);
            _context.Response.ContentLength = written.Length;
        }

        if (written.Length > 0)
        {
            await _body.WriteAsync(written, _context.RequestAborted);
        }
    }

    // What comes before it are notifications, which plain JSON has no place for. JSON as it is written here has no line ends in it.
    private static ReadOnlyMemory<byte> LastMessage(ReadOnlyMemory<byte> events)
    {
        var start = events.Span.LastIndexOf("\ndata: "u8);
        var message = start < 0 ? default : events[(start + "\ndata: "u8.Length)..];
        var end = message.Span.IndexOf((byte)'\n');
        return end < 0 ? message : message[..end];
    }
}

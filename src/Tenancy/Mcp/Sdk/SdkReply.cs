using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Tenancy.Mcp.Requests;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Sdk;

/// <summary>
/// The body of an answer that the MCP SDK writes. It begins with its first message, and not before, so that a call can still be refused by
/// status when its handler finds no place, or the store away. A client that accepts JSON only gets the last message as plain JSON, where
/// the SDK knows event streams alone.
/// </summary>
/// <remarks>
/// The SDK flushes the headers of clients before 2026-07-28 before a handler runs; those of later ones it sends with the first message,
/// too. An event stream that takes long is begun before its first message, so that nobody takes the connection for dead.
/// </remarks>
internal sealed class SdkReply : WriteOnlyStream
{
    // The states. Held: nothing was sent, so that the status can still change. From there it becomes either Begun, with the first message,
    // or Refused, and then nothing that the SDK writes is sent. Over: the request has ended. Changes are atomic, because a handler may
    // refuse while the SDK writes, and both may come after the end.
    private const int Held = 0;
    private const int Begun = 1;
    private const int Refused = 2;
    private const int Over = 3;
    private readonly HttpContext _http;
    private readonly PipeWriter _body;
    private bool _isJson;

    // The SDK writes one message after the other; what keeps the connection awake writes between them.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private MemoryStream? _events;
    private Refusal? _refusal;
    private int _state;
    private long _length;
    private bool _isAnswered;

    /// <summary>Begins to answer a request.</summary>
    public SdkReply(HttpContext http, bool isJson) => (_http, _body, _isJson) = (http, http.Response.BodyWriter, isJson);

    /// <summary>Gets whether the answer is one message of plain JSON, so that its client can be told nothing before it.</summary>
    public bool IsJson => _isJson;

    /// <summary>Gets whether the request is over: what is written now reaches nobody.</summary>
    public bool IsOver => Volatile.Read(ref _state) == Over;

    /// <summary>Gets whether there is an answer.</summary>
    public bool IsAnswered { get; private set; }

    /// <summary>Gets whether the answer is an error.</summary>
    public bool IsError { get; private set; }

    /// <summary>Makes the answer 503, unless a part of it, such as a progress notification, was sent.</summary>
    public void RefuseForStore() => Refuse(Refusal.StoreUnavailable);

    /// <summary>Refuses the request by status, unless a part of the answer was sent.</summary>
    public void Refuse(Refusal refusal)
    {
        if (Interlocked.CompareExchange(ref _state, Refused, Held) == Held)
        {
            Volatile.Write(ref _refusal, refusal);
        }
    }

    /// <summary>Says that somebody is at work, and begins the event stream for that if need be.</summary>
    public async Task BeatAsync()
    {
        // Where somebody writes, that says it.
        if (!await _turn.WaitAsync(0))
        {
            return;
        }

        try
        {
            if (
                !_isJson
                && !_isAnswered
                && SdkOutput.IsEventStream(_http.Response)
                && Interlocked.CompareExchange(ref _state, Begun, Held) is Held or Begun
            )
            {
                _body.Write(EventStream.Comment);
                _length += EventStream.Comment.Length;
                await _body.FlushAsync(_http.RequestAborted);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Answers nothing, because whoever asked has cancelled the request. An answer that was written before that stays.</summary>
    public void EndUnanswered()
    {
        if (_isJson && !IsAnswered)
        {
            _events = null;
            _length = 0;
            SdkOutput.ForgetEventStream(_http.Response);
            _http.Response.ContentType = null;
            _http.Response.StatusCode = StatusCodes.Status202Accepted;
        }
    }

    /// <summary>Ends the answer: with what was held back of it.</summary>
    /// <returns>Why the request is refused, where it is: then nothing was written.</returns>
    public async ValueTask<Refusal?> EndAsync()
    {
        if (Volatile.Read(ref _state) == Refused)
        {
            SdkOutput.ForgetEventStream(_http.Response);
            return Volatile.Read(ref _refusal) ?? Refusal.StoreUnavailable;
        }

        await (_events is null ? EndAnswerAsync() : EndJsonAsync(_events));
        return null;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            Take(buffer.Span);
        }
        finally
        {
            _turn.Release();
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Sends what was written, unless that is the answer itself: it goes in one piece with the end.</summary>
    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (Volatile.Read(ref _state) == Begun && !_isAnswered)
            {
                await _body.FlushAsync(cancellationToken);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Ends it with its request. Kestrel writes the next answer of the connection with the same writer: what comes too late must not get
    /// into that.
    /// </summary>
    protected override void Dispose(bool disposing)
    {
        Volatile.Write(ref _state, Over);
        base.Dispose(disposing);
    }

    // What the SDK refuses itself is plain JSON; what its server answers is an event.
    private bool IsRefusal => _http.Response.StatusCode >= StatusCodes.Status400BadRequest && !SdkOutput.IsEventStream(_http.Response);

    private void Take(ReadOnlySpan<byte> written)
    {
        var message = SdkOutput.MessageOf(written);
        var isAnswer = SdkOutput.IsAnswer(message);
        if (isAnswer)
        {
            // What is written after the answer, such as a notification that comes late, makes no other answer of it.
            (IsAnswered, IsError) = (true, message.StartsWith("{\"error\""u8));

            // With the status of an error, as for a method that does not exist: there clients look for JSON.
            _isJson |= _length == 0 && _http.Response.StatusCode >= StatusCodes.Status400BadRequest;
        }

        if (IsRefusal || (_isJson && (_events is not null || !isAnswer || !message.EndsWith(EventStream.EventEnd))))
        {
            // Kept until the end: from a refusal an unknown id is taken out then, and of several messages a client that reads JSON gets the
            // last one.
            (_events ??= new()).Write(written);
        }
        else if (Interlocked.CompareExchange(ref _state, Begun, Held) is Held or Begun)
        {
            written = _isJson ? message[..^EventStream.EventEnd.Length] : written;
            _length += written.Length;
            _isAnswered = isAnswer;
            _body.Write(written);
        }
    }

    private async Task EndAnswerAsync()
    {
        if (_length == 0)
        {
            return;
        }

        if (_isJson)
        {
            BecomeJson();
        }

        if (!_http.Response.HasStarted)
        {
            _http.Response.ContentLength = _length;
        }

        await _body.FlushAsync(_http.RequestAborted);
    }

    private void BecomeJson()
    {
        SdkOutput.ForgetEventStream(_http.Response);
        _http.Response.ContentType = "application/json";
    }

    private async Task EndJsonAsync(MemoryStream events)
    {
        ReadOnlyMemory<byte> written = events.GetBuffer().AsMemory(0, (int)events.Length);
        if (SdkOutput.IsEventStream(_http.Response))
        {
            BecomeJson();
            written = SdkOutput.LastMessage(written);
            _http.Response.ContentLength = written.Length;
        }
        else if (IsRefusal)
        {
            written = SdkOutput.WithoutUnknownId(written);
            _http.Response.ContentLength = written.Length;
        }

        if (written.Length > 0)
        {
            await _body.WriteAsync(written, _http.RequestAborted);
        }
    }
}

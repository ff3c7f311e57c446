using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Tenancy.Mcp.Platforms;
using Tenancy.Mcp.Requests;

namespace Tenancy.Mcp.Direct;

/// <summary>
/// Writes the answer to a request, in one piece and once: nothing of it is sent before all of it, and its status, is known. Only where an
/// event stream takes long it is begun before, so that nobody takes the connection for dead.
/// </summary>
/// <remarks>The members stand in the order in which the MCP SDK writes them, and what JSON escapes is escaped as the SDK does it.</remarks>
internal sealed class DirectReply(McpRequest request, byte[] id)
{
    // A buffer stays with its thread unless an answer made it large.
    private const int MaxKept = 64 * 1024;

    private static readonly JsonTypeInfo<JsonRpcErrorDetail> ErrorType = TypeInfo<JsonRpcErrorDetail>();

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_json;

    private readonly HttpContext _http = request.Http;
    private bool _isEventStream = request.Reply == AcceptedReply.EventStream;
    private readonly bool _isModern = request.IsModern;
    private readonly string? _sessionId = request.SessionId;
    private volatile bool _hasBegun;

    /// <summary>Gets the id of the request, as it stood in the message.</summary>
    public ReadOnlySpan<byte> Id => id;

    private ReadOnlySpan<byte> ResultEnd => _isModern ? request.Platform.ResultEnd(ServerDescription.NameOf(request.Tenant)) : [];

    /// <summary>Gets whether the status is sent, so that whatever comes now comes within the stream.</summary>
    public bool HasBegun => _hasBegun;

    /// <summary>
    /// Says now and then that somebody is at work, until what this gives is disposed; null where the answer has no room for it.
    /// </summary>
    public Heartbeat? KeepAwake(Heartbeats heartbeats) => _isEventStream ? heartbeats.Begin(BeatAsync) : null;

    /// <summary>Writes the JSON of an answer now, so that what cannot be answered is known before anything is committed.</summary>
    /// <exception cref="AnswerTooLargeException">It has too many bytes.</exception>
    public SettledAnswer Settle(ToolAnswer answer)
    {
        var output = new ArrayBufferWriter<byte>();
        WriteJson(answer, output);
        return new(answer, output.WrittenMemory);
    }

    /// <summary>Writes what a tool answered.</summary>
    /// <exception cref="AnswerTooLargeException">It has too many bytes.</exception>
    public void Write(ToolAnswer answer)
    {
        if (answer is SettledAnswer settled)
        {
            Write(answer, settled.Json.Span);
            return;
        }

        var buffer = TakeBuffer();
        WriteJson(answer, buffer);
        Write(answer, buffer.WrittenSpan);
        t_json = buffer;
    }

    /// <summary>Writes that a call failed, in the MCP protocol's own words.</summary>
    public void Write(CallToolResult result) => Write(ToolAnswer.FromResult(result));

    /// <summary>Writes the list of tools.</summary>
    public void WriteList(AnonymousAccess access)
    {
        var buffer = TakeBuffer();
        var kind = request.Platform.Kind;
        kind.Lists.Write(buffer, _isModern, kind.HasScopes || request.IsStranger ? IsSeen : null);
        var tools = buffer.WrittenSpan;
        var caching = _isModern ? ListCaching : ""u8;
        var message = Begin(ListStart.Length + tools.Length + caching.Length + ResultEnd.Length + 1);
        message.Write(ListStart);
        message.Write(tools);
        message.Write(caching);
        message.Write(ResultEnd);
        message.Write("}"u8);
        End(ref message);
        t_json = buffer;

        bool IsSeen(TenantTool tool) => access.Lists(request.Tenant, request.Caller, request.User, tool);
    }

    /// <summary>Writes a JSON-RPC error.</summary>
    public void Write(JsonRpcErrorDetail error)
    {
        if (_isModern && !_hasBegun)
        {
            _http.Response.StatusCode = (McpErrorCode)error.Code switch
            {
                McpErrorCode.MethodNotFound => StatusCodes.Status404NotFound,
                McpErrorCode.MissingRequiredClientCapability or McpErrorCode.UnsupportedProtocolVersion or McpErrorCode.HeaderMismatch =>
                    StatusCodes.Status400BadRequest,
                _ => StatusCodes.Status200OK,
            };

            // With the status of an error clients look for JSON.
            _isEventStream &= _http.Response.StatusCode == StatusCodes.Status200OK;
        }

        WriteError(JsonSerializer.SerializeToUtf8Bytes(error, ErrorType));
    }

    /// <summary>Writes a JSON-RPC error that is there as JSON, where the status is sent already.</summary>
    public void Write(JsonObject error) => WriteError(Encoding.UTF8.GetBytes(error.ToJsonString()));

    /// <summary>Answers nothing: whoever asked has cancelled the call, or is gone.</summary>
    public void WriteNothing()
    {
        if (!_isEventStream)
        {
            _http.Response.StatusCode = StatusCodes.Status202Accepted;
        }
        else if (!_hasBegun)
        {
            SetHeaders(length: 0);
        }
    }

    /// <summary>Sends what was written.</summary>
    public async ValueTask FlushAsync() => await _http.Response.BodyWriter.FlushAsync(_http.RequestAborted);

    private static ReadOnlySpan<byte> Start => "{\"result\":{\"content\":[{\"type\":\"text\",\"text\":\""u8;

    private static ReadOnlySpan<byte> TextEnd => "\"}]"u8;

    private static ReadOnlySpan<byte> StructureStart => ",\"structuredContent\":"u8;

    private static ReadOnlySpan<byte> WrapStart => "{\"result\":"u8;

    private static ReadOnlySpan<byte> ResultStart => "{\"result\":"u8;

    private static ReadOnlySpan<byte> ListStart => "{\"result\":{\"tools\":"u8;

    // What the SDK says of the list since 2026-07-28: it is the caller's own, and may be another one the next time.
    private static ReadOnlySpan<byte> ListCaching => ",\"ttlMs\":0,\"cacheScope\":\"private\""u8;

    private static ReadOnlySpan<byte> ErrorStart => "{\"error\":"u8;

    private static ReadOnlySpan<byte> IdStart => ",\"id\":"u8;

    private static ReadOnlySpan<byte> MessageEnd => ",\"jsonrpc\":\"2.0\"}"u8;

    private static JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(T));

    /// <summary>Gets how many bytes of JSON the tool answered.</summary>
    public int AnswerBytes { get; private set; }

    // One buffer for each thread. It is taken out while it is used: what a handler's own types run when they are serialized must not find
    // it.
    private static ArrayBufferWriter<byte> TakeBuffer()
    {
        var buffer = t_json is { Capacity: <= MaxKept } kept ? kept : new(4096);
        t_json = null;
        buffer.ResetWrittenCount();
        return buffer;
    }

    private static byte[] Compact(ReadOnlySpan<byte> json) =>
        JsonSerializer.SerializeToUtf8Bytes(JsonElement.Parse(json), ToolJson.Default.JsonElement);

    // What a handler says of its result stands beside what the server says of itself.
    private bool HasOwnEnd(CallToolResult result) => _isModern && (result.Meta is not null || result.ResultType is not null);

    private void WriteJson(ToolAnswer answer, ArrayBufferWriter<byte> output)
    {
        (answer.Result is { } result && HasOwnEnd(result) ? ToolAnswer.FromResult(WithResultEnd(result)) : answer).WriteTo(output);
        AnswerTooLargeException.ThrowIf(output.WrittenCount, answer.MostBytes);
    }

    private void Write(ToolAnswer answer, ReadOnlySpan<byte> json)
    {
        AnswerBytes = json.Length;
        if (answer.Result is { } result)
        {
            WriteResult(json, HasOwnEnd(result) ? [] : ResultEnd);
            return;
        }

        if (json.IndexOfAnyInRange((byte)0, (byte)0x1f) >= 0)
        {
            // An event stream ends a message at a line end, and a JSON text has no control character as it is. JSON has those between its
            // tokens only.
            json = Compact(json);
        }

        WriteTextAndStructure(answer, json);
    }

    // The text is the same JSON as a JSON text: of what may stand in it, only quotes and backslashes need an escape.
    private void WriteTextAndStructure(ToolAnswer answer, ReadOnlySpan<byte> json)
    {
        var escapes = json.Count((byte)'"') * (MessageWriter.Quote.Length - 1) + json.Count((byte)'\\');
        var isWrapped = answer.IsWrapped && !_isModern;
        var structure = answer.IsStructured ? StructureStart.Length + json.Length + (isWrapped ? WrapStart.Length + 1 : 0) : 0;
        var end =
            answer.IsError ? ",\"isError\":true"u8
            : answer.SaysSuccess ? ",\"isError\":false"u8
            : ""u8;
        var message = Begin(Start.Length + json.Length + escapes + TextEnd.Length + structure + end.Length + ResultEnd.Length + 1);
        message.Write(Start);
        message.WriteEscaped(json);
        message.Write(TextEnd);
        if (answer.IsStructured)
        {
            message.Write(StructureStart);
            message.Write(isWrapped ? WrapStart : ""u8);
            message.Write(json);
            message.Write(isWrapped ? "}"u8 : ""u8);
        }

        message.Write(end);
        message.Write(ResultEnd);
        message.Write("}"u8);
        End(ref message);
    }

    private void WriteResult(ReadOnlySpan<byte> json, ReadOnlySpan<byte> end)
    {
        var message = Begin(ResultStart.Length + json.Length + end.Length);
        message.Write(ResultStart);
        message.Write(json[..^1]);
        message.Write(end);
        message.Write("}"u8);
        End(ref message);
    }

    private CallToolResult WithResultEnd(CallToolResult result)
    {
        var end = JsonNode.Parse([(byte)'{', .. ResultEnd[1..], (byte)'}'])!.AsObject();
        var meta = result.Meta?.DeepClone().AsObject() ?? [];
        foreach (var (name, value) in end["_meta"]!.AsObject())
        {
            meta[name] = value?.DeepClone();
        }

        return new()
        {
            Content = result.Content,
            StructuredContent = result.StructuredContent,
            IsError = result.IsError,
            ResultType = result.ResultType ?? end["resultType"]!.GetValue<string>(),
            Meta = meta,
        };
    }

    private async Task BeatAsync()
    {
        if (!_hasBegun)
        {
            _hasBegun = true;
            SetHeaders(length: null);
            EventStream.DisableBuffering(_http);
        }

        _http.Response.BodyWriter.Write(EventStream.Comment);
        await FlushAsync();
    }

    private void WriteError(ReadOnlySpan<byte> json)
    {
        var message = Begin(ErrorStart.Length + json.Length);
        message.Write(ErrorStart);
        message.Write(json);
        End(ref message);
    }

    private MessageWriter Begin(int length)
    {
        length +=
            IdStart.Length
            + id.Length
            + MessageEnd.Length
            + (_isEventStream ? EventStream.MessageStart.Length + EventStream.EventEnd.Length : 0);
        if (!_hasBegun)
        {
            SetHeaders(length);
        }

        var message = new MessageWriter(_http.Response.BodyWriter, length);
        if (_isEventStream)
        {
            message.Write(EventStream.MessageStart);
        }

        return message;
    }

    private void End(ref MessageWriter message)
    {
        message.Write(IdStart);
        message.Write(id);
        message.Write(MessageEnd);
        if (_isEventStream)
        {
            message.Write(EventStream.EventEnd);
        }

        message.Complete();
    }

    private void SetHeaders(int? length)
    {
        var headers = _http.Response.Headers;
        headers.ContentLength = length;
        if (_sessionId is not null)
        {
            headers[McpRequest.SessionIdHeader] = _sessionId;
        }

        if (_isEventStream)
        {
            EventStream.Begin(_http.Response);
            return;
        }

        headers.CacheControl = "no-cache,no-store";
        headers.ContentType = "application/json";
    }
}

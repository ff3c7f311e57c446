using Microsoft.AspNetCore.Http;
using Tenancy.Resolution;

namespace Tenancy.Mcp;

/// <summary>The body of an answer that begins with its first message, and not before, so that a call can still be refused by status when its tool finds the store away.</summary>
/// <remarks>The MCP SDK sends the headers of clients before 2026-07-28 before a tool runs; those of later ones it sends with the first message, too.</remarks>
internal sealed class HeldReply(Stream body) : Stream
{
    private const int Held = 0;
    private const int Begun = 1;
    private const int Refused = 2;
    private int _state;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    private bool IsRefused => Volatile.Read(ref _state) == Refused;

    /// <summary>Runs the rest of a request. What it writes is dropped where it was refused, and the answer is the refusal.</summary>
    public static async ValueTask<object?> RunAsync(HttpContext context, McpRequest request, Func<ValueTask<object?>> next)
    {
        var body = context.Response.Body;
        var reply = new HeldReply(body);
        context.Features.Set(reply);
        context.Response.Body = reply;
        object? result;
        try
        {
            result = await next();
        }
        finally
        {
            context.Response.Body = body;
        }

        if (reply.IsRefused)
        {
            context.Response.ContentLength = null;
            context.Response.Headers.ContentEncoding = default;
            context.Response.Headers["X-Accel-Buffering"] = default;
            await Refusal.StoreUnavailable.WriteAsync(context, isMcp: true, request.Id);
        }

        return result;
    }

    /// <summary>Makes the answer 503, unless a part of it, such as a progress notification, was sent.</summary>
    public void RefuseForStore() => Interlocked.CompareExchange(ref _state, Refused, Held);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => MayWrite() ? body.WriteAsync(buffer, cancellationToken) : default;

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Volatile.Read(ref _state) == Begun ? body.FlushAsync(cancellationToken) : Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private bool MayWrite() => Interlocked.CompareExchange(ref _state, Begun, Held) != Refused;
}

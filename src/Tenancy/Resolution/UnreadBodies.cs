using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Tenancy.Resolution;

/// <summary>
/// Ends the connections of requests that were refused while their bodies are still on the way. Kestrel would read such a body to its end,
/// to use the connection again: somebody who sends large bodies, only to be refused, would keep the server busy at the cost of others.
/// </summary>
/// <remarks>
/// The connection does not end at once: its client may still be sending, and would then see a broken connection and not the answer (RFC
/// 9112, section 9.6). So it stays for a moment, in which nothing more is read. Kestrel holds up to 2 MiB of each such body meanwhile.
/// Therefore only 16 connections at a time get half a second, and all others 20 milliseconds.
/// </remarks>
internal sealed class UnreadBodies
{
    /// <summary>A body of at most this many bytes is read to its end: that costs less than a new connection.</summary>
    private const int Small = 64 * 1024;

    /// <summary>How many connections at once wait until their clients have read the answer.</summary>
    private const int MaxPatient = 16;

    // By the real clock, as all that Kestrel bounds of a body: an application whose own clock stands still has to end connections, too.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LittlePatience = TimeSpan.FromMilliseconds(20);

    private int _waiting;

    /// <summary>Gets how many connections wait now.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>
    /// Says in the head of a refusal that the connection ends, where more than a little of the request may still come. HTTP/2 and HTTP/3
    /// end the stream, which costs nothing.
    /// </summary>
    public static void Mark(HttpContext context)
    {
        if (IsLarge(context))
        {
            // RFC 9110, section 15.5.14.
            context.Response.Headers.Connection = "close";
            context.Features.Set(UnreadBody.Instance);
        }
    }

    /// <summary>Ends the connection of a request that was refused so, when the answer is written.</summary>
    public ValueTask EndAsync(HttpContext context) =>
        context.Response.StatusCode >= StatusCodes.Status400BadRequest && context.Features.Get<UnreadBody>() is not null
            ? new(EndMarkedAsync(context))
            : default;

    private async Task EndMarkedAsync(HttpContext context)
    {
        var patience = Interlocked.Increment(ref _waiting) <= MaxPatient ? Patience : LittlePatience;
        try
        {
            await context.Response.CompleteAsync().ConfigureAwait(false);
            await Task.Delay(patience, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.Abort();
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private static bool IsLarge(HttpContext context)
    {
        var request = context.Request;
        if (
            request.ContentLength <= Small
            || !HttpProtocol.IsHttp11(request.Protocol)
            || context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is not true
        )
        {
            return false;
        }

        try
        {
            if (!request.BodyReader.TryRead(out var read))
            {
                return true;
            }

            request.BodyReader.AdvanceTo(read.Buffer.Start);
            return !read.IsCompleted;
        }
        catch (Exception exception) when (exception is BadHttpRequestException or InvalidOperationException)
        {
            // Kestrel refused the body already, and ends the connection by itself; or somebody is still reading it.
            return false;
        }
    }

    private sealed class UnreadBody
    {
        public static UnreadBody Instance { get; } = new();
    }
}

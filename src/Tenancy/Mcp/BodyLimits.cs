using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;

namespace Tenancy.Mcp;

/// <summary>How large a body may be, and how long it may take to arrive.</summary>
/// <remarks>
/// Kestrel ends a body that falls below its least rate (240 bytes a second, after 5 seconds), but one that trickles just above it would last for hours.
/// </remarks>
internal sealed class BodyLimits(IOptions<TenancyOptions> options, TimeProvider time)
{
    private readonly long _maxSize = options.Value.MaxRequestBodySize;
    private readonly TimeSpan _timeout = options.Value.RequestBodyTimeout;

    public bool IsTooLarge(in ReadResult body) => body.Buffer.Length > _maxSize;

    /// <summary>Reads a body without consuming it.</summary>
    /// <returns>The whole body, or as much of it as is too large; null where it took too long.</returns>
    public ValueTask<ReadResult?> ReadAsync(HttpRequest request)
    {
        if (!request.BodyReader.TryRead(out var body))
        {
            return WaitAsync(request);
        }

        if (IsEnough(body))
        {
            // It came with its head, as most do, and needs no clock.
            return new(body);
        }

        request.BodyReader.AdvanceTo(body.Buffer.Start, body.Buffer.End);
        return WaitAsync(request);
    }

    private bool IsEnough(in ReadResult body) => body.IsCompleted || IsTooLarge(body);

    private async ValueTask<ReadResult?> WaitAsync(HttpRequest request)
    {
        var aborted = request.HttpContext.RequestAborted;
        using var deadline = new CancellationTokenSource(_timeout, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(aborted, deadline.Token);
        try
        {
            while (true)
            {
                var body = await request.BodyReader.ReadAsync(end.Token);
                if (IsEnough(body))
                {
                    return body;
                }

                request.BodyReader.AdvanceTo(body.Buffer.Start, body.Buffer.End);
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !aborted.IsCancellationRequested)
        {
            return null;
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status408RequestTimeout)
        {
            // Kestrel's least rate.
            return null;
        }
    }
}

using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Mcp.Requests;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Gate;

/// <summary>
/// Reads the bodies of requests within their bounds: how large one may be, how long it may take, and how much of all of them is held at
/// once.
/// </summary>
/// <remarks>
/// Kestrel ends a body that falls below its least rate (240 bytes a second, after 5 seconds), but one that trickles just above it would
/// last for hours.
/// </remarks>
internal sealed class BodyReader(IOptions<TenancyOptions> options, BodyBudgets budgets, TimeProvider time)
{
    /// <summary>
    /// The most bytes of a body whose sender has shown no credentials where some are asked for: nothing that such a caller may send is
    /// larger.
    /// </summary>
    public const int MaxAnonymousSize = 64 * 1024;

    private readonly long _maxSize = options.Value.MaxRequestBodySize;
    private readonly TimeSpan _timeout = options.Value.RequestBodyTimeout;

    /// <summary>Reads a body without consuming it.</summary>
    /// <returns>The body, to be disposed of with the request; or why it is refused.</returns>
    public async ValueTask<(RequestBody? Body, Refusal? Refusal)> ReadAsync(McpRequest request, bool isSmall)
    {
        var http = request.Http.Request;
        var most = isSmall ? Math.Min(MaxAnonymousSize, _maxSize) : _maxSize;
        if (http.ContentLength > most)
        {
            return (null, Refusal.TooLarge);
        }

        // A body that came with its head, as most do, needs no clock.
        if (http.BodyReader.TryRead(out var read))
        {
            if (read.IsCompleted && read.Buffer.Length <= BodyBudgets.Free && read.Buffer.Length <= most)
            {
                return (new(http, read.Buffer, held: null), null);
            }

            http.BodyReader.AdvanceTo(read.Buffer.Start);
        }

        return await WaitAsync(request, most);
    }

    private async ValueTask<(RequestBody? Body, Refusal? Refusal)> WaitAsync(McpRequest request, long most)
    {
        var http = request.Http.Request;
        var aborted = request.Http.RequestAborted;
        using var deadline = new CancellationTokenSource(_timeout, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(aborted, deadline.Token);
        var held = budgets.Begin(request.Tenant.Id);
        var isKept = false;
        try
        {
            while (true)
            {
                var read = await http.BodyReader.ReadAsync(end.Token);
                var refusal =
                    read.Buffer.Length > most ? Refusal.TooLarge
                    : held.TryGrow(read.Buffer.Length) ? null
                    : Refusal.TooManyBodies;
                if (refusal is null && read.IsCompleted)
                {
                    isKept = true;
                    return (new(http, read.Buffer, held), null);
                }

                http.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                if (refusal is not null)
                {
                    return (null, refusal);
                }
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !aborted.IsCancellationRequested)
        {
            return (null, Refusal.SlowBody);
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status408RequestTimeout)
        {
            // Kestrel's least rate.
            return (null, Refusal.SlowBody);
        }
        finally
        {
            if (!isKept)
            {
                held.Dispose();
            }
        }
    }
}

/// <summary>
/// The body of a request, in one piece. Whoever consumes it reads no further; whoever gives it back leaves it as if it had not been read.
/// </summary>
internal sealed class RequestBody : IDisposable
{
    private readonly HttpRequest _http;
    private readonly ReadOnlySequence<byte> _read;
    private readonly BodyBudgets.Holding? _held;
    private byte[]? _rented;
    private bool _isOver;

    public RequestBody(HttpRequest http, ReadOnlySequence<byte> read, BodyBudgets.Holding? held)
    {
        (_http, _read, _held) = (http, read, held);
        if (read.IsSingleSegment)
        {
            Bytes = read.First;
            return;
        }

        _rented = ArrayPool<byte>.Shared.Rent((int)read.Length);
        read.CopyTo(_rented);
        Bytes = _rented.AsMemory(0, (int)read.Length);
    }

    /// <summary>Gets the bytes, until the body is consumed, given back or disposed of.</summary>
    public ReadOnlyMemory<byte> Bytes { get; private set; }

    /// <summary>Ends the body: its bytes are not needed any more.</summary>
    public void Consume()
    {
        End(_read.End);
        _held?.Dispose();
    }

    /// <summary>Leaves the body to somebody who reads it again.</summary>
    public void GiveBack() => End(_read.Start);

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

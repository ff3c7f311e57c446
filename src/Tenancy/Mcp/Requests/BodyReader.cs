using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using ModelContextProtocol.Protocol;
using Tenancy.Configuration;
using Tenancy.Resolution;

namespace Tenancy.Mcp.Requests;

/// <summary>
/// Reads the bodies of requests within their bounds: how large one may be, how long it may take, and how much of all of them is held at
/// once. Of one that does not come at once the beginning is judged while the rest arrives.
/// </summary>
/// <remarks>
/// Kestrel ends a body that falls below its least rate (240 bytes a second, after 5 seconds), but one that trickles just above it would
/// last for hours.
/// </remarks>
internal sealed class BodyReader(IOptions<TenancyOptions> options, BodyBudgets budgets, AnonymousAccess access, TimeProvider time)
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
        try
        {
            return await ReadWithinAsync(request, isSmall);
        }
        catch (BadHttpRequestException exception)
        {
            return (null, Explain(exception.StatusCode));
        }
    }

    // What Kestrel finds wrong with a body it finds while that is read.
    private static Refusal Explain(int status) =>
        status switch
        {
            StatusCodes.Status408RequestTimeout => Refusal.SlowBody,
            StatusCodes.Status413PayloadTooLarge => Refusal.TooLarge,
            _ => Refusal.BrokenBody,
        };

    private async ValueTask<(RequestBody? Body, Refusal? Refusal)> ReadWithinAsync(McpRequest request, bool isSmall)
    {
        var http = request.Http.Request;
        var most = isSmall ? Math.Min(MaxAnonymousSize, _maxSize) : _maxSize;
        if (http.ContentLength > most)
        {
            return (null, Refusal.TooLarge);
        }

        // Most bodies come together with their head, and need no time limit.
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
        var head = new ArrivingHead();
        try
        {
            while (true)
            {
                var read = await http.BodyReader.ReadAsync(end.Token);
                var refusal =
                    read.Buffer.Length > most ? Refusal.TooLarge
                    : !held.TryGrow(read.Buffer.Length) ? Refusal.TooManyBodies
                    : read.IsCompleted ? null
                    : Judge(request, ref head, read.Buffer);
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
        finally
        {
            if (!isKept)
            {
                held.Dispose();
            }
        }
    }

    // Who may not call what the message calls is told so before the rest of it is there, and takes no memory with that. So is who sends no
    // JSON. All else is judged by the whole.
    private Refusal? Judge(McpRequest request, ref ArrivingHead head, ReadOnlySequence<byte> body)
    {
        if (head.IsKnown)
        {
            return null;
        }

        head.Read(body);
        var refusal =
            head.IsBroken ? Refusal.BadJson
            : head is { Method: RequestMethods.ToolsCall, Tool: { } tool } ? JudgeCall(request, tool)
            : null;
        if (refusal is not null)
        {
            request.KeepId(head.Id);
        }

        return refusal;
    }

    private Refusal? JudgeCall(McpRequest request, string name) =>
        !access.MayCall(request.Tenant, request.Caller, name) ? Refusal.NoCredentials
        : request.Caller.IsAnonymous || request.Platform.Kind.FindTool(name) is not { RequiredScopes.Count: > 0 } tool ? null
        : ToolScopes.Missing(request.Tenant, request.User, tool) is { Count: > 0 } scopes ? Refusal.InsufficientScope(scopes)
        : null;
}

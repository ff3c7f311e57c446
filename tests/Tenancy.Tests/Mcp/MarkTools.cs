using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Resolution;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A service of one scope, which knows when it was disposed.</summary>
internal sealed class ScopeMark : IDisposable
{
    public string? Tag { get; set; }

    public bool IsDisposed { get; private set; }

    public void Dispose() => IsDisposed = true;
}

/// <summary>What handlers saw that they should not have.</summary>
internal sealed class MarkLog
{
    public ConcurrentQueue<string> Wrong { get; } = new();

    public int Begun;

    public int Ended;
}

/// <summary>Tools that look at all that a call can see, at its beginning and at its end.</summary>
internal sealed class MarkTools(IHttpContextAccessor http, ScopeMark own, MarkLog log)
{
    public const string TagHeader = "X-Tag";

    [McpServerTool(Name = "mark")]
    public async Task<string> MarkAsync(string tag, int turns, bool obeys, ToolContext context, McpServer server, RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref log.Begun);
        own.Tag = tag;
        try
        {
            var first = See(tag, context, server, request);
            for (var turn = 0; turn < turns; turn++)
            {
                if (request.Params.ProgressToken is { } token)
                {
                    await server.NotifyProgressAsync(token, new() { Progress = turn, Message = first }, cancellationToken: CancellationToken.None);
                }

                await Task.Delay(turn % 2, obeys ? cancellationToken : CancellationToken.None);
                var now = See(tag, context, server, request);
                if (now != first && !IsWithoutRequest(server))
                {
                    log.Wrong.Enqueue($"{tag}: first {first}, then {now}");
                }
            }

            return first;
        }
        catch (ObjectDisposedException) when (IsWithoutRequest(server))
        {
            // The request ended while this looked at it.
            return "without request";
        }
        catch (InvalidOperationException exception)
        {
            // Of which ObjectDisposedException is one.
            log.Wrong.Enqueue($"{tag}: {exception.Message}");
            throw;
        }
        finally
        {
            Interlocked.Increment(ref log.Ended);
        }
    }

    /// <summary>Leaves work behind, which looks around when the call is over.</summary>
    [McpServerTool(Name = "leave_behind")]
    public string LeaveBehind(McpServer server, RequestContext<CallToolRequestParams> request, Leftover leftover, ToolContext context)
    {
        leftover.Seen = Task.Run(async () =>
        {
            await leftover.MayLook.Task;
            return string.Join('|', Try(() => http.HttpContext?.Request.Path.Value ?? "nothing"), Try(() => server.Services!.GetRequiredService<ScopeMark>().Tag), Try(() => request.Services!.GetRequiredService<ScopeMark>().Tag),
                Try(() => context.Platform<ITestSeller>().Product), await TryAsync(() => server.SendNotificationAsync("notifications/late")), $"{own.IsDisposed}");
        });
        return "left";
    }

    /// <summary>Ends the server that it runs on, as no tool should.</summary>
    [McpServerTool(Name = "break")]
    public static string Break(McpServer server)
    {
        _ = server.DisposeAsync().AsTask();
        return "broken";
    }

    private static string Try(Func<string?> look)
    {
        try
        {
            return look() ?? "null";
        }
        catch (Exception exception)
        {
            return exception.GetType().Name;
        }
    }

    private static async Task<string> TryAsync(Func<Task> act)
    {
        try
        {
            await act();
            return "done";
        }
        catch (Exception exception)
        {
            return exception.GetType().Name;
        }
    }

    // A handler in a session goes on when its client went; then there is no request to see.
    private bool IsWithoutRequest(McpServer server) => server.SessionId is not null && http.HttpContext is null;

    private string See(string tag, ToolContext context, McpServer server, RequestContext<CallToolRequestParams> request)
    {
        var call = http.HttpContext;
        var ofServer = server.SessionId is null ? server.Services!.GetRequiredService<ScopeMark>() : null;
        if (own is not { IsDisposed: false } || own.Tag != tag || ofServer is { IsDisposed: true } || ofServer?.Tag is { } other && other != tag)
        {
            log.Wrong.Enqueue($"{tag}: scopes {own.Tag} {own.IsDisposed} {ofServer?.Tag} {ofServer?.IsDisposed}");
        }

        return string.Join('|', context.TenantId, context.Caller, context.Platform<ITestSeller>().Product, call?.Features.Get<ITenantFeature>()?.Tenant.Id, call?.Request.Headers[TagHeader],
            call?.User.FindFirstValue(ClaimTypes.NameIdentifier), request.JsonRpcRequest.Context?.User?.FindFirstValue(ClaimTypes.NameIdentifier), server.ClientInfo?.Name, tag);
    }

    internal sealed class Leftover
    {
        public TaskCompletionSource MayLook { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string>? Seen { get; set; }
    }
}

using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tenancy.Adcp;
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
internal sealed class MarkTools(IHttpContextAccessor http, ScopeMark own, MarkLog log, ToolContext given)
{
    public const string TagHeader = "X-Tag";

    [McpServerTool(Name = "mark")]
    public async Task<string> MarkAsync(
        string tag,
        int turns,
        bool obeys,
        ToolContext context,
        McpServer server,
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken
    )
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
                    await server.NotifyProgressAsync(
                        token,
                        new() { Progress = turn, Message = first },
                        cancellationToken: CancellationToken.None
                    );
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

    /// <summary>Asks for no server, so that a plain call of it is answered without one.</summary>
    [McpServerTool(Name = "mark_plain")]
    public Task<string> MarkPlainAsync(
        string tag,
        int turns,
        bool obeys,
        string expected,
        ToolContext context,
        CancellationToken cancellationToken
    ) => MarkAsync(tag, turns, obeys, expected, context, cancellationToken);

    /// <summary>Reads what lies in an account that its caller names.</summary>
    [AdcpTool("mark_account")]
    public async Task<MarkResponse> MarkAccountAsync(MarkRequest request, ToolContext context, CancellationToken cancellationToken) =>
        new() { Mark = await MarkAsync(request.Tag, request.Turns, request.Obeys, request.Expected, context, cancellationToken) };

    /// <summary>Goes on although its client went: in another flow, and under another context.</summary>
    [AdcpTool("mark_write")]
    public async Task<MarkResponse> MarkWriteAsync(MarkWriteRequest request, ToolContext context, CancellationToken cancellationToken) =>
        new() { Mark = await MarkAsync(request.Tag, request.Turns, request.Obeys, request.Expected, context, cancellationToken) };

    /// <summary>Leaves work behind that has no server, and looks around when the call is over.</summary>
    [McpServerTool(Name = "leave_behind_plain")]
    public string LeaveBehindPlain(Leftover leftover, ToolContext context)
    {
        leftover.Seen = Task.Run(async () =>
        {
            await leftover.MayLook.Task;
            return string.Join(
                '|',
                Try(() => http.HttpContext?.Request.Path.Value ?? "nothing"),
                Try(() => context.Platform<ITestSeller>().Product),
                Try(() => context.CallerDocuments<TestBuy>().ToString()),
                Try(() => context.Cache.ToString()),
                $"{own.IsDisposed}"
            );
        });
        return "left";
    }

    /// <summary>Leaves work behind, which looks around when the call is over.</summary>
    [McpServerTool(Name = "leave_behind")]
    public string LeaveBehind(McpServer server, RequestContext<CallToolRequestParams> request, Leftover leftover, ToolContext context)
    {
        leftover.Seen = Task.Run(async () =>
        {
            await leftover.MayLook.Task;
            return string.Join(
                '|',
                Try(() => http.HttpContext?.Request.Path.Value ?? "nothing"),
                Try(() => server.Services!.GetRequiredService<ScopeMark>().Tag),
                Try(() => request.Services!.GetRequiredService<ScopeMark>().Tag),
                Try(() => context.Platform<ITestSeller>().Product),
                await TryAsync(() => server.SendNotificationAsync("notifications/late")),
                $"{own.IsDisposed}"
            );
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

    private async Task<string> MarkAsync(
        string tag,
        int turns,
        bool obeys,
        string expected,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        Interlocked.Increment(ref log.Begun);
        own.Tag = tag;
        try
        {
            Check(tag, expected, context);
            for (var turn = 0; turn < turns; turn++)
            {
                await Task.Delay(turn % 2, obeys ? cancellationToken : CancellationToken.None);
                Check(tag, expected, context);
            }

            return $"{expected}|{tag}";
        }
        catch (InvalidOperationException exception)
        {
            // Of which ObjectDisposedException is one: a call lasts until its handler has ended.
            log.Wrong.Enqueue($"{tag}: {exception.Message}");
            throw;
        }
        finally
        {
            Interlocked.Increment(ref log.Ended);
        }
    }

    // A handler whose answer nobody waits for looks, too.
    private void Check(string tag, string expected, ToolContext context)
    {
        var seen = $"{context.TenantId}|{context.Caller}|{context.Platform<ITestSeller>().Product}|{context.AccountId}";
        if (
            seen != expected
            || given.TenantId != context.TenantId
            || !given.Caller.Equals(context.Caller)
            || given.AccountId != context.AccountId
        )
        {
            log.Wrong.Enqueue($"{tag}: {seen} instead of {expected}, and {given.TenantId} {given.Caller} {given.AccountId}");
        }

        if (own.IsDisposed || own.Tag != tag)
        {
            log.Wrong.Enqueue($"{tag}: scope {own.Tag} {own.IsDisposed}");
        }

        if (http.HttpContext is { } call && TagOf(call) is { } other && other != tag && ReferenceEquals(http.HttpContext, call))
        {
            log.Wrong.Enqueue($"{tag}: the HTTP request of {other}");
        }
    }

    // A handler may outlive its request, which may end while this looks.
    private static string? TagOf(HttpContext call)
    {
        try
        {
            return call.Request.Headers[TagHeader];
        }
        catch (Exception exception) when (exception is ObjectDisposedException or NullReferenceException)
        {
            return null;
        }
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
        if (
            own is not { IsDisposed: false }
            || own.Tag != tag
            || ofServer is { IsDisposed: true }
            || ofServer?.Tag is { } other && other != tag
        )
        {
            log.Wrong.Enqueue($"{tag}: scopes {own.Tag} {own.IsDisposed} {ofServer?.Tag} {ofServer?.IsDisposed}");
        }

        return string.Join(
            '|',
            context.TenantId,
            context.Caller,
            context.Platform<ITestSeller>().Product,
            call?.Features.Get<ITenantFeature>()?.Tenant.Id,
            call?.Request.Headers[TagHeader],
            call?.User.FindFirstValue(ClaimTypes.NameIdentifier),
            request.JsonRpcRequest.Context?.User?.FindFirstValue(ClaimTypes.NameIdentifier),
            server.ClientInfo?.Name,
            tag
        );
    }

    internal sealed class Leftover
    {
        public TaskCompletionSource MayLook { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string>? Seen { get; set; }
    }
}

/// <summary>What a marked AdCP call is told of itself.</summary>
internal sealed record MarkRequest : AdcpRequest, IAccountRequest
{
    public required string Tag { get; init; }

    public required int Turns { get; init; }

    public required bool Obeys { get; init; }

    public required string Expected { get; init; }

    public AccountReference? Account { get; init; }
}

/// <summary>The same, of a call that is done once.</summary>
internal sealed record MarkWriteRequest : AdcpRequest, IAccountRequest, IIdempotentRequest
{
    public required string Tag { get; init; }

    public required int Turns { get; init; }

    public required bool Obeys { get; init; }

    public required string Expected { get; init; }

    public required string IdempotencyKey { get; init; }

    public AccountReference? Account { get; init; }
}

/// <summary>What a marked AdCP call saw of itself.</summary>
internal sealed record MarkResponse : AdcpResponse
{
    public required string Mark { get; init; }
}

/// <summary>Every caller has an account of any name, which is another one than that of another caller.</summary>
internal sealed class MarkAccounts : IAccountResolver
{
    public async Task<IReadOnlyList<Account>> ResolveAsync(
        AccountReference? reference,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        await Task.Yield();
        return reference is null
            ? []
            :
            [
                new()
                {
                    AccountId = $"{context.TenantId}/{context.Caller}/{reference.AccountId}",
                    Name = "any",
                    Status = AccountStatus.Active,
                },
            ];
    }
}

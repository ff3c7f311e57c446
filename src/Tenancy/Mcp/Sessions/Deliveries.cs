using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using ModelContextProtocol.Protocol;
using Tenancy.Configuration;
using Tenancy.Mcp.Requests;
using Tenancy.Resolution;
using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>
/// What a client tells a session that only the right node can act upon: that a request is cancelled, the answer to a question, a log level.
/// What is not for this node goes to the others by a message; what none of them takes is refused, so that no client takes for done what
/// nobody does.
/// </summary>
internal sealed class Deliveries(RedisConnection redis, OpenSessions open, FleetNodes nodes, FleetMessages messages, TimeProvider time)
    : IHostedService
{
    /// <summary>The largest message that goes from node to node. All of them hear it.</summary>
    public const int MaxMessage = 256 * 1024;

    /// <summary>How many of one tenant may wait for another node at a time.</summary>
    public const int MaxWaiting = 16;

    /// <summary>How long the other nodes have to take one.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(750);

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _waiting = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<TenantId, int> _counts = new();

    public Task StartAsync(CancellationToken cancellationToken)
    {
        messages.Listen(message =>
        {
            if (message.Topic == FleetTopic.Delivered && _waiting.TryGetValue(message.Detail, out var taken))
            {
                taken.TrySetResult();
            }
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Delivers it to this node, where it is this node's, or to another one. Of what is this node's the MCP SDK hears, too, as the request
    /// or the question may be its own.
    /// </summary>
    public async ValueTask<DeliveryOutcome> DeliverAsync(McpRequest request) =>
        request.Head switch
        {
            { Method: NotificationMethods.CancelledNotification } => await CancelAsync(request),
            { IsAnswer: true } => await AnswerAsync(request),
            { Method: McpRequest.SetLogLevel } when !request.IsModern => await SetLogLevelAsync(request),
            _ => DeliveryOutcome.Here,
        };

    private async ValueTask<DeliveryOutcome> CancelAsync(McpRequest request)
    {
        var id = request.Head.CancelledId;
        if (MessageHead.IsEmpty(id) || request.SessionId is not { } session)
        {
            return new(Refusal.NoSuchRequest);
        }

        var cancelled = RequestIds.Read(request.Body.Span[id]);
        return open.Find(request.Tenant.Id, session)?.TryCancel(cancelled) is true
            ? DeliveryOutcome.Here
            : await SendAsync(request, session, DeliveryKind.Cancellation, cancelled, Refusal.NoSuchRequest);
    }

    private async ValueTask<DeliveryOutcome> AnswerAsync(McpRequest request)
    {
        if (request.SessionId is not { } session)
        {
            return new(Refusal.NoSuchQuestion);
        }

        var question = RequestIds.Read(request.Body.Span[request.Head.Id]);
        return open.Find(request.Tenant.Id, session)?.TryAnswer(question) is true
            ? DeliveryOutcome.Here
            : await SendAsync(request, session, DeliveryKind.Answer, question, Refusal.NoSuchQuestion);
    }

    // The MCP SDK keeps the level with the session that it has, and each node has one of its own: they hear of it at once, and the store
    // has it for a node that takes the session over later.
    private async ValueTask<DeliveryOutcome> SetLogLevelAsync(McpRequest request)
    {
        if (request.SessionId is not { } session)
        {
            return new(Refusal.NoLogLevel);
        }

        var (owner, level) = (SessionGuard.Owner(request.Tenant, request.Caller), LevelOf(request));
        await new SessionStore(redis, request.Tenant.Id, request.Tenant.Generation).KeepLogLevelAsync(session, owner, level);
        if (await nodes.HasOthersAsync())
        {
            // The level alone: whatever else the client has sent is no other node's affair.
            Tell(request, session, DeliveryKind.LogLevel, subject: "", id: "-", LogLevelMessage(level));
        }

        return DeliveryOutcome.Here;
    }

    /// <summary>What tells the MCP SDK the log level of a session.</summary>
    public static byte[] LogLevelMessage(string level) =>
        Encoding.UTF8.GetBytes(
            $$$"""{"jsonrpc":"2.0","id":"level","method":"{{{McpRequest.SetLogLevel}}}","params":{"level":"{{{level}}}"}}"""
        );

    private static string LevelOf(McpRequest request)
    {
        using var parameters = JsonDocument.Parse(request.Body[request.Head.Parameters]);
        return parameters.RootElement.GetProperty("level").GetString()!;
    }

    private async ValueTask<DeliveryOutcome> SendAsync(
        McpRequest request,
        string session,
        DeliveryKind kind,
        string subject,
        Refusal refusal
    )
    {
        if (request.Body.Length > MaxMessage || !await nodes.HasOthersAsync())
        {
            return new(request.Body.Length > MaxMessage ? Refusal.TooLargeToDeliver : refusal);
        }

        // Bounded, because all nodes hear of each: nobody keeps them busy with what nobody waits for.
        if (_counts.AddOrUpdate(request.Tenant.Id, 1, static (_, count) => count + 1) > MaxWaiting)
        {
            Leave(request.Tenant.Id);
            return new(Refusal.TooManyRequests(1));
        }

        var id = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        var taken = _waiting[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            Tell(request, session, kind, subject, id, request.Body.ToArray());
            await taken.Task.WaitAsync(Patience, time, request.Http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return taken.Task.IsCompletedSuccessfully ? DeliveryOutcome.Elsewhere : new(refusal);
        }
        finally
        {
            _waiting.TryRemove(id, out _);
            Leave(request.Tenant.Id);
        }
    }

    private void Tell(McpRequest request, string session, DeliveryKind kind, string subject, string id, byte[] message)
    {
        var delivery = new Delivery(id, TenantKeyspace.Hash(session), kind, subject, DeliveryUser.Of(request.User), message);
        messages.Tell(new(FleetTopic.Delivery, request.Tenant.Id, delivery.Write()));
    }

    private void Leave(TenantId tenant)
    {
        if (_counts.AddOrUpdate(tenant, 0, static (_, count) => count - 1) == 0)
        {
            // Somebody may have come in between: then the entry is another one, and stays.
            _counts.TryRemove(KeyValuePair.Create(tenant, 0));
        }
    }
}

/// <summary>What became of a delivery.</summary>
/// <param name="Refusal">Why nobody took it; null where it was taken.</param>
/// <param name="IsHere">Whether this node goes on with it.</param>
internal readonly record struct DeliveryOutcome(Refusal? Refusal, bool IsHere = false)
{
    /// <summary>Gets that of what this node goes on with.</summary>
    public static DeliveryOutcome Here => new(Refusal: null, IsHere: true);

    /// <summary>Gets that of what another node has taken.</summary>
    public static DeliveryOutcome Elsewhere => new(Refusal: null);
}

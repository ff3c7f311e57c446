using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Registry;

namespace Tenancy.Mcp;

/// <summary>What a server without sessions knows of the HTTP request that a message came with. It flows with the message, and with nothing else.</summary>
/// <remarks>It has no <see cref="HttpContext"/>: Kestrel uses that again, and work that a tool left behind would see the next request.</remarks>
internal sealed class StatelessCall(HttpContext context, TenantModel tenant, IServiceScopeFactory scopes)
{
    private const int Waiting = 0;
    private const int Begun = 1;
    private const int Abandoned = 2;
    private static readonly AsyncLocal<StatelessCall?> Flow = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state;

    public static StatelessCall? Current
    {
        get => Flow.Value;
        set => Flow.Value = value;
    }

    /// <summary>Gets the services of the message, until its handler has ended.</summary>
    public CallScope Services { get; } = new(scopes);

    /// <summary>Gets what tells that the client went.</summary>
    public CancellationToken Aborted { get; } = context.RequestAborted;

    /// <summary>Gets what the tenant's server says that it is.</summary>
    public JsonElement ServerInfo => TenantServer.Describe(tenant);

    /// <summary>Completes when the handler, once it has begun, has ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Gets whether the request gave the message up before a handler began.</summary>
    public bool IsAbandoned => Volatile.Read(ref _state) == Abandoned;

    /// <summary>Begins the handler; false where the message was given up before.</summary>
    public bool TryBegin() => Interlocked.CompareExchange(ref _state, Begun, Waiting) == Waiting;

    /// <summary>Gives the message up; false where its handler has begun, and has to be waited for, or it was given up before.</summary>
    public bool TryAbandon() => Interlocked.CompareExchange(ref _state, Abandoned, Waiting) == Waiting;

    /// <summary>Ends the handler.</summary>
    public void End() => _ended.TrySetResult();
}

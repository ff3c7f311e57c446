using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Tenancy.Mcp;

/// <summary>What a server without sessions knows of the HTTP request that a message came with, and when its handler begins and ends.</summary>
internal sealed class StatelessCall : CallOrigin
{
    private const int Waiting = 0;
    private const int Begun = 1;
    private const int Abandoned = 2;
    private static readonly TaskCompletionSource AtOnce = Completed();
    private TaskCompletionSource? _ended;
    private int _state;

    private StatelessCall(HttpContext context, HeldReply reply, IServiceScopeFactory scopes)
        : base(context, reply)
    {
        Services = new(scopes);
        Aborted = context.RequestAborted;
    }

    public static new StatelessCall? Current => CallOrigin.Current as StatelessCall;

    /// <summary>Gets the services of the message, until its handler has ended.</summary>
    public CallScope Services { get; }

    /// <summary>Gets what tells that the client went.</summary>
    public CancellationToken Aborted { get; }

    /// <summary>Gets what the tenant's server says that it is.</summary>
    public JsonElement ServerInfo => TenantServer.Describe(Tenant);

    /// <summary>Lets what the caller of this method goes on to call know the request.</summary>
    public static StatelessCall Begin(HttpContext context, HeldReply reply, IServiceScopeFactory scopes)
    {
        var call = new StatelessCall(context, reply, scopes);
        CallOrigin.Current = call;
        return call;
    }

    /// <summary>Completes when the handler, once it has begun, has ended.</summary>
    public Task Ended => (Volatile.Read(ref _ended) ?? Await()).Task;

    /// <summary>Gets whether the request gave the message up before a handler began.</summary>
    public bool IsAbandoned => Volatile.Read(ref _state) == Abandoned;

    /// <summary>Begins the handler; false where the message was given up before.</summary>
    public bool TryBegin() => Interlocked.CompareExchange(ref _state, Begun, Waiting) == Waiting;

    /// <summary>Gives the message up; false where its handler has begun, and has to be waited for, or it was given up before.</summary>
    public bool TryAbandon() => Interlocked.CompareExchange(ref _state, Abandoned, Waiting) == Waiting;

    /// <summary>Ends the handler.</summary>
    public void End() => Interlocked.Exchange(ref _ended, AtOnce)?.TrySetResult();

    // Mostly the handler has ended before anybody waits for it.
    private TaskCompletionSource Await()
    {
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Interlocked.CompareExchange(ref _ended, waiting, null) ?? waiting;
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}

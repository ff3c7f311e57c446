using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Security.Claims;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy.Authentication;
using Tenancy.Diagnostics;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>
/// One run of a handler. It holds its tenant's platform, and its place among the tenant's calls, until the handler has ended, whatever
/// becomes of the request that it began with.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The last ReleaseAsync disposes of the services. A handler cannot end its own call.")]
public sealed class Call : IUnitOfWork
{
    private readonly CallStarter _starter;
    private readonly ConcurrentCalls.Place _place;
    private CallServices _services;
    private ToolContext? _first;
    private ToolContext? _narrowed;
    private DocumentWork? _work;
    private readonly long _begun = Stopwatch.GetTimestamp();
    private string? _reference;
    private string _outcome = CallOutcome.Ok;
    private long _bytes;
    private long _units;

    // The request's own hold, and that of work which goes on without it.
    private int _holds = 1;
    private volatile bool _hasEnded;
    private volatile bool _hasCommitted;
    private volatile bool _isClaimed;
    private volatile bool _isCountedElsewhere;

    internal Call(TenantModel tenant, CallerIdentity caller, ConcurrentCalls.Place place, CallStarter starter)
    {
        (Tenant, Caller, _place, _starter) = (tenant, caller, place, starter);
        _services = new(starter.Scopes, this);
    }

    /// <summary>Gets the tenant's context.</summary>
    public ToolContext Context => _narrowed ?? Unnarrowed;

    /// <summary>Gets the services of the call's own scope.</summary>
    public IServiceProvider Services => _services;

    /// <summary>Gets whether the tenant asks no caller for proof, so that nothing is kept from anonymous ones.</summary>
    public bool IsOpen => CallerRights.IsOpen(Tenant);

    /// <summary>
    /// Gets what names this call in the log, for an answer that says no more than that it failed: the id of its trace, where it has one.
    /// </summary>
    public string Reference => _reference ?? Interlocked.CompareExchange(ref _reference, FailureReference.New(), null) ?? _reference;

    internal TenantModel Tenant { get; }

    /// <summary>Gets the tool that runs; null for another kind of handler.</summary>
    internal TenantTool? Tool { get; init; }

    /// <summary>Gets the activity of the run; null where nobody listens.</summary>
    internal Activity? Activity { get; init; }

    /// <summary>Gets how the handler ended, as far as is known.</summary>
    internal string Outcome => _outcome;

    internal CallerIdentity Caller { get; }

    /// <summary>Gets the caller as ASP.NET Core has it, where the tool asks for that.</summary>
    internal ClaimsPrincipal? User { get; init; }

    /// <summary>Gets whether the call is direct and its client speaks 2026-07-28 or later.</summary>
    internal bool IsModern { get; init; }

    /// <summary>
    /// Gets the context as it is before the arguments say which accounts the call is for. A call that never asks for it has none.
    /// </summary>
    internal ToolContext Unnarrowed
    {
        get
        {
            var context = _first ?? Interlocked.CompareExchange(ref _first, _starter.Contexts.Create(Tenant, Caller, this), null) ?? _first;
            if (_hasEnded)
            {
                // The call has ended, or ends right now, so that nothing may be reached by this context. The end of the call first sets
                // this mark and then looks for contexts: of the two, whichever comes second ends the context.
                context.End();
            }

            return context;
        }
    }

    /// <summary>Gets what was written and is not committed; null for nothing.</summary>
    internal DocumentWork? Work => Volatile.Read(ref _work);

    DocumentWork? IUnitOfWork.Work => Work;

    void IUnitOfWork.AddUnits(long units) => UsedUnits.Add(ref _units, units);

    DocumentWork IUnitOfWork.BeginWork()
    {
        if (_hasCommitted)
        {
            throw new InvalidOperationException(
                "The handler has returned, and what it wrote was committed: write before that, and await what writes."
            );
        }

        return Work ?? Interlocked.CompareExchange(ref _work, new(ToolContextFactory.DocumentBudget(Tenant, Caller)), null) ?? _work;
    }

    /// <summary>
    /// Narrows the call to what its arguments name: from here on its context is for that account, and what it reads and writes lies there.
    /// </summary>
    /// <param name="accountId">The account, which the caller may use: nothing is checked here. Null for none.</param>
    /// <exception cref="InvalidOperationException"><see cref="KeyedCalls"/> runs the call's handler already.</exception>
    public void ForAccount(string? accountId) => Narrow(accountId, readable: null);

    /// <summary>
    /// Narrows the call to an account that may be one for tests, which <see cref="ToolContext.IsSandbox"/> tells the handler.
    /// </summary>
    /// <param name="accountId">The account, which the caller may use: nothing is checked here.</param>
    /// <param name="isSandbox">Whether it is for tests: nothing may be ordered or billed for it.</param>
    /// <exception cref="InvalidOperationException"><see cref="KeyedCalls"/> runs the call's handler already.</exception>
    public void ForAccount(string accountId, bool isSandbox) => Narrow(accountId, readable: null, isSandbox: isSandbox);

    /// <summary>
    /// Lets the call read what lies in several accounts of the caller, and write nothing, because its arguments name none of them.
    /// </summary>
    /// <param name="find">
    /// Finds the accounts, which the caller may use. It is asked when a document is first read, and once: most calls read none.
    /// </param>
    /// <exception cref="InvalidOperationException"><see cref="KeyedCalls"/> runs the call's handler already.</exception>
    public void ForAccounts(Func<CancellationToken, Task<IReadOnlyList<string>>> find)
    {
        ArgumentNullException.ThrowIfNull(find);
        Narrow(null, new(find, Caller.Value));
    }

    internal void Narrow(string? accountId, ReadableAccounts? readable, IdempotencyLease? lease = null, bool isSandbox = false)
    {
        if (lease is null && _isClaimed)
        {
            throw new InvalidOperationException(
                "The request has claimed its key for its account: say before that which account it is for."
            );
        }

        _isClaimed = lease is not null;
        _narrowed?.End();
        _narrowed = _starter.Contexts.Create(Tenant, Caller, this, accountId, lease, readable, isSandbox);
        if (_hasEnded)
        {
            // As in Unnarrowed: whoever kept the call reaches nothing with it any more.
            _narrowed.End();
        }
    }

    /// <summary>Begins a try of a claimed request: under its name, and where it is not the first one with services of its own.</summary>
    /// <param name="lease">The claim.</param>
    /// <param name="start">What the call had written and used before the first try.</param>
    /// <param name="isFirst">Whether no other try wrote anything.</param>
    internal async ValueTask BeginTryAsync(IdempotencyLease lease, DocumentWork.Start start, bool isFirst)
    {
        if (!isFirst)
        {
            // What a service of the call remembers is what the store refused.
            await DisposeServicesAsync();
            _services = new(_starter.Scopes, this);
            Interlocked.Exchange(ref _units, 0);
        }

        if (!isFirst || lease.IsTakenOver)
        {
            Volatile.Write(ref _work, DocumentWork.Again(ToolContextFactory.DocumentBudget(Tenant, Caller), start));
        }

        // Which accounts the caller has is asked anew, too.
        var readable = Context.Accounts.Readable;
        Narrow(Context.AccountId, isFirst ? readable : readable?.Again(), lease, Context.IsSandbox);
    }

    /// <summary>Commits what the handler wrote. It has returned, so that nothing is written after that.</summary>
    /// <param name="isError">Whether it answered that it failed: then nothing of it stays.</param>
    /// <exception cref="DocumentChangedException">A document is not as it was read; nothing was written.</exception>
    /// <exception cref="StorageBudgetExceededException">
    /// The tenant, or the caller, keeps as much as it may; nothing was written.
    /// </exception>
    internal Task CommitAsync(bool isError = false)
    {
        if (isError || Volatile.Read(ref _holds) > 1)
        {
            // A handler that was not waited for goes on: what it writes is for its own commit, together with its answer.
            return Task.CompletedTask;
        }

        _hasCommitted = true;
        return Work is { IsEmpty: false } ? Context.FlushAsync() : Task.CompletedTask;
    }

    /// <summary>Goes on with the call although its request may end: with neither the request's context nor its ambient state.</summary>
    internal Task<T> RunDetached<T>(Func<Task<T>> work)
    {
        Interlocked.Increment(ref _holds);
        var activity = Activity.Current;
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(RunAsync);
        }

        async Task<T> RunAsync()
        {
            if (activity is not null)
            {
                // What it does is a part of the trace of its request, which may have ended.
                Activity.Current = activity;
            }

            try
            {
                using var scope = BeginScope();
                return await work();
            }
            finally
            {
                await ReleaseAsync();
            }
        }
    }

    /// <summary>Notes how the handler ended.</summary>
    internal void Note(string outcome) => _outcome = outcome;

    /// <summary>Counts bytes of the request or the answer for the call.</summary>
    internal void CountBytes(long bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>Says whether the call is counted by its commit, or not at all, as what an earlier call was counted for.</summary>
    internal void CountElsewhere(bool isElsewhere) => _isCountedElsewhere = isElsewhere;

    /// <summary>What the call took until now.</summary>
    /// <param name="tool">The tool.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="answer">The bytes of the answer that were not counted yet.</param>
    internal UsageRow Use(string tool, string outcome, long answer) =>
        new(
            tool,
            outcome,
            1,
            Stopwatch.GetElapsedTime(_begun).Ticks / TimeSpan.TicksPerMicrosecond,
            Interlocked.Read(ref _bytes) + answer,
            Interlocked.Read(ref _units)
        );

    /// <summary>Logs what the handler threw, in one line, at the level of whose fault it is.</summary>
    /// <returns>What the caller may name to who runs the server; null where the failure is the caller's to mend.</returns>
    internal string? LogFailure(ILogger logger, Exception exception)
    {
        var tool = Tool?.ProtocolTool.Name ?? "";
        if (CallOutcome.Of(exception) == CallOutcome.Error)
        {
            logger.ToolRefusedCall(tool, Tenant.Id.Value);
            return null;
        }

        logger.ToolFailed(exception, tool, Tenant.Id.Value, Reference);
        return Reference;
    }

    /// <summary>
    /// Ends a hold. With the last one the call ends: whoever kept its context or its services reaches nothing with them any more.
    /// </summary>
    internal ValueTask ReleaseAsync() => Interlocked.Decrement(ref _holds) == 0 ? EndAsync() : default;

    private async ValueTask EndAsync()
    {
        try
        {
            await DisposeServicesAsync();
        }
        finally
        {
            _hasEnded = true;
            Interlocked.MemoryBarrier();
            _first?.End();
            _narrowed?.End();
            _place.GiveBack();
            CallObservation.End(_starter.Metrics, Activity, _begun, Tenant, Tool, _outcome);
            Count();
            await Tenant.Platform!.ReleaseAsync();
        }
    }

    private void Count()
    {
        if (Tool is null)
        {
            return;
        }

        _starter.Traffic?.Add(
            Tenant.Id,
            Tenant.Generation,
            CallOutcome.EndOf(_outcome),
            Stopwatch.GetElapsedTime(_begun).Ticks / TimeSpan.TicksPerMicrosecond
        );
        if (!_isCountedElsewhere && _starter.Usage is { } usage)
        {
            usage.Add(Tenant.Id, Tenant.Generation, Use(Tool.ProtocolTool.Name, _outcome, answer: 0));
        }
    }

    private IDisposable? BeginScope() =>
        _starter.Logger.IsEnabled(LogLevel.Critical)
            ? _starter.Logger.BeginScope(new CallLogScope(Tenant.Id, Caller, Tool?.ProtocolTool.Name))
            : null;

    private async ValueTask DisposeServicesAsync()
    {
        try
        {
            await _services.DisposeAsync();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The handler has answered: what its services do at their end is not the caller's to mend.
            _starter.Logger.CallServicesNotDisposed(exception, Tenant.Id.Value);
        }
    }
}

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
    private readonly IServiceScopeFactory _scopes;
    private readonly ToolContextFactory _contexts;
    private readonly ConcurrentCalls.Place _place;
    private readonly ILogger _logger;
    private CallServices _services;
    private ToolContext? _first;
    private ToolContext? _narrowed;
    private DocumentWork? _work;

    // The request's own hold, and that of work which goes on without it.
    private int _holds = 1;
    private volatile bool _hasEnded;
    private volatile bool _hasCommitted;
    private volatile bool _isClaimed;

    internal Call(
        TenantModel tenant,
        CallerIdentity caller,
        ToolContextFactory contexts,
        ConcurrentCalls.Place place,
        IServiceScopeFactory scopes,
        ILogger logger
    )
    {
        (Tenant, Caller, _contexts, _place, _scopes, _logger) = (tenant, caller, contexts, place, scopes, logger);
        _services = new(scopes, this);
    }

    /// <summary>Gets the tenant's context.</summary>
    public ToolContext Context => _narrowed ?? Unnarrowed;

    /// <summary>Gets the services of the call's own scope.</summary>
    public IServiceProvider Services => _services;

    /// <summary>Gets whether the tenant asks no caller for proof, so that nothing is kept from anonymous ones.</summary>
    public bool IsOpen => ToolContextFactory.IsOpen(Tenant);

    internal TenantModel Tenant { get; }

    internal CallerIdentity Caller { get; }

    /// <summary>Gets the caller as ASP.NET Core has it, where the tool asks for that.</summary>
    internal ClaimsPrincipal? User { get; init; }

    /// <summary>Gets the revision of the protocol by which the handler is called; null where the MCP SDK's own server knows it.</summary>
    internal string? Revision { get; init; }

    /// <summary>
    /// Gets the context as it is before the arguments say which accounts the call is for. A call that never asks for it has none.
    /// </summary>
    internal ToolContext Unnarrowed
    {
        get
        {
            var context = _first ?? Interlocked.CompareExchange(ref _first, _contexts.Create(Tenant, Caller, this), null) ?? _first;
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

    internal void Narrow(string? accountId, ReadableAccounts? readable, IdempotencyLease? lease = null)
    {
        if (lease is null && _isClaimed)
        {
            throw new InvalidOperationException(
                "The request has claimed its key for its account: say before that which account it is for."
            );
        }

        _isClaimed = lease is not null;
        _narrowed?.End();
        _narrowed = _contexts.Create(Tenant, Caller, this, accountId, lease, readable);
        if (_hasEnded)
        {
            // As in Unnarrowed: whoever kept the call reaches nothing with it any more.
            _narrowed.End();
        }
    }

    /// <summary>Begins a try of a claimed request: under its name, and where it is not the first one with services of its own.</summary>
    /// <param name="lease">The claim.</param>
    /// <param name="writes">What was written before the first try; null for nothing.</param>
    /// <param name="isFirst">Whether no other try wrote anything.</param>
    internal async ValueTask BeginTryAsync(IdempotencyLease lease, DocumentWrite[]? writes, bool isFirst)
    {
        if (!isFirst)
        {
            // What a service of the call remembers is what the store refused.
            await DisposeServicesAsync();
            _services = new(_scopes, this);
        }

        if (!isFirst || lease.IsTakenOver)
        {
            Volatile.Write(ref _work, DocumentWork.Again(ToolContextFactory.DocumentBudget(Tenant, Caller), writes));
        }

        Narrow(Context.AccountId, Context.Accounts.Readable, lease);
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
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(RunAsync);
        }

        async Task<T> RunAsync()
        {
            try
            {
                return await work();
            }
            finally
            {
                await ReleaseAsync();
            }
        }
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
            await Tenant.Platform!.ReleaseAsync();
        }
    }

    private async ValueTask DisposeServicesAsync()
    {
        try
        {
            await _services.DisposeAsync();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The handler has answered: what its services do at their end is not the caller's to mend.
            _logger.CallServicesNotDisposed(exception, Tenant.Id.Value);
        }
    }
}

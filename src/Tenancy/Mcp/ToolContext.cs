using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.Extensions.Caching.Hybrid;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>
/// One call of a tool, prompt or resource: which tenant it is for, who calls, and the way to that tenant's state. Made for the call, and
/// useless after it.
/// </summary>
public sealed class ToolContext
{
    private readonly TenantModel _tenant;
    private readonly object _platform;
    private readonly RedisConnection _redis;
    private readonly HybridCache _hybrid;
    private readonly IUnitOfWork _unit;
    private readonly IdempotencyLease? _lease;
    private string? _operationId;
    private DocumentScope? _documents;
    private DocumentScope? _own;
    private TenantCache? _cache;
    private volatile bool _hasEnded;

    internal ToolContext(
        TenantModel tenant,
        PlatformInstance platform,
        CallerIdentity caller,
        CallAccounts accounts,
        IUnitOfWork unit,
        IdempotencyLease? lease,
        RedisConnection redis,
        HybridCache cache
    )
    {
        TenantId = tenant.Id;
        Caller = caller;
        AccountId = accounts.Id;
        Accounts = accounts;
        ToolNames = platform.ToolNames;
        _tenant = tenant;
        _platform = platform.Instance;
        _operationId = lease?.OperationId;
        _unit = unit;
        _lease = lease;
        _redis = redis;
        _hybrid = cache;
    }

    /// <summary>Gets the tenant's id.</summary>
    public TenantId TenantId { get; }

    /// <summary>Gets the tenant's name, as people see it.</summary>
    public string TenantName => _tenant.Config.Name ?? TenantId.Value;

    /// <summary>Gets who is calling.</summary>
    public CallerIdentity Caller { get; }

    /// <summary>Gets the account that the call is for; null for callers without credentials, and for calls that name none.</summary>
    public string? AccountId { get; }

    /// <summary>
    /// Gets whether the account is one for tests: nothing may be ordered or billed for it. It is false where the call names no account.
    /// </summary>
    public bool IsSandbox => Accounts.IsSandbox;

    /// <summary>Gets what names this piece of work: the same when the call is tried again.</summary>
    public string OperationId => _operationId ?? Interlocked.CompareExchange(ref _operationId, NewOperationId(), null) ?? _operationId;

    /// <summary>Gets this tenant's instance of its platform, as the platform's class or an interface of it.</summary>
    /// <exception cref="InvalidOperationException">The platform of this tenant is of another kind, or the call has ended.</exception>
    public T Platform<T>()
        where T : class
    {
        ThrowIfEnded();
        return _platform as T
            ?? throw new InvalidOperationException(
                $"The platform of tenant '{TenantId}' is {_platform.GetType().Name}, which is no {typeof(T).Name}."
            );
    }

    /// <summary>Gets this tenant's instance of its platform as an interface that not every platform has; null where it has not.</summary>
    /// <exception cref="InvalidOperationException">The call has ended.</exception>
    public T? FindPlatform<T>()
        where T : class
    {
        ThrowIfEnded();
        return _platform as T;
    }

    /// <summary>Gets the names of the tools that tenants of this platform have.</summary>
    public IReadOnlySet<string> ToolNames { get; }

    /// <summary>
    /// Gets the documents of a type, of this tenant and account; of all accounts of the caller, to be read only, where the call names none.
    /// </summary>
    /// <exception cref="InvalidOperationException">The call has ended.</exception>
    public Documents<T> Documents<T>()
        where T : TenantDocument
    {
        ThrowIfEnded();
        return new(_documents ??= NewScope(SpaceOf(Accounts.Id), Accounts.Readable));
    }

    /// <summary>
    /// Gets the documents of a type that belong to the caller itself, and to no account of it: such as its list of accounts.
    /// </summary>
    /// <exception cref="InvalidOperationException">The call has ended.</exception>
    public Documents<T> CallerDocuments<T>()
        where T : TenantDocument
    {
        ThrowIfEnded();
        return new(_own ??= NewScope(Accounts.Own is { } own ? DocumentSpace.OfCaller(own) : null));
    }

    /// <summary>
    /// Commits now what the call wrote so far, for a handler that calls out in between or writes more than one commit may hold. What it
    /// writes after that is a commit of its own.
    /// </summary>
    /// <remarks>
    /// What was flushed stays, also when the handler throws. A retry, or another run after a conflict, finds it there: <c>CreateAsync</c>
    /// gives the documents back that were created before, and what was replaced is read as it is now. To repeat a flush is safe. What the
    /// store refuses is dropped: the handler begins again from what it reads then.
    /// </remarks>
    /// <param name="cancellationToken">Refuses to begin; what was sent is not taken back.</param>
    /// <exception cref="DocumentChangedException">A document is not as it was read; nothing was written.</exception>
    /// <exception cref="StorageBudgetExceededException">
    /// The tenant, or the caller, keeps as much as it may; nothing was written.
    /// </exception>
    /// <exception cref="StoreUnavailableException">The store did not answer. It may have been written; flush again.</exception>
    /// <exception cref="InvalidOperationException">The call has ended, or another flush is under way.</exception>
    public Task FlushAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfEnded();
        cancellationToken.ThrowIfCancellationRequested();
        return _unit.Work is { IsEmpty: false } work
            ? DocumentCommit.FlushAsync(_redis, new TenantKeyspace(TenantId), _tenant.Generation, work, _lease)
            : Task.CompletedTask;
    }

    /// <summary>
    /// Adds to the units that the call is billed with, such as impressions that it booked; what a unit is, the application decides. They
    /// are in the tenant's usage, by day and tool.
    /// </summary>
    /// <remarks>
    /// Of a call with an idempotency key they count with its commit, once, and not at all where it fails. Where such a handler runs again
    /// after a conflict, those of the run before are forgotten. Outside a call, as in a <see cref="TenantScope"/>, nobody counts them.
    /// </remarks>
    /// <param name="units">How many: 0 or more, and 10^12 at most in all that a call adds.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are less than none, or too many; none of them was added.</exception>
    /// <exception cref="InvalidOperationException">The call has ended.</exception>
    public void AddUnits(long units)
    {
        ThrowIfEnded();
        _unit.AddUnits(units);
    }

    /// <summary>Gets a cache for this tenant, and within it for this caller or account.</summary>
    /// <exception cref="InvalidOperationException">The call has ended.</exception>
    public TenantCache Cache
    {
        get
        {
            ThrowIfEnded();
            return _cache ??= new(
                _hybrid,
                TenantId.Value,
                _tenant.Version,
                _tenant.Record.SessionEpoch,
                AccountId is null ? null : TenantKeyspace.Hash(AccountId),
                TenantKeyspace.Hash(Caller.Value),
                ThrowIfEnded
            );
        }
    }

    /// <summary>Gets which accounts the call is for.</summary>
    internal CallAccounts Accounts { get; }

    /// <summary>Ends the call: whoever kept this context, or anything got from it, reaches nothing any more.</summary>
    internal void End() => _hasEnded = true;

    private static string NewOperationId() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));

    // What a call does not use is not made for it: each of these has hashes in it.
    private DocumentScope NewScope(string? space, ReadableAccounts? readable = null) =>
        new(_redis, TenantId, OperationId, _unit, ThrowIfEnded, space, readable) { Generation = _tenant.Generation };

    // The server itself may name a caller to work on what is that caller's own.
    private string? SpaceOf(string? account) =>
        account is null ? null
        : ReferenceEquals(Caller, CallerIdentity.System) && DocumentSpace.IsIdentity(account) ? DocumentSpace.OfCaller(account)
        : DocumentSpace.Of(account, Accounts.Own);

    private void ThrowIfEnded()
    {
        if (_hasEnded)
        {
            throw new InvalidOperationException(
                "The tool call that this context belongs to has ended: do not keep a ToolContext, or anything got from it."
            );
        }
    }
}

/// <summary>Which accounts a call is for.</summary>
/// <param name="Own">What the caller's own documents lie under; null for a caller without credentials.</param>
/// <param name="Id">The account that the call names; null for none.</param>
/// <param name="Readable">The accounts that are read where the call names none; null for none.</param>
/// <param name="IsSandbox">Whether the account that the call names is one for tests.</param>
internal sealed record CallAccounts(string? Own, string? Id, ReadableAccounts? Readable, bool IsSandbox);

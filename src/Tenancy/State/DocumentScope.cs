using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>What the documents of one call are bound to: its tenant, its account and its operation.</summary>
internal sealed class DocumentScope
{
    private readonly RedisConnection _redis;
    private readonly TenantId _tenant;
    private readonly string? _accountHash;
    private readonly ReadableAccounts? _readable;
    private readonly string _operationId;
    private readonly IUnitOfWork _unit;
    private readonly Action _throwIfEnded;

    /// <param name="redis">The store.</param>
    /// <param name="tenant">The tenant.</param>
    /// <param name="account">The account that is read and written; null for none.</param>
    /// <param name="operationId">What names the work at every try of it.</param>
    /// <param name="unit">Collects what is written.</param>
    /// <param name="throwIfEnded">Throws once the call has ended.</param>
    /// <param name="readable">The accounts that are read where <paramref name="account"/> is null; nothing is written then.</param>
    public DocumentScope(
        RedisConnection redis,
        TenantId tenant,
        string? account,
        string operationId,
        IUnitOfWork unit,
        Action throwIfEnded,
        ReadableAccounts? readable = null
    )
        : this(redis, tenant, operationId, unit, throwIfEnded, account is null ? null : DocumentSpace.OfAccount(account), readable) { }

    /// <param name="redis">The store.</param>
    /// <param name="tenant">The tenant.</param>
    /// <param name="operationId">What names the work at every try of it.</param>
    /// <param name="unit">Collects what is written.</param>
    /// <param name="throwIfEnded">Throws once the call has ended.</param>
    /// <param name="accountHash">Where it is read and written, see <see cref="DocumentSpace"/>; null for nowhere.</param>
    /// <param name="readable">
    /// The accounts that are read where <paramref name="accountHash"/> is null; nothing is written then.
    /// </param>
    public DocumentScope(
        RedisConnection redis,
        TenantId tenant,
        string operationId,
        IUnitOfWork unit,
        Action throwIfEnded,
        string? accountHash,
        ReadableAccounts? readable
    )
    {
        (_redis, _tenant, _operationId, _unit, _throwIfEnded, _accountHash, _readable) = (
            redis,
            tenant,
            operationId,
            unit,
            throwIfEnded,
            accountHash,
            readable
        );
        Keys = new(tenant);
    }

    /// <summary>Gets the accounts whose documents are read: this call's one, or all of the caller where the call names none.</summary>
    public ValueTask<IReadOnlyList<string>> GetReadableHashesAsync(CancellationToken cancellationToken) =>
        _accountHash is not null ? new([_accountHash]) : _readable?.GetHashesAsync(cancellationToken) ?? new([]);

    public RedisConnection Redis
    {
        get
        {
            _throwIfEnded();
            return _redis;
        }
    }

    public TenantKeyspace Keys { get; }

    /// <summary>Gets the generation of the tenant.</summary>
    public long Generation { get; init; }

    /// <summary>Gets what the node remembers documents of an account under.</summary>
    public RememberedAccount Remembered(string accountHash) => new(_tenant, Generation, accountHash);

    /// <summary>Gets what the call wrote and is not committed; null for nothing.</summary>
    public DocumentWork? Work
    {
        get
        {
            _throwIfEnded();
            return _unit.Work;
        }
    }

    /// <summary>Gets where the call's writes are collected.</summary>
    public DocumentWork BeginWork()
    {
        _throwIfEnded();
        return _unit.BeginWork();
    }

    public string AccountHash =>
        _accountHash ?? throw new InvalidOperationException("This call has no account, so that it cannot write documents.");

    /// <summary>Where a document of an account comes from.</summary>
    public DocumentOrigin Origin(string accountHash) => new(_tenant, accountHash);

    public string OperationHash => TenantKeyspace.Hash(_operationId);

    /// <summary>An id that is the same for every try of the operation.</summary>
    public string DeriveId(string collection, string name) => TenantKeyspace.Hash($"{_operationId}:{collection}:{name}")[..22];

    /// <summary>The same call, in the account that a document was read from.</summary>
    /// <exception cref="InvalidOperationException">The document was not read from this tenant's store.</exception>
    public DocumentScope Of(TenantDocument owner) =>
        owner.Origin is { } origin && origin.Tenant == _tenant
            ? new(_redis, _tenant, _operationId, _unit, _throwIfEnded, origin.AccountHash, readable: null) { Generation = Generation }
            : throw new InvalidOperationException(
                $"This {owner.GetType().Name} was not read from the tenant's documents: read the owner first, for what belongs to it "
                    + "is written where the owner lies."
            );
}

using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>What the documents of one call are bound to: its tenant, its account and its operation.</summary>
internal sealed class DocumentScope(RedisConnection redis, TenantId tenant, string? account, string operationId, Action throwIfEnded)
{
    private readonly string? _accountHash = account is null ? null : TenantKeyspace.Hash(account);
    private readonly TenantKeyspace _keys = new(tenant);

    public bool HasAccount => _accountHash is not null;

    public RedisConnection Redis
    {
        get
        {
            throwIfEnded();
            return redis;
        }
    }

    public TenantKeyspace Keys => _keys;

    public string AccountHash => _accountHash ?? throw new InvalidOperationException("This call has no account, so that it cannot write documents.");

    /// <summary>An id that is the same for every try of the operation.</summary>
    public string DeriveId(string collection, string name) => TenantKeyspace.Hash($"{operationId}:{collection}:{name}")[..22];
}

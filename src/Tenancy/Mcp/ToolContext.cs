using Microsoft.Extensions.Caching.Hybrid;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>One tool call: which tenant it is for, who calls, and the way to that tenant's state. Made for the call, and useless after it.</summary>
public sealed class ToolContext
{
    private readonly object _platform;
    private readonly DocumentScope _documents;
    private readonly TenantCache _cache;
    private volatile bool _hasEnded;

    internal ToolContext(TenantModel tenant, object platform, CallerIdentity caller, string? accountId, string operationId, RedisConnection redis, HybridCache cache)
    {
        TenantId = tenant.Id;
        TenantName = tenant.Config.Name ?? tenant.Id.Value;
        Caller = caller;
        AccountId = accountId;
        OperationId = operationId;
        _platform = platform;
        _documents = new(redis, tenant.Id, accountId, operationId, ThrowIfEnded) { Budget = tenant.Config.Limits?.MaxDocumentBytes ?? TenantLimits.DefaultMaxDocumentBytes };
        _cache = new(cache, tenant.Id.Value, tenant.Version, accountId is null ? null : TenantKeyspace.Hash(accountId), TenantKeyspace.Hash(caller.Value), ThrowIfEnded);
    }

    /// <summary>Gets the tenant's id.</summary>
    public TenantId TenantId { get; }

    /// <summary>Gets the tenant's name, as people see it.</summary>
    public string TenantName { get; }

    /// <summary>Gets who is calling.</summary>
    public CallerIdentity Caller { get; }

    /// <summary>Gets the account that the call is for; null for callers without credentials.</summary>
    public string? AccountId { get; }

    /// <summary>Gets what names this piece of work: the same when the call is tried again.</summary>
    public string OperationId { get; }

    /// <summary>Gets this tenant's instance of its platform, as the platform's class or an interface of it.</summary>
    /// <exception cref="InvalidOperationException">The platform of this tenant is of another kind, or the call has ended.</exception>
    public T Platform<T>()
        where T : class
    {
        ThrowIfEnded();
        return _platform as T
            ?? throw new InvalidOperationException($"The platform of tenant '{TenantId}' is {_platform.GetType().Name}, which is no {typeof(T).Name}.");
    }

    /// <summary>Gets the documents of a type, of this tenant and account.</summary>
    /// <exception cref="InvalidOperationException">The call has ended.</exception>
    public Documents<T> Documents<T>()
        where T : TenantDocument
    {
        ThrowIfEnded();
        return new(_documents);
    }

    /// <summary>Gets a cache for this tenant, and within it for this caller or account.</summary>
    /// <exception cref="InvalidOperationException">The call has ended.</exception>
    public TenantCache Cache
    {
        get
        {
            ThrowIfEnded();
            return _cache;
        }
    }

    /// <summary>Ends the call: whoever kept this context, or anything got from it, reaches nothing any more.</summary>
    internal void End() => _hasEnded = true;

    private void ThrowIfEnded()
    {
        if (_hasEnded)
        {
            throw new InvalidOperationException("The tool call that this context belongs to has ended: do not keep a ToolContext, or anything got from it.");
        }
    }
}

using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Mcp.Requests;

/// <summary>
/// How many bytes of request bodies this node holds at once, for each tenant and in all. So a caller that sends many large bodies uses up
/// what its own tenant may hold, and no memory that other tenants need.
/// </summary>
internal sealed class BodyBudgets(IOptions<TenancyOptions> options) : ITenantChangeListener
{
    /// <summary>
    /// Bodies up to this size that came at once are not counted: they lie in the buffers that Kestrel has for each connection anyway.
    /// </summary>
    public const int Free = 64 * 1024;

    private readonly Budget _node = new(options.Value.MaxBodyBytesPerNode);
    private readonly long _perTenant = options.Value.MaxBodyBytesPerTenant;
    private readonly ConcurrentDictionary<TenantId, Budget> _tenants = new();

    /// <summary>Gets the bytes that are held now.</summary>
    public long Held => _node.Held;

    /// <summary>Begins to hold a body of a tenant's.</summary>
    public Holding Begin(TenantId tenant) => new(_node, _tenants.GetOrAdd(tenant, static (_, most) => new(most), _perTenant));

    public void OnTenantChanged(TenantChange change)
    {
        if (change.After is null)
        {
            _tenants.TryRemove(change.TenantId, out _);
        }
    }

    /// <summary>What is held of one body.</summary>
    internal sealed class Holding(Budget node, Budget tenant) : IDisposable
    {
        private long _held;

        /// <summary>Holds so much in all; false where the tenant, or the node, has no room for it.</summary>
        public bool TryGrow(long length)
        {
            var more = length - _held;
            if (!tenant.TryTake(more))
            {
                return false;
            }

            if (!node.TryTake(more))
            {
                tenant.GiveBack(more);
                return false;
            }

            _held = length;
            return true;
        }

        public void Dispose()
        {
            var held = Interlocked.Exchange(ref _held, 0);
            tenant.GiveBack(held);
            node.GiveBack(held);
        }
    }

    internal sealed class Budget(long most)
    {
        private long _held;

        public long Held => Volatile.Read(ref _held);

        public bool TryTake(long bytes)
        {
            if (Interlocked.Add(ref _held, bytes) <= most)
            {
                return true;
            }

            GiveBack(bytes);
            return false;
        }

        public void GiveBack(long bytes) => Interlocked.Add(ref _held, -bytes);
    }
}

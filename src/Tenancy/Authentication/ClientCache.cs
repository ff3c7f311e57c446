using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Authentication;

/// <summary>Knows whether a tenant lists a client, and asks the store about each no more than once a second.</summary>
/// <remarks>
/// A client that is taken out on another node is refused here when that node has said so, or a second later; where the store cannot be
/// asked, five minutes later. A change of the tenant forgets all that is known.
/// </remarks>
internal sealed class ClientCache(TenantJwts options, RedisConnection redis, ClientClaims claims, TimeProvider time)
{
    /// <summary>How long an answer is good without asking again.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    /// <summary>How long a good answer holds while the store is away.</summary>
    public static readonly TimeSpan MaximumAge = TimeSpan.FromMinutes(5);

    /// <summary>Whether a client of the tenant's issuer may call it.</summary>
    /// <exception cref="StoreUnavailableException">The store is away, and the client was not listed lately.</exception>
    public async ValueTask<bool> IsListedAsync(TenantModel tenant, string? clientId)
    {
        if (clientId is null)
        {
            return false;
        }

        // Taken before the store is asked: where a removal comes meanwhile, it replaces this object, and an answer from before the removal
        // is lost with it.
        var findings = options.GetClients(tenant);
        if (findings.TryGet(clientId, out var finding) && time.GetUtcNow() < finding.AskAgainAt)
        {
            return finding.IsListed;
        }

        try
        {
            var left = await new ClientStore(redis, tenant.Id, tenant.Generation).UseAsync(tenant.Config.Authentication!.Issuer!, clientId);
            finding = ClientFinding.From(await IsClaimedAsync(tenant, clientId) ? left : null, time.GetUtcNow());
        }
        catch (StoreUnavailableException) when (finding.IsListed)
        {
            // A known client is believed for another second, so that not each of its calls waits for a store that is away.
            finding = finding with { AskAgainAt = time.GetUtcNow() + Freshness };
        }

        findings.Add(clientId, finding, finding.Until);
        return finding.IsListed;
    }

    // A client that stands for the audience is its tenant's alone. However lists and tenants changed at once, the claim has one owner.
    private async ValueTask<bool> IsClaimedAsync(TenantModel tenant, string clientId) =>
        tenant.Config.Authentication is not { AudienceFromClients: true, Issuer: { } issuer }
        || await claims.FindOwnerAsync(issuer, clientId) == tenant.Id.Value;

    /// <summary>Whether a client is listed, as far as that is known without asking the store.</summary>
    public bool IsKnown(TenantModel tenant, string? clientId) =>
        clientId is not null
        && options.GetClients(tenant).TryGet(clientId, out var finding)
        && finding.IsListed
        && time.GetUtcNow() < finding.AskAgainAt;

    /// <summary>Forgets what is known of a tenant's clients: one came or went. All that it costs is a second of asking the store.</summary>
    public void Forget(TenantId tenant) => options.ForgetClients(tenant);
}

/// <summary>What the store said of a client.</summary>
/// <param name="IsListed">Whether the tenant lists it.</param>
/// <param name="AskAgainAt">When the store is asked again.</param>
/// <param name="Until">Until when this holds where the store cannot be asked.</param>
internal readonly record struct ClientFinding(bool IsListed, DateTimeOffset AskAgainAt, DateTimeOffset Until)
{
    public static ClientFinding From(TimeSpan? left, DateTimeOffset now)
    {
        var until =
            now
            + (
                left is null ? ClientCache.Freshness
                : left < ClientCache.MaximumAge ? left.Value
                : ClientCache.MaximumAge
            );
        return new(left is not null, now + ClientCache.Freshness, until);
    }
}

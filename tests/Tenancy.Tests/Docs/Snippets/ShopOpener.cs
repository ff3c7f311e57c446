using System.Text.Json;
using Tenancy.Administration;
using Tenancy.Configuration;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class ShopOpener(ITenantAdministration tenants)
{
    public async Task<string> OpenAsync(string id, string greeting, CancellationToken cancellationToken)
    {
        var settings = JsonSerializer.SerializeToElement(new ShopSettings { Greeting = greeting }, JsonSerializerOptions.Web);
        var shop = new TenantRegistration
        {
            Tenant = new() { Id = id, Settings = settings },
        };
        await tenants.RegisterAsync(shop, cancellationToken: cancellationToken);

        // The token is shown once: the store keeps its hash.
        var owner = await tenants.IssuePrincipalAsync(TenantId.Parse(id), new() { Name = "owner" }, cancellationToken);
        return owner.Token;
    }

    // Its callers are told what those of an unknown tenant are told.
    public Task PauseAsync(TenantId id, CancellationToken cancellationToken) => tenants.SuspendAsync(id, cancellationToken);

    public Task ReopenAsync(TenantId id, CancellationToken cancellationToken) => tenants.ResumeAsync(id, cancellationToken);

    // All that the tenant kept goes with it; UnregisterAsync keeps it.
    public Task<bool> CloseAsync(string id, CancellationToken cancellationToken) =>
        tenants.DeleteAsync(TenantId.Parse(id), cancellationToken);
}

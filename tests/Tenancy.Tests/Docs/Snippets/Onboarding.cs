using Tenancy.Administration;
using Tenancy.Configuration;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class Onboarding(ITenantAdministration tenants)
{
    public Task<RegisteredTenant> AddAsync(string id) =>
        tenants.RegisterAsync(
            new TenantRegistration
            {
                Tenant = new() { Id = id, Platform = "publisher" },
                Principals = [new() { Name = "First buyer" }],
            }
        );
}

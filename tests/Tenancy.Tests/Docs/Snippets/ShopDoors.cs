using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Admin;

namespace Tenancy.Tests.Docs.Snippets;

/// <summary>Who may come in at the library's endpoints, and where these are.</summary>
internal static class ShopDoors
{
    public static void AddPolicy(IServiceCollection services)
    {
        services
            .AddAuthorizationBuilder()
            .AddPolicy(TenantAdminDefaults.Policy, policy => policy.AddAuthenticationSchemes("Badge").RequireClaim("badge", "chief"))
            .AddPolicy("members", policy => policy.RequireAuthenticatedUser());
    }

    public static void Map(WebApplication app)
    {
        app.MapTenantMcp().RequireAuthorization("members");
        app.MapTenantAdmin().RequireHost("127.0.0.1", "admin.internal");
    }
}

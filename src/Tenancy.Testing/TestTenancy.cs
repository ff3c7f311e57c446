using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tenancy.Administration;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Testing;

/// <summary>Tenants for the unit tests of handlers, without a web server: what handlers reach is real, and nothing listens.</summary>
/// <remarks>
/// It needs the embedded store. Tenants are validated and their platforms are built as on a server; nothing is read from files or
/// variables. Where a test needs HTTP, start the application with <c>WebApplicationFactory</c> and take
/// <see cref="TestToolContext.Begin"/>.
/// </remarks>
public sealed class TestTenancy : IAsyncDisposable
{
    private readonly IHost _host;

    private TestTenancy(IHost host) => _host = host;

    /// <summary>Gets the services, to make handlers with.</summary>
    public IServiceProvider Services => _host.Services;

    /// <summary>Makes a set of tenants.</summary>
    /// <param name="configure">
    /// Adds the store, platforms and services: <c>tenancy => tenancy.AddEmbeddedStore().AddPlatform&lt;Publisher&gt;("publisher")</c>.
    /// </param>
    /// <param name="tenants">The tenants.</param>
    /// <exception cref="InvalidOperationException">A tenant cannot be served; the message says why.</exception>
    public static async Task<TestTenancy> CreateAsync(Action<ITenancyBuilder> configure, params TenantConfig[] tenants)
    {
        ArgumentNullException.ThrowIfNull(configure);
        ArgumentNullException.ThrowIfNull(tenants);
        var builder = new HostApplicationBuilder(
            new HostApplicationBuilderSettings { DisableDefaults = true, EnvironmentName = Environments.Development }
        );
        configure(builder.Services.AddTenancy(static _ => { }));
        var tenancy = new TestTenancy(builder.Build());
        try
        {
            foreach (var tenant in tenants)
            {
                await tenancy.AddAsync(tenant);
            }

            return tenancy;
        }
        catch
        {
            await tenancy.DisposeAsync();
            throw;
        }
    }

    /// <summary>Adds a tenant.</summary>
    /// <exception cref="InvalidOperationException">It cannot be served; the message says why.</exception>
    public async Task AddAsync(TenantConfig tenant)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        try
        {
            var (status, _, _) = await Services
                .GetRequiredService<ITenantAdministration>()
                .RegisterAsync(tenant, new() { AwaitFirstValidation = true });
            if (status.Health != TenantHealth.Healthy)
            {
                throw new InvalidOperationException($"Tenant '{tenant.Id}' cannot be served: {status.Reason}");
            }
        }
        catch (TenantValidationException exception)
        {
            // Its platform cannot be built from its settings.
            throw new InvalidOperationException($"Tenant '{tenant.Id}' cannot be served: {exception.Message}", exception);
        }
    }

    /// <summary>Begins a call.</summary>
    /// <param name="tenantId">The tenant that is called.</param>
    /// <param name="principalId">The id of the principal that calls; null for a caller without credentials.</param>
    /// <exception cref="InvalidOperationException">There is no such tenant.</exception>
    public TestToolContext Begin(string tenantId, string? principalId = "tester") => TestToolContext.Begin(Services, tenantId, principalId);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        switch (_host)
        {
            case IAsyncDisposable host:
                await host.DisposeAsync();
                break;
            default:
                _host.Dispose();
                break;
        }
    }
}

using Microsoft.Extensions.DependencyInjection;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.Mcp.Calls;
using Tenancy.Registry;

namespace Tenancy.Testing;

/// <summary>
/// A tool call without HTTP around it, for the tests of a handler. Its context is the real one, of a real tenant of the running server.
/// </summary>
public sealed class TestToolContext : IDisposable
{
    private TestToolContext(ToolContext context) => Context = context;

    /// <summary>Gets the context to hand to the handler.</summary>
    public ToolContext Context { get; }

    /// <summary>Begins a call.</summary>
    /// <param name="services">The server's services, such as <c>WebApplicationFactory.Services</c>.</param>
    /// <param name="tenantId">The tenant that is called.</param>
    /// <param name="principalId">The id of the principal that calls; null for a caller without credentials.</param>
    /// <exception cref="InvalidOperationException">The server does not serve this tenant.</exception>
    public static TestToolContext Begin(IServiceProvider services, string tenantId, string? principalId = "tester")
    {
        ArgumentNullException.ThrowIfNull(services);
        var tenant = services.GetRequiredService<TenantRegistry>().Get(TenantId.Parse(tenantId).Value);
        return tenant is { IsServing: true }
            ? new(
                services
                    .GetRequiredService<ToolContextFactory>()
                    .Create(
                        tenant,
                        principalId is null
                            ? CallerIdentity.Anonymous
                            : CallerIdentity.FromPrincipal(principalId)
                                ?? throw new ArgumentException("A principal's id has 1 to 1,024 visible characters.", nameof(principalId))
                    )
            )
            : throw new InvalidOperationException($"The server does not serve a tenant '{tenantId}'.");
    }

    /// <summary>Ends the call: the context reaches nothing any more.</summary>
    public void Dispose() => Context.End();
}

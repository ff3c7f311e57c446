using Microsoft.Extensions.DependencyInjection;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Testing;

/// <summary>
/// A tool call without HTTP around it, for the tests of a handler. Its context is the real one, of a real tenant of the running server.
/// </summary>
public sealed class TestToolContext : IDisposable
{
    private readonly UnitOfWork _unit;

    private TestToolContext(ToolContext context, UnitOfWork unit) => (Context, _unit) = (context, unit);

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
        if (tenant is not { IsServing: true })
        {
            throw new InvalidOperationException($"The server does not serve a tenant '{tenantId}'.");
        }

        var caller = principalId is null
            ? CallerIdentity.Anonymous
            : CallerIdentity.FromPrincipal(principalId)
                ?? throw new ArgumentException("A principal's id has 1 to 1,024 visible characters.", nameof(principalId));
        var unit = new UnitOfWork(ToolContextFactory.DocumentBudget(tenant, caller));
        return new(services.GetRequiredService<ToolContextFactory>().Create(tenant, caller, unit), unit);
    }

    /// <summary>Commits what the handler wrote, as a server does when a handler has returned.</summary>
    /// <inheritdoc cref="ToolContext.FlushAsync" path="/param|/exception"/>
    public Task CommitAsync(CancellationToken cancellationToken = default) => Context.FlushAsync(cancellationToken);

    /// <summary>Drops what the handler wrote, as a server does when a handler throws.</summary>
    public void Discard() => _unit.Work?.Discard();

    /// <summary>Ends the call: the context reaches nothing any more.</summary>
    /// <exception cref="InvalidOperationException">The handler wrote something that was neither committed nor discarded.</exception>
    public void Dispose()
    {
        Context.End();
        _unit.ThrowIfForgotten();
    }
}

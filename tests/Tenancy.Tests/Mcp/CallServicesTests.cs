using Microsoft.Extensions.DependencyInjection;
using Tenancy.Mcp;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

public sealed class CallServicesTests
{
    [Fact]
    public async Task A_call_begins_one_scope_and_only_where_a_service_is_asked_for()
    {
        await using var server = await TenancyServer.StartAsync(services: services => services.AddScoped<ScopeMark>());
        var scopes = new CountingScopes(server.Services.GetRequiredService<IServiceScopeFactory>());
        var starter = new CallStarter(scopes, server.Services.GetRequiredService<ToolContextFactory>(), server.Services.GetRequiredService<ConcurrentCalls>());
        var call = starter.TryBegin(server.Services.GetRequiredService<TenantRegistry>().Get("acme")!, new(), CallerIdentity.FromPrincipal("buyer")!).Call!;
        Assert.Same(call.Context, call.Services.GetRequiredService<ToolContext>());
        Assert.Equal(0, scopes.Count);

        var mark = call.Services.GetRequiredService<ScopeMark>();
        Assert.Same(mark, call.Services.GetRequiredService<ScopeMark>());
        Assert.Equal(1, scopes.Count);

        // A service of the scope gets the context as it is when it asks.
        call.Narrow("account", readable: null);
        Assert.Equal("account", call.Services.GetRequiredService<ToolContext>().AccountId);

        await call.ReleaseAsync();
        Assert.True(mark.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => { _ = call.Services.GetRequiredService<ScopeMark>(); });
        Assert.Equal(1, scopes.Count);
    }

    private sealed class CountingScopes(IServiceScopeFactory scopes) : IServiceScopeFactory
    {
        public int Count { get; private set; }

        public IServiceScope CreateScope()
        {
            Count++;
            return scopes.CreateScope();
        }
    }
}

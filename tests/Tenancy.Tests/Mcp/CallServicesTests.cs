using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Tenancy.Authentication;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

[Tier(Tier.Server)]
public sealed class CallServicesTests
{
    [Fact]
    public async Task A_call_begins_one_scope_and_only_where_a_service_is_asked_for()
    {
        await using var server = await TenancyServer.StartAsync(services: services => services.AddScoped<ScopeMark>());
        var scopes = new CountingScopes(server.Services.GetRequiredService<IServiceScopeFactory>());
        var starter = new CallStarter(
            scopes,
            server.Services.GetRequiredService<ToolContextFactory>(),
            server.Services.GetRequiredService<CallerRights>(),
            server.Services.GetRequiredService<ConcurrentCalls>(),
            NullLogger<Call>.Instance
        );
        var call = starter
            .TryBegin(server.Services.GetRequiredService<TenantRegistry>().Get("acme")!, CallerIdentity.FromPrincipal("buyer")!)
            .Call!;
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
        Assert.Throws<ObjectDisposedException>(() =>
        {
            _ = call.Services.GetRequiredService<ScopeMark>();
        });
        Assert.Equal(1, scopes.Count);
    }

    [Fact]
    public async Task A_context_that_is_asked_for_while_the_call_ends_reaches_nothing()
    {
        await using var server = await TenancyServer.StartAsync();
        var starter = server.Services.GetRequiredService<CallStarter>();
        var tenant = server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
        for (var i = 0; i < 20_000; i++)
        {
            var call = starter.TryBegin(tenant, CallerIdentity.FromPrincipal("buyer")!).Call!;
            var isRunning = false;
            var late = Task.Run(() =>
            {
                Volatile.Write(ref isRunning, true);
                return call.Context;
            });
            while (!Volatile.Read(ref isRunning)) { }

            Thread.SpinWait(i % 64);
            await call.ReleaseAsync();
            var context = await late;
            Assert.Throws<InvalidOperationException>(() =>
            {
                _ = context.Cache;
            });
        }
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

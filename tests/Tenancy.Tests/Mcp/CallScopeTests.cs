using Microsoft.Extensions.DependencyInjection;
using Tenancy.Mcp;
using Tenancy.Testing;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

public sealed class CallScopeTests
{
    [Fact]
    public async Task A_call_begins_one_scope_and_only_where_a_service_is_asked_for()
    {
        await using var server = await TenancyServer.StartAsync(services: services => services.AddScoped<ScopeMark>());
        using var call = TestToolContext.Begin(server.Services, "acme", "buyer");
        var scopes = new CountingScopes(server.Services.GetRequiredService<IServiceScopeFactory>());
        var services = new CallScope(scopes, call.Context);
        Assert.Same(call.Context, services.GetRequiredService<ToolContext>());
        Assert.Equal(0, scopes.Count);

        var mark = services.GetRequiredService<ScopeMark>();
        Assert.Same(mark, services.GetRequiredService<ScopeMark>());
        Assert.Equal(1, scopes.Count);

        await services.DisposeAsync();
        Assert.True(mark.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => services.GetRequiredService<ScopeMark>());
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

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Registry;
using Tenancy.Resolution;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Resolution;

/// <summary>
/// Finding the tenant of a request allocates nothing, found or not; IPv6 literals and Unicode hosts, which have to be parsed, aside.
/// </summary>
[Tier(Tier.Server)]
public sealed class AllocationTests
{
    [Theory]
    [InlineData("acme.example.com", "", "acme")]
    [InlineData("acme.example.com:443", "", "acme")]
    [InlineData("ACME.Example.com.", "", "acme")]
    [InlineData("acme.example.com", "/mcp", "acme")]
    [InlineData("shared.example.com", "/shops/globex/mcp", "globex")]
    [InlineData("SHARED.example.com:80", "/shops/globex", "globex")]
    [InlineData("shared.example.com", "/shops/nobody/at/all/mcp", null)]
    [InlineData("nobody.example.com", "/mcp", null)]
    [InlineData("not a host", "/mcp", null)]
    public async Task Resolving_by_host_and_path_allocates_nothing(string host, string path, string? expected)
    {
        await using var server = await TenancyServer.StartAsync();
        var registry = server.Services.GetRequiredService<TenantRegistry>();
        Assert.Equal(expected, registry.ResolveByRequest(host, path)?.Id.Value);
        Assert.Equal(0, BytesOf(() => registry.ResolveByRequest(host, path)));
        Assert.Equal(0, BytesOf(() => registry.ResolveByHost(host)));
    }

    [Theory]
    [InlineData("acme")]
    [InlineData("nobody")]
    public async Task Resolving_by_id_allocates_nothing(string id)
    {
        await using var server = await TenancyServer.StartAsync();
        var registry = server.Services.GetRequiredService<TenantRegistry>();
        Assert.Equal(0, BytesOf(() => registry.Get(id)));
    }

    [Theory]
    [InlineData("acme.example.com", "/mcp", null, "acme")]
    [InlineData("acme.localhost:5000", "/mcp", null, "acme")]
    [InlineData("localhost", "/globex/mcp", null, "globex")]
    [InlineData("shared.example.com", "/shops/globex/mcp", null, "globex")]
    [InlineData("localhost", "/mcp", "globex", "globex")]
    public async Task The_resolver_allocates_nothing_for_a_tenant_that_there_is(string host, string path, string? header, string expected)
    {
        await using var server = await TenancyServer.StartAsync();
        var resolver = server.Services.GetRequiredService<TenantResolver>();
        var context = new DefaultHttpContext();
        context.Request.Headers.Host = host;
        context.Request.Headers["X-Tenant-ID"] = header;
        context.Request.Path = path;
        context.SetEndpoint(new(requestDelegate: null, new(new TenantEndpointMetadata("/mcp", isMcp: true)), displayName: null));
        Assert.Equal(expected, (await resolver.ResolveAsync(context)).TenantId);
        Assert.Equal(0, BytesOf(() => resolver.ResolveAsync(context)));
    }

    private static long BytesOf<T>(Func<T> call)
    {
        // The first calls compile, and set up what is kept.
        for (var i = 0; i < 100; i++)
        {
            call();
        }

        // The runtime may allocate for itself once; what a call allocates shows in every round.
        return Enumerable.Range(0, 3).Min(_ => BytesOfRound(call));
    }

    private static long BytesOfRound<T>(Func<T> call)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            call();
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}

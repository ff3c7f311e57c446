using System.ComponentModel;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Embedded;
using Tenancy.Mcp;
using Tenancy.Testing;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Platforms;

/// <summary>What defines a platform is the application's code: nobody holds a lock while it runs.</summary>
[Tier(Tier.Server)]
public sealed class PlatformCatalogTests
{
    [Fact]
    public async Task Whoever_asks_while_a_platform_is_defined_does_not_wait_for_it_and_both_get_the_same()
    {
        await using var tenancy = await TestTenancy.CreateAsync(tenancy => tenancy.AddEmbeddedStore().AddPlatform<Slow>("slow"));
        var catalog = tenancy.Services.GetRequiredService<PlatformCatalog>();
        var first = Task.Run(() => catalog.ToolsOf("slow"), TestContext.Current.CancellationToken);
        await Slow.Began.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        try
        {
            var second = Task.Run(() => catalog.ToolsOf("slow"), TestContext.Current.CancellationToken);
            Assert.Equal(["wait"], await second.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
            Assert.False(first.IsCompleted);
        }
        finally
        {
            Slow.End.Set();
        }

        Assert.Same(catalog.ToolsOf("slow"), await first);
    }

    private sealed class Slow : ITenantPlatform<Slow>
    {
        private static int _count;

        public static TaskCompletionSource Began { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public static ManualResetEventSlim End { get; } = new();

        // Only whoever comes first is held up.
        public static void Define(IPlatformBuilder platform)
        {
            if (Interlocked.Increment(ref _count) == 1)
            {
                Began.SetResult();
                End.Wait();
            }

            platform.AddHandlers<Tools>();
        }

        public static Task<Slow> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) => Task.FromResult(new Slow());
    }

    private sealed class Tools
    {
        [McpServerTool(Name = "wait")]
        [Description("Waits.")]
        public static string Wait() => "ok";
    }
}

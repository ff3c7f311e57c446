using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>
/// A platform instance is disposed after the last handler that uses it, whether or not that handler's client still waits.
/// </summary>
[Tier(Tier.Server)]
public sealed class HeldPlatformsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_handler_in_a_session_keeps_its_platform_although_its_client_went_and_its_tenant_changed(bool isUpdate)
    {
        using var gate = new SlowTools.Gate();
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton(gate).AddSingleton<Ended>().AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Handlers>()))
        );
        var registry = server.Services.GetRequiredService<TenantRegistry>();
        var platform = (TestPlatform)((McpPlatformInstance)registry.Get("acme")!.Platform!).Instance;

        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        using (var leaving = new CancellationTokenSource())
        using (var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("stubborn"), sessionId: session))
        {
            var call = server.Client.SendAsync(request, leaving.Token);
            await gate.WaitForAsync(1);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        }

        await ChangeAsync(server, isUpdate);
        Assert.NotSame(platform, (registry.Get("acme")?.Platform as McpPlatformInstance)?.Instance);
        Assert.Equal(0, platform.Disposals);

        gate.Open();
        Assert.Equal(
            "acme-banner",
            await server.Services.GetRequiredService<Ended>().Product.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancellation)
        );
        await Poll.UntilAsync(() => Task.FromResult(platform.Disposals > 0));
        await server.App.StopAsync(Cancellation);
        Assert.Equal(1, platform.Disposals);
    }

    private static async Task ChangeAsync(TenancyServer server, bool isUpdate)
    {
        using var response = isUpdate
            ? await server.AdminAsync(HttpMethod.Patch, "/acme", """{"settings":{"product":"new"}}""")
            : await server.AdminAsync(HttpMethod.Post, "/acme/unregister");
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    private sealed class Ended
    {
        public TaskCompletionSource<string> Product { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Handlers(SlowTools.Gate gate, Ended ended)
    {
        // It looks at no token, as work that cannot be left half done.
        [McpServerTool(Name = "stubborn")]
        public async Task<string> StayAsync(ToolContext context)
        {
            try
            {
                await gate.EnterAsync(CancellationToken.None);
                ended.Product.TrySetResult(context.Platform<ITestSeller>().Product);
            }
            catch (Exception exception)
            {
                ended.Product.TrySetException(exception);
                throw;
            }

            return "done";
        }
    }
}

using ModelContextProtocol.Server;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Tenancy.Tests.Hosting;

/// <summary>Tools that end when the test says so.</summary>
internal sealed class SlowTools(SlowTools.Gate gate)
{
    [McpServerTool(Name = "slow")]
    public async Task<string> SlowAsync(ToolContext context, CancellationToken cancellationToken)
    {
        await gate.EnterAsync(cancellationToken);
        return context.TenantId.Value;
    }

    [AdcpTool("slow_buy", TimeoutSeconds = 30)]
    public async Task<CreateMediaBuyResponse> BuyAsync(
        CreateMediaBuyRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        gate.Runs.Enqueue(context.OperationId);
        await gate.EnterAsync(cancellationToken);
        if (gate.Failure is { } failure)
        {
            throw failure;
        }

        var buy = await context
            .Documents<TestBuy>()
            .CreateAsync(
                new() { Seller = context.TenantId.Value, Budget = request.Packages[0].Budget },
                cancellationToken: cancellationToken
            );
        return new()
        {
            MediaBuyId = buy.Id,
            Status = MediaBuyStatus.Active,
            Packages = [],
        };
    }

    internal sealed class Gate : IDisposable
    {
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly SemaphoreSlim _entered = new(0);

        public System.Collections.Concurrent.ConcurrentQueue<string> Runs { get; } = new();

        public Exception? Failure { get; set; }

        /// <summary>Whether the handler goes on although its time is over.</summary>
        public bool IgnoresTime { get; init; }

        public async Task EnterAsync(CancellationToken cancellationToken)
        {
            _entered.Release();
            await _open.Task.WaitAsync(IgnoresTime ? CancellationToken.None : cancellationToken);
        }

        public async Task WaitForAsync(int calls)
        {
            for (var i = 0; i < calls; i++)
            {
                Assert.True(await _entered.WaitAsync(TimeSpan.FromSeconds(20)), "The call did not reach its handler.");
            }
        }

        public void Open() => _open.TrySetResult();

        public void Dispose()
        {
            Open();
            _entered.Dispose();
        }
    }
}

using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Administration;
using Tenancy.Configuration;
using Tenancy.Fleet;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>Nodes that follow one source do not undo what another has just applied.</summary>
[Tier(Tier.Process)]
public sealed class SourcesOfSeveralNodesTests
{
    [Fact]
    public async Task A_row_that_came_while_a_node_read_the_others_stays()
    {
        Source[] sources = [new(), new()];
        await using var nodes = await NodesOnOneStore.StartAsync(
            services: (node, services) => services.AddSingleton<ITenantSource>(sources[node])
        );
        await Poll.UntilAsync(() => Task.FromResult(nodes.Registry(1).Get("first") is not null));

        // The second node has read all rows that there are, and does not know yet that there are no more.
        var reading = sources[1].HoldAtTheEnd();
        sources[1].Change();
        await reading.Began;
        sources[0].Rows = ["first", "second"];
        sources[0].Change();
        await Poll.UntilAsync(() => Task.FromResult(nodes.Registry(1).Get("second") is not null));
        reading.End();
        await sources[1].Waits();
        Assert.NotNull(nodes.Registry(0).Get("second"));
        Assert.NotNull(nodes.Registry(1).Get("second"));

        // A row that is gone is taken away all the same.
        sources[0].Rows = ["second"];
        sources[0].Change();
        await Poll.UntilAsync(() => Task.FromResult(nodes.Registry(1).Get("first") is null));
    }

    private sealed class Source : ITenantSource
    {
        private TaskCompletionSource _change = New();
        private TaskCompletionSource _waits = New();
        private Held? _held;

        public string[] Rows { get; set; } = ["first"];

        public Held HoldAtTheEnd() => _held = new();

        public void Change()
        {
            _waits = New();
            Interlocked.Exchange(ref _change, New()).SetResult();
        }

        /// <summary>Ends when what was read last is applied.</summary>
        public Task Waits() => _waits.Task.WaitAsync(TimeSpan.FromSeconds(20));

        public async IAsyncEnumerable<TenantRegistration> LoadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            foreach (var row in Rows)
            {
                yield return new() { Tenant = new() { Id = row } };
            }

            if (Interlocked.Exchange(ref _held, null) is { } held)
            {
                await held.WaitAsync();
            }
        }

        public Task WaitForChangeAsync(CancellationToken cancellationToken)
        {
            _waits.TrySetResult();
            return _change.Task.WaitAsync(cancellationToken);
        }

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Held
    {
        private readonly TaskCompletionSource _began = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Began => _began.Task.WaitAsync(TimeSpan.FromSeconds(20));

        public void End() => _end.SetResult();

        public Task WaitAsync()
        {
            _began.SetResult();
            return _end.Task;
        }
    }
}

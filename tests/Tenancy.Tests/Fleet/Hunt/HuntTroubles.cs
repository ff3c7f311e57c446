using System.Diagnostics;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet.Hunt;

/// <summary>What goes wrong meanwhile: nodes, the store, the ways to it, the messages on them, the identity provider.</summary>
internal sealed class HuntTroubles(ProcessFleet fleet, TestIssuer issuer)
{
    private readonly long[] _quietAt = new long[3];
    private volatile bool _areGoingOn;

    /// <summary>Whether something is wrong now, or was a moment ago.</summary>
    public bool AreGoingOn => _areGoingOn || Enumerable.Range(0, 3).Any(MayTrouble);

    /// <summary>Whether what is wrong concerns a node, or did a moment ago.</summary>
    public bool MayTrouble(int node) =>
        _areGoingOn || Stopwatch.GetElapsedTime(Volatile.Read(ref _quietAt[node])) < TimeSpan.FromSeconds(3);

    public async Task RunAsync(HuntFindings findings, TextWriter output, CancellationToken enough)
    {
        var random = new Random(7);
        while (!enough.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(2 + (random.NextDouble() * 4)), CancellationToken.None);
            var node = random.Next(3);
            var (name, trouble) = Choose(random, node);
            await output.WriteLineAsync($"{DateTimeOffset.UtcNow:HH:mm:ss} {name}");
            _areGoingOn = true;
            try
            {
                await trouble();
            }
            catch (InvalidOperationException exception)
            {
                findings.Find(HuntFindings.Stuck, exception.Message);
                return;
            }
            finally
            {
                for (var i = 0; i < 3; i++)
                {
                    Volatile.Write(ref _quietAt[i], Stopwatch.GetTimestamp());
                }

                _areGoingOn = false;
            }
        }
    }

    private (string Name, Func<Task> Do) Choose(Random random, int node)
    {
        var link = fleet.Links[node];
        var some = TimeSpan.FromMilliseconds(500 + random.Next(2000));
        return random.Next(11) switch
        {
            0 or 1 => ($"node {node} is killed", async () =>
            {
                fleet.Nodes[node].Kill();
                await fleet.Nodes[node].RestartAsync();
            }),
            2 => ($"node {node} is stopped", async () =>
            {
                await fleet.Nodes[node].StopAsync();
                await fleet.Nodes[node].RestartAsync();
            }),
            3 => ($"the store stands still for {some.TotalSeconds:0.0} s", async () =>
            {
                await fleet.Redis.PauseAsync();
                await Task.Delay(some);
                await fleet.Redis.ResumeAsync();
            }),
            4 => ("the store is killed and starts again", fleet.Redis.RestartAsync),
            5 => ($"the way of node {node} is cut for {some.TotalSeconds:0.0} s", async () =>
            {
                link.CutOff();
                await Task.Delay(some);
                link.Mend();
            }),
            6 => ($"the way of node {node} is silent for {some.TotalSeconds:0.0} s", async () =>
            {
                link.Stall();
                await Task.Delay(some);
                link.Go();
            }),
            7 => ($"the connections of node {node} are cut", () =>
            {
                link.Arm(random.Next(1, 5), afterIt: random.Next(2) == 0);
                return Task.CompletedTask;
            }),
            8 or 9 => HearOtherwise(random, node),
            _ => Provider(random, some),
        };
    }

    // Nothing is to be explained by this: the poll brings what a message does not.
    private (string Name, Func<Task> Do) HearOtherwise(Random random, int node)
    {
        var hearing = (StoreLink.Hearing)random.Next(4);
        return ($"node {node} hears {hearing}", () =>
        {
            fleet.Links[node].Hears = hearing;
            return Task.CompletedTask;
        });
    }

    private (string Name, Func<Task> Do) Provider(Random random, TimeSpan some) =>
        random.Next(2) == 0 ? ("the identity provider rotates", () =>
            {
                issuer.Rotate();
                return Task.CompletedTask;
            }) : ("the identity provider hangs", async () =>
            {
                issuer.Outage = context => Task.Delay(Timeout.Infinite, context.RequestAborted);
                await Task.Delay(some);
                issuer.Outage = null;
            });
}

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Outbound;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Outbound;

/// <summary>
/// Names that lead nowhere block threads, however soon those give up who asked: only so many at once, and none that requests need.
/// </summary>
public sealed class NameLookupsTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);
    private readonly ManualResetEventSlim _nameServers = new();
    private readonly ConcurrentDictionary<string, int> _asked = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly NameLookups _names;
    private int _running;
    private int _most;
    private bool _usesPool;

    public NameLookupsTests() => _names = new(Resolve, _clock);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _nameServers.Set();

    [Fact]
    public async Task Names_that_hang_take_no_thread_of_the_pool_and_few_of_their_own()
    {
        var given = await GiveUpAsync("hangs", 200);
        Assert.All(given, lookup => Assert.True(lookup.IsCanceled));
        await Poll.UntilAsync(() => Task.FromResult(Volatile.Read(ref _running) == NameLookups.MaxAtOnce));
        _nameServers.Set();
        await Poll.UntilAsync(() => Task.FromResult(_asked.Count == 200 && Volatile.Read(ref _running) == 0));
        Assert.Equal(NameLookups.MaxAtOnce, _most);
        Assert.False(_usesPool);
    }

    [Fact]
    public async Task A_name_that_answered_is_resolved_while_others_hang()
    {
        Assert.Equal([IPAddress.Loopback], await _names.ResolveAsync("good.example", Token));
        await GiveUpAsync("hangs", 200);
        Assert.Equal([IPAddress.Loopback], await _names.ResolveAsync("good.example", Token).WaitAsync(Soon, Token));
    }

    [Fact]
    public async Task A_new_name_is_resolved_while_those_hang_again_that_hung_before()
    {
        await GiveUpAsync("hangs", NameLookups.MaxAtOnce);
        await Poll.UntilAsync(() => Task.FromResult(Volatile.Read(ref _running) == NameLookups.MaxAtOnce));
        _clock.Advance(TimeSpan.FromSeconds(2.5));
        _nameServers.Set();
        await Poll.UntilAsync(() => Task.FromResult(Volatile.Read(ref _running) == 0));
        _nameServers.Reset();

        await GiveUpAsync("hangs", NameLookups.MaxAtOnce);
        await Poll.UntilAsync(() => Task.FromResult(Volatile.Read(ref _running) == NameLookups.MaxSlowAtOnce));
        Assert.Equal([IPAddress.Loopback], await _names.ResolveAsync("new.example", Token).WaitAsync(Soon, Token));
        Assert.Equal(NameLookups.MaxSlowAtOnce, Volatile.Read(ref _running));
    }

    [Fact]
    public async Task Who_asks_for_a_name_that_is_being_looked_up_shares_that()
    {
        string[] spellings = ["hangs.example", "HANGS.example"];
        var lookups = Enumerable.Range(0, 20).Select(i => _names.ResolveAsync(spellings[i % 2], Token)).ToArray();
        _nameServers.Set();
        await Task.WhenAll(lookups);
        Assert.Equal(1, _asked.Values.Sum());
        await _names.ResolveAsync("hangs.example", Token);
        Assert.Equal(2, _asked.Values.Sum());
    }

    [Fact]
    public async Task A_name_that_there_is_not_is_told_to_all_who_asked()
    {
        var lookups = Enumerable.Range(0, 5).Select(_ => _names.ResolveAsync("missing.example", Token)).ToArray();
        foreach (var lookup in lookups)
        {
            Assert.Equal(SocketError.HostNotFound, (await Assert.ThrowsAsync<SocketException>(() => lookup)).SocketErrorCode);
        }
    }

    private async Task<Task[]> GiveUpAsync(string name, int count)
    {
        using var patience = new CancellationTokenSource();
        var lookups = Enumerable.Range(0, count).Select(i => (Task)_names.ResolveAsync($"{name}{i}.example", patience.Token)).ToArray();
        await patience.CancelAsync();
        await Task.WhenAll(lookups).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return lookups;
    }

    // Stands for the operating system.
    private IPAddress[] Resolve(string name)
    {
        var running = Interlocked.Increment(ref _running);
        InterlockedMax(ref _most, running);
        _usesPool |= Thread.CurrentThread.IsThreadPoolThread;
        _asked.AddOrUpdate(name, 1, static (_, count) => count + 1);
        try
        {
            if (name.StartsWith("hangs", StringComparison.OrdinalIgnoreCase))
            {
                _nameServers.Wait(TimeSpan.FromSeconds(60));
            }

            return name.StartsWith("missing", StringComparison.Ordinal)
                ? throw new SocketException((int)SocketError.HostNotFound)
                : [IPAddress.Loopback];
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); seen < value; seen = Volatile.Read(ref target))
        {
            Interlocked.CompareExchange(ref target, value, seen);
        }
    }
}

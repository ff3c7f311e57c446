using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Diagnostics;

namespace Tenancy.Registry;

/// <summary>Checks tenants again and again, each at its own time. One timer waits for the next that is due.</summary>
internal sealed class RecheckSchedule(Lazy<TenantRegistry> registry, TenantProbe probe, TimeProvider time, ILogger<RecheckSchedule> logger)
    : ITenantChangeListener,
        IHostedService,
        IDisposable
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<Entry, DateTimeOffset> _due = new();
    private readonly Dictionary<TenantId, Entry> _current = [];
    private readonly CancellationTokenSource _stopping = new();
    private ITimer? _timer;

    /// <inheritdoc/>
    public void OnTenantChanged(TenantChange change)
    {
        lock (_lock)
        {
            if (change.After is not { IsSuspended: false } tenant)
            {
                _current.Remove(change.TenantId);
            }
            else
            {
                Schedule(
                    tenant,
                    _current.GetValueOrDefault(change.TenantId)?.Failures ?? 0,
                    isFirst: change.Kind == TenantChangeKind.Registered,
                    time.GetUtcNow()
                );
            }
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            using (ExecutionContext.SuppressFlow())
            {
                _timer = time.CreateTimer(
                    static schedule => ((RecheckSchedule)schedule!).RunDue(),
                    this,
                    Timeout.InfiniteTimeSpan,
                    Timeout.InfiniteTimeSpan
                );
            }

            Arm();
        }

        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }

    public void Dispose()
    {
        // Cancelled, not disposed: a host may be stopped by one who races with its disposal.
        _stopping.Cancel();
        _timer?.Dispose();
    }

    private void RunDue()
    {
        List<Entry> due = [];
        lock (_lock)
        {
            var now = time.GetUtcNow();
            while (_due.TryPeek(out var entry, out var at) && at <= now)
            {
                _due.Dequeue();
                if (IsCurrent(entry))
                {
                    due.Add(entry);
                }
            }

            Arm();
        }

        // Each check waits for nobody else's, and begins on a thread of its own: a provider that hangs or blocks costs its own tenant
        // alone.
        foreach (var entry in due)
        {
            _ = CheckAsync(entry);
        }
    }

    private async Task CheckAsync(Entry entry)
    {
        var began = time.GetUtcNow();
        try
        {
            var isNew = await registry.Value.Checks.RecheckInTurnAsync(entry.TenantId, _stopping.Token).ConfigureAwait(false);
            lock (_lock)
            {
                if (_current.ContainsKey(entry.TenantId) && registry.Value.Get(entry.TenantId.Value) is { IsSuspended: false } tenant)
                {
                    // Counted from when the result was there, which may be a moment ago. A check whose result was dropped, because the
                    // tenant changed meanwhile, schedules nothing.
                    var from = tenant.Record.Check.CheckedAt is { } at && at >= began ? at : time.GetUtcNow();
                    var failures = tenant.Health == TenantHealth.Healthy ? 0 : entry.Failures + (isNew ? 1 : 0);
                    Schedule(tenant, failures, isFirst: false, from);
                }
            }
        }
        catch (Exception exception) when (exception is TenantNotFoundException or OperationCanceledException)
        {
            // The tenant is gone, or the server stops.
        }
        catch (Exception exception)
        {
            logger.RecheckFailed(exception, entry.TenantId.Value);
        }
    }

    private void Schedule(TenantModel tenant, int failures, bool isFirst, DateTimeOffset from)
    {
        // Where nothing but the platform is asked, there is nothing that could change by itself.
        var health = tenant.Health == TenantHealth.Healthy && !probe.HasValidators ? TenantHealth.Disabled : tenant.Health;
        var (count, random) = (registry.Value.Count, Random.Shared.NextDouble());
        if (
            (
                isFirst && health == TenantHealth.Healthy
                    ? RecheckInterval.First(count, random)
                    : RecheckInterval.Next(health, failures, count, random)
            )
            is not { } interval
        )
        {
            _current.Remove(tenant.Id);
            return;
        }

        var entry = new Entry(tenant.Id, failures);
        _current[tenant.Id] = entry;
        _due.Enqueue(entry, from + interval);
        if (_due.Peek() == entry)
        {
            Arm();
        }
    }

    private void Arm()
    {
        while (_due.TryPeek(out var entry, out _) && !IsCurrent(entry))
        {
            _due.Dequeue();
        }

        if (_timer is not null && _due.TryPeek(out _, out var at))
        {
            var wait = at - time.GetUtcNow();
            _timer.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private bool IsCurrent(Entry entry) => ReferenceEquals(_current.GetValueOrDefault(entry.TenantId), entry);

    private sealed class Entry(TenantId tenantId, int failures)
    {
        public TenantId TenantId { get; } = tenantId;

        public int Failures { get; } = failures;
    }
}

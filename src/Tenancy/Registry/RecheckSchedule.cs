using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>
/// Says which tenants are to be checked again, and when. It knows tenants by their changes alone; <see cref="Rechecks"/> checks them.
/// </summary>
internal sealed class RecheckSchedule(TenantProbe probe, TimeProvider time) : ITenantChangeListener
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<DueCheck, DateTimeOffset> _due = new();
    private readonly Dictionary<TenantId, DueCheck> _current = [];
    private Action<TimeSpan>? _wake;
    private int _count;

    /// <summary>Gets how many checks are kept, with those that another has taken the place of.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _due.Count;
            }
        }
    }

    /// <inheritdoc/>
    public void OnTenantChanged(TenantChange change)
    {
        lock (_lock)
        {
            _count += (change.Before is null ? 1 : 0) - (change.After is null ? 1 : 0);
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

    /// <summary>Begins to say when something is due.</summary>
    /// <param name="wake">Is told how long it is until the next check is due. It must be quick: a lock is held meanwhile.</param>
    public void Start(Action<TimeSpan> wake)
    {
        lock (_lock)
        {
            _wake = wake;
            Arm();
        }
    }

    /// <summary>Says no more.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _wake = null;
        }
    }

    /// <summary>Takes the checks whose time it is.</summary>
    public IReadOnlyList<DueCheck> TakeDue()
    {
        List<DueCheck> due = [];
        lock (_lock)
        {
            var now = time.GetUtcNow();
            while (_due.TryPeek(out var check, out var at) && at <= now)
            {
                _due.Dequeue();
                if (!IsCurrent(check))
                {
                    continue;
                }

                // When a node loads its tenants, the first of them are noted before it is known how many there are.
                var later = check.LoadedAt is { } from ? from + RecheckInterval.First(_count, check.Random) : at;
                if (later > now)
                {
                    _due.Enqueue(check, later);
                }
                else
                {
                    due.Add(check);
                }
            }

            Arm();
        }

        return due;
    }

    /// <summary>Notes that a check has ended, so that the next one of the tenant is due some time later.</summary>
    /// <param name="check">The check.</param>
    /// <param name="find">Finds the tenant as it is now; between that and the schedule no change comes in.</param>
    /// <param name="isNew">Whether the check found something that is later than what was known.</param>
    public void Complete(DueCheck check, Func<TenantModel?> find, bool isNew)
    {
        lock (_lock)
        {
            if (_current.ContainsKey(check.TenantId) && find() is { IsSuspended: false } tenant)
            {
                var failures = tenant.Health == TenantHealth.Healthy ? 0 : check.Failures + (isNew ? 1 : 0);
                Schedule(tenant, failures, isFirst: false, time.GetUtcNow());
            }
        }
    }

    private void Schedule(TenantModel tenant, int failures, bool isFirst, DateTimeOffset from)
    {
        // Where nothing but the platform is asked, there is nothing that could change by itself; and a record that cannot be read stays so
        // until its tenant is changed.
        if ((tenant.Health == TenantHealth.Healthy && !probe.HasValidators) || tenant.Record.IsUnreadable)
        {
            _current.Remove(tenant.Id);
            return;
        }

        var random = Random.Shared.NextSingle();
        var isLoaded = isFirst && tenant.Health is (TenantHealth.Healthy or TenantHealth.Disabled);
        var interval = isLoaded ? RecheckInterval.First(_count, random) : RecheckInterval.Next(tenant.Health, failures, _count, random);
        var check = new DueCheck(tenant.Id, failures, random, isLoaded ? from : null);
        _current[tenant.Id] = check;
        if (_due.Count > 2 * _current.Count)
        {
            // Each change of a tenant leaves one behind, which would stay until its time.
            var current = _due.UnorderedItems.Where(item => IsCurrent(item.Element)).ToArray();
            _due.Clear();
            _due.EnqueueRange(current);
        }

        _due.Enqueue(check, from + interval);
        if (_due.Peek() == check)
        {
            Arm();
        }
    }

    private void Arm()
    {
        while (_due.TryPeek(out var check, out _) && !IsCurrent(check))
        {
            _due.Dequeue();
        }

        if (_wake is not null && _due.TryPeek(out _, out var at))
        {
            var wait = at - time.GetUtcNow();
            _wake(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
        }
    }

    private bool IsCurrent(DueCheck check) => ReferenceEquals(_current.GetValueOrDefault(check.TenantId), check);
}

/// <summary>A check of a tenant that is to come.</summary>
// Compared by reference: a later one for the same tenant takes its place.
internal sealed class DueCheck(TenantId tenantId, int failures, float random, DateTimeOffset? loadedAt)
{
    public TenantId TenantId { get; } = tenantId;

    /// <summary>How many checks before it have failed in a row.</summary>
    public int Failures { get; } = failures;

    /// <summary>Where it lies in its interval, from 0 to 1.</summary>
    public float Random { get; } = random;

    /// <summary>When the tenant was loaded, for its first check; null for a later one.</summary>
    public DateTimeOffset? LoadedAt { get; } = loadedAt;
}

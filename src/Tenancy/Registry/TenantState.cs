namespace Tenancy.Registry;

/// <summary>The stable place of one tenant: it holds the model that requests see now. Null once the tenant is gone.</summary>
internal sealed class TenantState
{
    private readonly Lock _checks = new();
    private volatile TenantModel? _model;
    private CancellationTokenSource? _presence;
    private Task? _running;
    private Task? _next;
    private bool _isWriting;
    private bool _mustWriteAgain;
    private int _mustRebuild;

    public TenantModel? Model
    {
        get => _model;
        set => _model = value;
    }

    /// <summary>The version of the newest change that was applied, removals included; only the registry's writer touches it.</summary>
    public long AppliedVersion { get; set; }

    /// <summary>Cancelled when the tenant is suspended or gone: its checks end.</summary>
    public CancellationToken Presence => LazyInitializer.EnsureInitialized(ref _presence).Token;

    /// <summary>
    /// Hands over the source behind <see cref="Presence"/>, for a tenant that was suspended or removed; null where nobody ever asked for
    /// that token.
    /// </summary>
    /// <remarks>
    /// The caller cancels it after it has released its locks, because cancelling runs callbacks, which may be an application's code.
    /// </remarks>
    public CancellationTokenSource? TakePresence() => Interlocked.Exchange(ref _presence, null);

    /// <summary>
    /// Runs a check. Whoever asks for one while another runs shares the next one: the running check may have begun before the change that
    /// is to be checked.
    /// </summary>
    /// <param name="check">The check. It begins on a thread of its own, and not under the lock.</param>
    /// <param name="progress">Is told where the check has to wait for the one that runs.</param>
    public Task CheckAsync(Func<Task> check, CheckProgress? progress = null)
    {
        lock (_checks)
        {
            if (_running is null or { IsCompleted: true })
            {
                return Begin(check);
            }

            progress?.Waits();
            return _next ??= CheckAfterAsync(_running, check);
        }
    }

    /// <summary>Has the next check that begins build the platform anew.</summary>
    public void AskForPlatform() => Volatile.Write(ref _mustRebuild, 1);

    /// <summary>Whether the check that begins has to build the platform anew.</summary>
    public bool TakeAskForPlatform() => Interlocked.Exchange(ref _mustRebuild, 0) == 1;

    /// <summary>Begins to write the tenant's health; false where a write runs, which is then followed by another.</summary>
    public bool TryBeginWrite()
    {
        lock (_checks)
        {
            _mustWriteAgain = _isWriting;
            return !_isWriting && (_isWriting = true);
        }
    }

    /// <summary>Ends it; false where it has to be done once more.</summary>
    public bool TryEndWrite()
    {
        lock (_checks)
        {
            _isWriting = _mustWriteAgain;
            _mustWriteAgain = false;
            return !_isWriting;
        }
    }

    // What a check leaves is let go when it is over: most tenants are idle, and there may be very many.
    private Task Begin(Func<Task> check)
    {
        var running = _running = Task.Run(check);
        _ = running.ContinueWith(
            static (done, state) => ((TenantState)state!).Forget(done),
            this,
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default
        );
        return running;
    }

    private void Forget(Task done)
    {
        lock (_checks)
        {
            if (ReferenceEquals(_running, done))
            {
                _running = null;
            }
        }
    }

    private async Task CheckAfterAsync(Task running, Func<Task> check)
    {
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        Task mine;
        lock (_checks)
        {
            _next = null;
            mine = Begin(check);
        }

        await mine.ConfigureAwait(false);
    }
}

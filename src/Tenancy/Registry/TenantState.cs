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

    public TenantModel? Model
    {
        get => _model;
        set => _model = value;
    }

    /// <summary>The version of the newest change that was applied, removals included; only the registry's writer touches it.</summary>
    public long AppliedVersion { get; set; }

    /// <summary>Cancelled when the tenant is suspended or gone: its checks end.</summary>
    public CancellationToken Presence => LazyInitializer.EnsureInitialized(ref _presence).Token;

    /// <summary>Gives what is to be cancelled where the tenant is suspended or gone; null where nobody looked out for it.</summary>
    /// <remarks>The caller cancels it after it let go of its locks: what runs then is code of others.</remarks>
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
                return _running = Task.Run(check);
            }

            progress?.Waits();
            return _next ??= CheckAfterAsync(_running, check);
        }
    }

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

    private async Task CheckAfterAsync(Task running, Func<Task> check)
    {
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        Task mine;
        lock (_checks)
        {
            _next = null;
            mine = _running = Task.Run(check);
        }

        await mine.ConfigureAwait(false);
    }
}

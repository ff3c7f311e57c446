namespace Tenancy.State;

/// <summary>
/// The accounts whose documents a call reads that names no account. They are asked for when a document is first read, and once: most calls
/// read none.
/// </summary>
/// <param name="find">Finds the accounts.</param>
/// <param name="caller">Whose they are; null where none of them can be the caller itself.</param>
internal sealed class ReadableAccounts(Func<CancellationToken, Task<IReadOnlyList<string>>> find, string? caller = null)
{
    private IReadOnlyList<string>? _hashes;

    /// <summary>The same, to be asked for anew.</summary>
    public ReadableAccounts Again() => new(find, caller);

    /// <summary>The accounts, in the form that enters a key.</summary>
    public ValueTask<IReadOnlyList<string>> GetHashesAsync(CancellationToken cancellationToken) =>
        Volatile.Read(ref _hashes) is { } known ? new(known) : new(FindAsync(cancellationToken));

    private async Task<IReadOnlyList<string>> FindAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<string> hashes =
        [
            .. (await find(cancellationToken).ConfigureAwait(false)).Select(account => DocumentSpace.Of(account, caller)),
        ];
        return Interlocked.CompareExchange(ref _hashes, hashes, null) ?? hashes;
    }
}

namespace Tenancy.State;

/// <summary>Whose writes are committed together: a call, or a scope outside one.</summary>
internal interface IUnitOfWork
{
    /// <summary>Gets what was written and is not committed; null for nothing yet, as in every call that only reads.</summary>
    DocumentWork? Work { get; }

    /// <summary>Gets where writes are collected.</summary>
    DocumentWork BeginWork();

    /// <summary>Adds units to what the call is counted with.</summary>
    void AddUnits(long units);
}

/// <summary>The unit of work of what is no call.</summary>
/// <param name="budget">What the documents may take up.</param>
internal sealed class UnitOfWork(DocumentBudget budget) : IUnitOfWork
{
    private DocumentWork? _work;
    private long _units;

    /// <summary>Gets the units that were added. Outside a call nobody counts them.</summary>
    public long Units => Interlocked.Read(ref _units);

    public DocumentWork? Work => Volatile.Read(ref _work);

    public DocumentWork BeginWork() => Work ?? Interlocked.CompareExchange(ref _work, new(budget), null) ?? _work;

    public void AddUnits(long units) => UsedUnits.Add(ref _units, units);

    /// <exception cref="InvalidOperationException">Something was written and never committed.</exception>
    public void ThrowIfForgotten()
    {
        if (Work is { IsForgotten: true })
        {
            throw new InvalidOperationException(
                "Documents were written and not committed, so that they are lost: call CommitAsync before the end, or Discard where they "
                    + "are not meant to stay."
            );
        }
    }
}

namespace Tenancy.State;

/// <summary>A document was changed or deleted since it was read; nothing was written. Read it again, and decide again.</summary>
public sealed class DocumentChangedException : Exception
{
    internal DocumentChangedException(string collection)
        : base($"A document of '{collection}' was changed or deleted since it was read: read it again.") { }
}

/// <summary>The documents of a tenant take up as much as they may; nothing was written, and nothing of anybody was deleted.</summary>
public sealed class StorageBudgetExceededException : Exception
{
    internal StorageBudgetExceededException(long budget)
        : base($"The documents of this tenant take up as much as they may, {budget} bytes: delete some, or raise the tenant's limit.") =>
        Budget = budget;

    /// <summary>Gets what the documents may take up, in bytes.</summary>
    public long Budget { get; }
}

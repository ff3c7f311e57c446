namespace Tenancy.State;

/// <summary>
/// A document was changed or deleted since it was read. Nothing was written, and what the call wrote since its last commit is dropped: read
/// it again, and decide again.
/// </summary>
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

/// <summary>
/// A call wrote more than one commit may hold, 128 documents or 4 MiB. Call <c>ToolContext.FlushAsync</c> between parts of the work.
/// </summary>
public sealed class CommitTooLargeException : Exception
{
    internal CommitTooLargeException()
        : base(
            $"A call commits at most {DocumentWork.MaxDocuments} documents and {DocumentWork.MaxBytes >> 20} MiB at once: call "
                + "ToolContext.FlushAsync between parts of the work, or write less."
        ) { }
}

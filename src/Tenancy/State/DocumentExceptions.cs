namespace Tenancy.State;

/// <summary>
/// What a call does is refused, for a reason that its caller may know. Nothing that it wrote since its last commit is kept.
/// </summary>
public abstract class CallRefusedException : Exception
{
    private protected CallRefusedException(string message, string callerMessage, Exception? inner = null)
        : base(message, inner) => CallerMessage = callerMessage;

    /// <summary>
    /// Gets what the caller is told: what is wrong and whether the same request may succeed later. Tools of the MCP SDK's kind answer it by
    /// themselves.
    /// </summary>
    public string CallerMessage { get; }
}

/// <summary>
/// A document was changed or deleted since it was read. Nothing was written, and what the call wrote since its last commit is dropped: read
/// it again, and decide again.
/// </summary>
public sealed class DocumentChangedException : CallRefusedException
{
    private const string ForCaller = "It was changed by somebody else meanwhile: read it again.";

    internal DocumentChangedException(string collection)
        : base($"A document of '{collection}' was changed or deleted since it was read: read it again.", ForCaller) { }

    private DocumentChangedException(string message, string callerMessage)
        : base(message, callerMessage) { }

    /// <summary>Something that was read with <c>GetCachedAsync</c> or <c>ListCachedAsync</c> has changed.</summary>
    internal static DocumentChangedException OfRemembered() =>
        new("A document that was read from this node's memory may have changed since it was remembered: read it again.", ForCaller);
}

/// <summary>
/// The documents of a tenant, or those that one caller of it created, take up as much as they may; nothing was written, and nothing of
/// anybody was deleted. It lasts until something is deleted.
/// </summary>
public sealed class StorageBudgetExceededException : CallRefusedException
{
    internal StorageBudgetExceededException(DocumentBudget budget, bool isShare)
        : base(
            isShare
                ? $"The documents that one caller created take up as much as they may, {budget.Caller} bytes: delete some of them, or "
                    + "raise the tenant's limit, of which one caller may have half."
                : $"The documents of this tenant take up as much as they may, {budget.Tenant} bytes: delete some, or raise the tenant's "
                    + "limit.",
            isShare
                ? "Your data here takes up as much as one caller's may, and to wait does not change that: delete some of it."
                : "The storage here is full, and to wait does not change that."
        ) => (Budget, IsShare) = (isShare ? budget.Caller : budget.Tenant, isShare);

    /// <summary>Gets what the documents may take up, in bytes.</summary>
    public long Budget { get; }

    /// <summary>Gets whether it is one caller that has as much as one may, and not the tenant.</summary>
    public bool IsShare { get; }
}

/// <summary>A document is larger than one may be, or nested too deeply to be answered again. It was not taken.</summary>
public sealed class DocumentTooLargeException : CallRefusedException
{
    private DocumentTooLargeException(string message, string callerMessage, Exception? inner)
        : base(message, callerMessage, inner) { }

    internal static DocumentTooLargeException OfSize(string collection, int size, int most) =>
        new(
            $"A document of '{collection}' has {size} bytes: {most} are the most. Keep less in one, or raise the tenant's maxDocumentSize.",
            $"What is to be kept of it has {size} bytes: {most} are the most.",
            inner: null
        );

    internal static DocumentTooLargeException OfDepth(string type, Exception inner) =>
        new(
            $"A {type} has more than {DocumentJson.MaxDepth} levels of objects and lists: those that read it again take no more.",
            $"It is nested too deeply: {DocumentJson.MaxDepth} levels of objects and lists are the most.",
            inner
        );
}

/// <summary>What was to be read at once is more than one answer may hold: read less, or page by page.</summary>
public sealed class ReadTooLargeException : CallRefusedException
{
    internal ReadTooLargeException(string collection, int most)
        : base(
            $"The documents of '{collection}' that were to be read at once have more than {most >> 20} MiB: read fewer, or page by page.",
            "It is more than can be read at once: ask for less."
        ) { }
}

/// <summary>
/// A call wrote more than one commit may hold, 128 documents or 4 MiB: call <c>ToolContext.FlushAsync</c> between parts of the work. Or it
/// used more than 1,000 documents and lists that the node remembers: read some with <c>GetAsync</c>.
/// </summary>
public sealed class CommitTooLargeException : CallRefusedException
{
    internal CommitTooLargeException()
        : base(
            $"A call commits at most {DocumentWork.MaxDocuments} documents and {DocumentWork.MaxBytes >> 20} MiB at once: call "
                + "ToolContext.FlushAsync between parts of the work, or write less.",
            "It is more than can be written at once: ask for it in parts."
        ) { }

    private CommitTooLargeException(string message, string callerMessage)
        : base(message, callerMessage) { }

    internal static CommitTooLargeException OfRemembered() =>
        new(
            $"A call uses at most {DocumentWork.MaxRemembered} documents and lists that were read with GetCachedAsync and ListCachedAsync, "
                + "because its commit looks at each: read others with GetAsync, GetAllAsync or ListAsync.",
            "It is more than can be looked at at once: ask for it in parts."
        );
}

namespace Tenancy.Outbound;

/// <summary>
/// A document could not be fetched. The message is made here and carries no credential; no inner exception, whose message might, goes with
/// it.
/// </summary>
internal sealed class FetchException(string reason, bool isTransient, int? statusCode = null) : Exception(reason)
{
    /// <summary>Whether it may succeed later without anybody's doing.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>Whether there was an answer, which is not the document that was asked for.</summary>
    public bool IsAnswered { get; } = statusCode is not null;
}

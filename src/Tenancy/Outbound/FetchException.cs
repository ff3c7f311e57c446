namespace Tenancy.Outbound;

/// <summary>
/// A document could not be fetched. The message is made here and carries no credential; no inner exception, whose message might, goes with
/// it.
/// </summary>
internal sealed class FetchException(string reason, bool isTransient, int? statusCode = null) : Exception(reason)
{
    /// <summary>Whether it may succeed later without anybody's doing.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>The status of the answer, where there was one.</summary>
    public int? StatusCode { get; } = statusCode;
}

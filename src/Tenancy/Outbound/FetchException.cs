namespace Tenancy.Outbound;

/// <summary>
/// A document could not be fetched. The message is made here and carries no credential; no inner exception, whose message might, goes with
/// it.
/// </summary>
internal sealed class FetchException(string reason, bool isTransient, bool isConnected = true, bool isCertain = false) : Exception(reason)
{
    /// <summary>Whether what was asked for is forbidden as it is written, so that no outage can be the cause.</summary>
    public bool IsCertain { get; } = isCertain;

    /// <summary>Whether it may succeed later without anybody's doing.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>Whether the host was reached, so that another of its places may have what this one did not give.</summary>
    public bool IsConnected { get; } = isConnected;
}

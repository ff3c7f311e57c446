namespace Tenancy.State;

/// <summary>
/// Whose a session is: one caller's, and only as long as its tenant is registered. Neither a suspension nor another platform ends it.
/// </summary>
/// <param name="Epoch">
/// Names the time since the tenant was registered, outside which none of its sessions is good; generated, never from outside.
/// </param>
/// <param name="Caller">The caller's identity.</param>
internal readonly record struct SessionOwner(string Epoch, string Caller)
{
    /// <summary>The owner as a session's record has it.</summary>
    public string Text => $"{Epoch}|{Caller}";

    /// <summary>The form in which the caller enters the index.</summary>
    public string CallerHash => TenantKeyspace.Hash(Caller);

    /// <summary>
    /// The entry of a session in the index: whose it is can be read from it, so that what expires is taken off the right counts.
    /// </summary>
    public string Entry(string sessionHash) => $"{Epoch}.{CallerHash}.{sessionHash}";

    /// <summary>The caller in a record's text.</summary>
    public static string CallerOf(string text) => text[(text.IndexOf('|', StringComparison.Ordinal) + 1)..];
}

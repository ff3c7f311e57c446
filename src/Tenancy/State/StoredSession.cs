namespace Tenancy.State;

/// <summary>A session as an admin sees it. Its id, which its caller keeps to itself, is not in it.</summary>
/// <param name="Handle">The hash of the session's id.</param>
/// <param name="Caller">Whose it is.</param>
/// <param name="BegunAt">When it began.</param>
/// <param name="ExpiresAt">When it ends unless it is used.</param>
internal sealed record StoredSession(string Handle, string Caller, DateTimeOffset BegunAt, DateTimeOffset ExpiresAt);

using Tenancy.State;

namespace Tenancy.Mcp.Sessions;

/// <summary>
/// A place for the session that a request begins. The MCP SDK makes the session before it reads what the client says, so that there may be
/// one that nobody learns of: unless the request is accepted, the place is given back, and what was begun in it ends.
/// </summary>
internal sealed class SessionPlace(SessionStore store, string place, SessionOwner owner, Action<string> forget) : IAsyncDisposable
{
    private string? _sessionId;

    /// <summary>Gets or sets whether the client was told of the session.</summary>
    public bool IsAccepted { get; set; }

    /// <summary>Records the session that the MCP SDK has just made, before anybody can use it.</summary>
    /// <exception cref="InvalidOperationException">The place was lost meanwhile.</exception>
    public async Task TakeAsync(string sessionId)
    {
        // Set first: where the store fails, nobody knows whether the session was recorded, and it is deleted at the end all the same.
        _sessionId = sessionId;
        if (!await store.CreateAsync(sessionId, owner, place))
        {
            throw new InvalidOperationException("A session was about to begin whose place was lost meanwhile.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (IsAccepted)
        {
            return;
        }

        if (_sessionId is { } id)
        {
            forget(id);
            await store.DeleteAsync(id, owner);
        }

        await store.ReleaseAsync(place);
    }
}

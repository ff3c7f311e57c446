using Tenancy.State;

namespace Tenancy.Tests.Hosting;

internal static class SessionStoreExtensions
{
    /// <summary>Begins a session where a place is sure to be left, and uses it.</summary>
    public static async Task BeginAsync(this SessionStore sessions, string sessionId, SessionOwner owner)
    {
        var place = await sessions.ReserveAsync(owner, int.MaxValue, int.MaxValue);
        Assert.True(await sessions.CreateAsync(sessionId, owner, place!));
        Assert.True(await sessions.UseAsync(sessionId, owner));
    }
}

using System.Security.Claims;

namespace Tenancy.Authentication;

/// <summary>What was found out about a token that was checked, so that nothing of it has to be looked at again.</summary>
/// <param name="User">The token's claims, with the caller's identity at the tenant.</param>
/// <param name="Caller">Who is calling.</param>
/// <param name="Client">The client that the token was issued to; null where it names none.</param>
/// <param name="Expiry">When the token expires.</param>
internal sealed record BelievedToken(ClaimsPrincipal User, CallerIdentity Caller, string? Client, DateTimeOffset Expiry)
{
    /// <summary>Estimates how many bytes it takes up, rather too many than too few.</summary>
    public long SizeOf() => User.SizeOf() + (sizeof(char) * (long)(Caller.Value.Length + (Client?.Length ?? 0)));
}

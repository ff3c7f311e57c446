namespace Tenancy.Configuration;

/// <summary>A scheme that tenants may name.</summary>
/// <param name="IdClaim">The claim that says who is calling.</param>
/// <param name="StreamLifetime">
/// How long a stream stays open on one proof, which is not asked for again; null where it is asked for again and again.
/// </param>
internal sealed record AddedScheme(string IdClaim, TimeSpan? StreamLifetime);

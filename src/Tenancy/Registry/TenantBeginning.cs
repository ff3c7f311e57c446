using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>What a tenant is registered with.</summary>
/// <param name="Config">Its configuration.</param>
/// <param name="Origin">Who registers it: <see cref="TenantOrigin"/>.</param>
internal sealed record TenantBeginning(TenantConfig Config, string Origin)
{
    /// <summary>Whose it is at its source; null where that is not said.</summary>
    public string? Owner { get; init; }

    public IReadOnlyList<DuePrincipal> Principals { get; init; } = [];

    /// <summary>
    /// Whether it is refused where its platform cannot be built from its settings. Else it is there and disabled, as what comes from a
    /// source or the configuration, which nobody waits for.
    /// </summary>
    public bool MustBuild { get; init; }
}

/// <summary>What became of a registration that was not refused.</summary>
/// <param name="Status">The tenant.</param>
/// <param name="IsNew">Whether it is new; else an equal one was there.</param>
/// <param name="Adopted">What it has of an unregistered one; null where there was none.</param>
internal sealed record TenantRegistrationResult(TenantStatus Status, bool IsNew, AdoptedData? Adopted);

/// <summary>A principal that a tenant is registered with, in the form in which the store keeps it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="TokenHash">The hash of its token.</param>
/// <param name="Record">What else is known of it.</param>
internal sealed record DuePrincipal(string Id, string TokenHash, string Record);

/// <summary>What an unregistered tenant had left that a new one with its id has now.</summary>
/// <param name="Principals">The principals, whose tokens are good again.</param>
/// <param name="Clients">The listed OAuth clients.</param>
/// <param name="Documents">The documents.</param>
/// <param name="DocumentBytes">What these take up, in bytes.</param>
public sealed record AdoptedData(int Principals, int Clients, int Documents, long DocumentBytes);

namespace Tenancy.Registry;

/// <summary>What is done where the id of a new tenant was used before.</summary>
public enum TenantCreation
{
    /// <summary>Nobody's data may be there: the registration is refused.</summary>
    New,

    /// <summary>Data that an unregistered tenant left behind becomes the new one's.</summary>
    Adopt,

    /// <summary>Nothing is done: what was unregistered or deleted stays so.</summary>
    Seed,
}

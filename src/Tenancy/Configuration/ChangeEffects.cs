namespace Tenancy.Configuration;

/// <summary>What a change of a tenant makes necessary. Every effect includes that the change is stored.</summary>
[Flags]
internal enum ChangeEffects
{
    /// <summary>Nothing: no field differs.</summary>
    None = 0,

    /// <summary>The change is stored and served with the next request.</summary>
    Stored = 1,

    /// <summary>The tenant is validated first, while its old configuration serves.</summary>
    Validation = 2 | Stored,

    /// <summary>The tenant's platform is built anew, which is a validation, too.</summary>
    NewPlatform = 4 | Validation,

    /// <summary>What is open for the tenant, such as the streams of sessions, ends: it was let in by something else.</summary>
    EndOfStreams = 8 | Stored,

    /// <summary>The change is refused.</summary>
    Refused = 16 | Stored,
}

/// <summary>
/// Says what a change of a field makes necessary. On a type it applies to all fields of that type. A field without it has the effect of the
/// record that it is part of. A field of the tenant itself without it is stored, and has no further effect.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
internal sealed class OnChangeAttribute(ChangeEffects effects) : Attribute
{
    public ChangeEffects Effects { get; } = effects;

    /// <summary>The new value that has these effects, where other values are only stored. Default: every value has them.</summary>
    public object? To { get; init; }
}

/// <summary>What a number counts.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class UnitAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

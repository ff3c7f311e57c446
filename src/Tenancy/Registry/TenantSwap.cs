namespace Tenancy.Registry;

/// <summary>What of a tenant stays as it is at the moment in which another model takes its place.</summary>
internal enum TenantSwap
{
    /// <summary>Nothing: all is as the new model says.</summary>
    Whole,

    /// <summary>The platform's instance.</summary>
    KeepPlatform,

    /// <summary>The platform's instance and the health.</summary>
    KeepCheck,
}

using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>A tenant's configuration has mistakes; nothing was changed.</summary>
public sealed class TenantConfigException : Exception
{
    internal TenantConfigException(IReadOnlyList<TenantConfigError> errors)
        : base(string.Join("; ", errors)) => Errors = errors;

    /// <summary>Gets every mistake.</summary>
    public IReadOnlyList<TenantConfigError> Errors { get; }
}

/// <summary>An id or a URL belongs to another tenant; nothing was changed.</summary>
public sealed class TenantConflictException : Exception
{
    internal TenantConflictException(string field, string message)
        : base(message) => Field = field;

    /// <summary>Gets the field that conflicts.</summary>
    public string Field { get; }
}

/// <summary>The store cannot be reached, or did not answer in time. A change may or may not have happened: retry it as it was.</summary>
public sealed class StoreUnavailableException : Exception
{
    internal StoreUnavailableException(Exception inner)
        : base("The store is not available.", inner)
    {
    }
}

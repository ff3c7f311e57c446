using Tenancy.Configuration;
using Tenancy.Validation;

namespace Tenancy.Registry;

/// <summary>A tenant's configuration has mistakes; nothing was changed.</summary>
public sealed class TenantConfigException : Exception
{
    /// <summary>Says what is wrong.</summary>
    public TenantConfigException(IReadOnlyList<TenantConfigError> errors)
        : base(string.Join("; ", errors)) => Errors = errors;

    /// <summary>Gets every mistake.</summary>
    public IReadOnlyList<TenantConfigError> Errors { get; }
}

/// <summary>An id or a URL belongs to another tenant, or the tenant was changed meanwhile; nothing was changed.</summary>
public sealed class TenantConflictException : Exception
{
    /// <summary>Says what conflicts with what.</summary>
    public TenantConflictException(string field, string message)
        : base(message) => Field = field;

    /// <summary>Gets the field that conflicts.</summary>
    public string Field { get; }

    /// <summary>Gets whether a seed only met what an admin unregistered or deleted.</summary>
    internal bool IsOfTombstone { get; init; }
}

/// <summary>There is no such tenant, or it went while it was being worked on.</summary>
public sealed class TenantNotFoundException : Exception
{
    /// <summary>Says which tenant there is not.</summary>
    public TenantNotFoundException(TenantId tenantId)
        : base($"There is no tenant '{tenantId}'.") => TenantId = tenantId;

    /// <summary>Gets the id.</summary>
    public TenantId TenantId { get; }
}

/// <summary>A change of a tenant did not pass validation; nothing was changed, and the tenant is served as before.</summary>
public sealed class TenantValidationException : Exception
{
    /// <summary>Says what the validation said.</summary>
    public TenantValidationException(TenantValidation validation)
        : base(TenantHealthPolicy.Reason(validation)) =>
        (IsTransient, Field) = (validation is TenantValidation.Transient, validation.Field);

    /// <summary>Gets whether the same change may pass later.</summary>
    public bool IsTransient { get; }

    /// <summary>Gets the field of the tenant that somebody has to mend; null where it is not known.</summary>
    public string? Field { get; }
}

using Tenancy.Configuration;

namespace Tenancy.Validation;

/// <summary>Checks from outside whether a tenant can be served, such as whether its identity provider answers.</summary>
/// <remarks>
/// Add it with <c>AddTenantValidator&lt;YourValidator&gt;()</c> on the builder. All validators that are registered run; the worst result
/// counts. What one throws counts as transient. It gets 30 seconds.
/// </remarks>
public interface ITenantValidator
{
    /// <summary>Checks a tenant. A reason must carry no credential.</summary>
    ValueTask<TenantValidation> ValidateAsync(TenantConfig tenant, CancellationToken cancellationToken);
}

using Tenancy.Configuration;

namespace Tenancy.State;

/// <summary>What the documents of a tenant may take up, in bytes; see <see cref="DocumentSize"/>.</summary>
/// <param name="Tenant">All of them.</param>
/// <param name="Caller">Those that one caller created, whoever changed them since.</param>
/// <param name="CallerHash">Who is charged for what is created now; empty for nobody.</param>
internal readonly record struct DocumentBudget(long Tenant, long Caller, string CallerHash)
{
    /// <summary>The most bytes of one document's JSON.</summary>
    public int Document { get; init; } = TenantLimits.DefaultMaxDocumentSize;

    /// <summary>The budget of what is written for no caller: it counts for the tenant alone.</summary>
    public static DocumentBudget OfTenant(long bytes) => new(bytes, bytes, "");
}

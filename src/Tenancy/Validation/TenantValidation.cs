namespace Tenancy.Validation;

/// <summary>The result of a check. There is no failure without a kind.</summary>
public abstract record TenantValidation
{
    private TenantValidation() { }

    /// <summary>The tenant can be served.</summary>
    public sealed record Valid : TenantValidation
    {
        private Valid() { }

        /// <summary>Gets the one value.</summary>
        public static Valid Instance { get; } = new();
    }

    /// <summary>The check failed for a reason that may pass by itself, such as a provider that does not answer.</summary>
    /// <param name="Reason">What an admin reads.</param>
    public sealed record Transient(string Reason) : TenantValidation;

    /// <summary>The check failed for a reason that somebody has to mend.</summary>
    /// <param name="Reason">What an admin reads.</param>
    public sealed record Permanent(string Reason) : TenantValidation;
}

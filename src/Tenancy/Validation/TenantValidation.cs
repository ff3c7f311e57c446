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

    /// <summary>
    /// The check failed in a way that is a mistake in the configuration or an outage: nobody can tell from one answer, such as a 404 or a
    /// page of HTML where a document should be. A tenant that was healthy is served on, and disabled only where it goes on for minutes.
    /// </summary>
    /// <param name="Reason">What an admin reads.</param>
    public sealed record Doubtful(string Reason) : TenantValidation;

    /// <summary>The check failed for a reason that somebody has to mend, and that cannot be an accident.</summary>
    /// <param name="Reason">What an admin reads.</param>
    public sealed record Permanent(string Reason) : TenantValidation;

    /// <summary>
    /// Gets the field of the tenant that somebody has to mend, such as <c>settings.apiKey</c>; null, the default, where it is not known.
    /// </summary>
    public string? Field { get; init; }

    /// <summary>
    /// Whether the reason was made by this library of things that may be shown, so that nothing in it, such as the URL of an identity
    /// provider, is taken for a credential.
    /// </summary>
    internal bool IsClean { get; init; }
}

namespace Tenancy.Audit;

/// <summary>Who does something that the audit tells of.</summary>
/// <param name="Caller">
/// <c>admin</c>, an application's own name for an admin, <c>configuration</c>, <c>source:NAME</c>, <c>application</c> or <c>system</c>.
/// </param>
/// <param name="Key">What the admin key is called; null where there was none.</param>
/// <param name="Address">The address that the request came from; null where there was no request.</param>
internal sealed record AuditActor(string Caller, string? Key = null, string? Address = null)
{
    private static readonly AsyncLocal<AuditActor?> Flow = new();
    private static readonly AuditActor Application = new("application");

    /// <summary>Gets who acts in this flow of calls: an application's own code, where nobody said anything else.</summary>
    public static AuditActor Current => Flow.Value ?? Application;

    /// <summary>Says who acts, in what the caller of this method calls from now on.</summary>
    public static void Become(AuditActor actor) => Flow.Value = actor;

    /// <summary>Says that the application's own code acts from now on, whoever had it called.</summary>
    public static void BecomeApplication() => Flow.Value = null;
}

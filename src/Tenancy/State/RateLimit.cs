namespace Tenancy.State;

/// <summary>How many requests a minute somebody may make; all of a minute's may come at once.</summary>
/// <param name="Policy">The name of the limit, as the RateLimit headers show it.</param>
/// <param name="Subject">Whom it counts, within the tenant.</param>
/// <param name="PerMinute">The requests; 1 at least.</param>
internal readonly record struct RateLimit(string Policy, string Subject, int PerMinute)
{
    private const string All = "all";
    private const string AnonymousPolicy = "anonymous";
    private static readonly string AllHash = TenantKeyspace.Hash(All);

    /// <summary>All callers of a tenant together.</summary>
    public static RateLimit Tenant(int perMinute) => new("tenant", All, perMinute);

    /// <summary>One caller.</summary>
    public static RateLimit Caller(string caller, int perMinute) => new("caller", caller, perMinute);

    /// <summary>Callers without credentials, by the address of the client; they never spend the tenant's.</summary>
    public static RateLimit Anonymous(string address, int perMinute) => new(AnonymousPolicy, address, perMinute);

    /// <summary>The beginnings of connections, by the caller or, without credentials, by the address of the client.</summary>
    public static RateLimit Handshake(string subject, int perMinute) => new("handshake", subject, perMinute);

    /// <summary>
    /// What keeps a caller's sessions going: their streams, their ends and, beyond its other limits, what runs nothing. It is counted by
    /// the caller or, where nobody shows credentials, by the address of the client.
    /// </summary>
    public static RateLimit Upkeep(string subject, int perMinute) => new("upkeep", subject, perMinute);

    /// <summary>
    /// One tool, for all callers together that have credentials, or for all that have none: those never spend the others'.
    /// </summary>
    public static RateLimit Tool(string tool, bool isAnonymous, int perMinute) =>
        new("tool", isAnonymous ? "anonymous:" + tool : "all:" + tool, perMinute);

    /// <summary>One tool, for one caller or, without credentials, one address. The length says where the name ends.</summary>
    public static RateLimit ToolCaller(string tool, string subject, int perMinute) =>
        new("tool-caller", $"{tool.Length}:{tool}:{subject}", perMinute);

    /// <summary>Gets whether it counts callers without credentials.</summary>
    public bool IsAnonymous => Policy == AnonymousPolicy;

    /// <summary>Gets whether it counts all callers of a tenant together.</summary>
    public bool IsTenants => ReferenceEquals(Subject, All);

    /// <summary>
    /// The form in which the subject enters a key. Nearly every request counts for all of its tenant: that one is at hand.
    /// </summary>
    public string SubjectHash => IsTenants ? AllHash : TenantKeyspace.Hash(Subject);

    /// <summary>
    /// The time between two requests at the steady rate, in microseconds: rounded up, so that no more than the rate is ever let through.
    /// </summary>
    public long Interval => (60_000_000L + PerMinute - 1) / PerMinute;

    /// <summary>The time that all requests of a minute are worth, in microseconds.</summary>
    public long Span => Interval * PerMinute;
}

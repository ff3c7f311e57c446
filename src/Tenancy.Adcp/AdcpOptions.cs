namespace Tenancy.Adcp;

/// <summary>The settings of AdCP: the configuration section <c>Tenancy:Adcp</c>.</summary>
public sealed class AdcpOptions
{
    /// <summary>The name of the configuration section.</summary>
    public const string SectionName = "Tenancy:Adcp";

    /// <summary>Gets or sets what happens to a request that breaks a rule of its type. Default: strict.</summary>
    /// <remarks>A request that cannot be read at all is refused in any case.</remarks>
    public AdcpChecking Requests { get; set; } = AdcpChecking.Strict;

    /// <summary>Gets or sets what happens to an answer of a handler that breaks a rule of its type. Default: strict.</summary>
    public AdcpChecking Responses { get; set; } = AdcpChecking.Strict;

    /// <summary>
    /// Gets or sets whether the tools are there with which a checker prepares and simulates things. All accounts of a caller have what it
    /// buys in one place then, which is that caller's alone. It is refused everywhere but in Development.
    /// </summary>
    /// <value>
    /// Default: false. <c>Tenancy:AllowDevelopmentValues</c> accepts it in an environment that is named neither Development nor Production.
    /// </value>
    public bool TestMode { get; set; }
}

/// <summary>What happens to a message that breaks a rule of its type.</summary>
public enum AdcpChecking
{
    /// <summary>It is refused. An answer becomes an error, and a log entry.</summary>
    Strict,

    /// <summary>It passes, with a log entry.</summary>
    Warn,

    /// <summary>It passes.</summary>
    Off,
}

using System.Diagnostics.CodeAnalysis;

namespace Tenancy.Configuration;

/// <summary>
/// Until when this server serves: when it is told to stop it goes on for <see cref="TenancyOptions.DrainTime"/>. What is open without an
/// end of its own, such as an event stream, ends then, and not when the server is told.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Whoever still serves looks at the token, also when the server is gone.")]
internal sealed class ServingTime
{
    private readonly CancellationTokenSource _end = new();
    private volatile bool _isEnding;

    /// <summary>Gets whether the server was told to stop.</summary>
    public bool IsEnding => _isEnding;

    /// <summary>Gets what is cancelled when it is over.</summary>
    public CancellationToken Ended => _end.Token;

    /// <summary>Says that the server was told to stop.</summary>
    public void BeginToEnd() => _isEnding = true;

    /// <summary>Says that it is over. What is registered with the token runs elsewhere.</summary>
    public void End() => _ = _end.CancelAsync();
}

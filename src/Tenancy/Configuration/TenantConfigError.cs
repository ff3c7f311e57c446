namespace Tenancy.Configuration;

/// <summary>A mistake in a tenant's configuration.</summary>
/// <param name="Field">The field, in the wire form's terms: <c>urls[0]</c>, <c>limits.maxSessions</c>.</param>
/// <param name="Message">What is wrong and how to mend it.</param>
public readonly record struct TenantConfigError(string Field, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Field}: {Message}";
}

using System.Diagnostics.CodeAnalysis;

namespace Tenancy.Configuration;

/// <summary>The id of a tenant: a DNS label, so that it can stand in a host name, a path and a key.</summary>
/// <remarks>
/// 1 to 63 characters of <c>a-z</c>, <c>0-9</c> and <c>-</c>, not beginning or ending with <c>-</c> (RFC 1123, lower case only).
/// <c>admin</c>, <c>www</c>, <c>health</c>, <c>mcp</c>, <c>metadata</c> and <c>tenants</c> are reserved.
/// </remarks>
public readonly record struct TenantId
{
    private static readonly string[] Reserved = ["admin", "www", "health", "mcp", "metadata", "tenants"];

    private readonly string? _value;

    private TenantId(string value) => _value = value;

    /// <summary>Gets the id as text.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default(TenantId)</c>, which names no tenant.</exception>
    public string Value => _value ?? throw new InvalidOperationException("This TenantId names no tenant.");

    /// <summary>Reads an id.</summary>
    /// <exception cref="FormatException"><paramref name="value"/> is not a tenant id; the message says why.</exception>
    public static TenantId Parse(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Explain(value) is { } reason ? throw new FormatException(reason) : new TenantId(value);
    }

    /// <summary>Reads an id without throwing.</summary>
    public static bool TryParse([NotNullWhen(true)] string? value, out TenantId id)
    {
        id = value is not null && IsLabel(value) && !IsReserved(value) ? new TenantId(value) : default;
        return id != default;
    }

    /// <inheritdoc/>
    public override string ToString() => _value ?? "(none)";

    /// <summary>Says why a text is not a tenant id; null when it is one.</summary>
    internal static string? Explain(string value)
    {
        if (!IsLabel(value))
        {
            return $"'{Shorten(value)}' is not a tenant id: use 1 to 63 characters of a-z, 0-9 and '-', beginning and ending with a "
                + "letter or digit.";
        }

        return IsReserved(value) ? $"'{value}' is reserved: choose another tenant id." : null;
    }

    internal static bool IsLabel(ReadOnlySpan<char> value)
    {
        if (value.Length is 0 or > 63 || value[0] == '-' || value[^1] == '-')
        {
            return false;
        }

        foreach (var c in value)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-'))
            {
                return false;
            }
        }

        return true;
    }

    internal static bool IsReserved(ReadOnlySpan<char> value)
    {
        foreach (var reserved in Reserved)
        {
            if (value.SequenceEqual(reserved))
            {
                return true;
            }
        }

        return false;
    }

    private static string Shorten(string value) => value.Length <= 80 ? value : string.Concat(value.AsSpan(0, 80), "...");
}

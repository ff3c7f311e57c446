using System.Collections;
using System.Globalization;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Mcp;

/// <summary>What stands beside every entry of the log that is written while a tenant is served: whose it is.</summary>
/// <remarks>
/// The caller is its hash, as in keys of the store: an identity may be somebody's name elsewhere. Nothing is computed before it is read.
/// </remarks>
internal class CallLogScope(TenantId tenant, CallerIdentity caller, string? tool) : IReadOnlyList<KeyValuePair<string, object?>>
{
    private string? _caller;

    public int Count => Tool is null ? 2 : 3;

    /// <summary>Gets the name of the tool that is called.</summary>
    protected virtual string? Tool => tool;

    private string Caller => _caller ??= TenantKeyspace.Hash(caller.Value);

    public KeyValuePair<string, object?> this[int index] =>
        index switch
        {
            0 => new("TenantId", tenant.Value),
            1 => new("Caller", Caller),
            2 => new("Tool", Tool),
            _ => throw new ArgumentOutOfRangeException(nameof(index)),
        };

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"TenantId:{tenant} Caller:{Caller}") + (Tool is { } name ? $" Tool:{name}" : "");
}

using System.Text.Json;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>
/// What a registration has yet to do in the tenant's own slot, as it lies with what all tenants share until it is done: <c>new</c> or
/// <c>kept</c>, what names the registration, and its principals as JSON.
/// </summary>
/// <param name="IsNew">
/// Whether the tenant begins with nothing. Then whatever lies in its slot is of another tenant with its id, whose end a failover has lost,
/// and the registration does not begin.
/// </param>
/// <param name="Mark">
/// What tells it from all other registrations; empty for one of an older release, which has its principals alone.
/// </param>
/// <param name="Principals">The principals that it begins with.</param>
internal sealed record DueBeginning(bool IsNew, string Mark, DuePrincipal[] Principals)
{
    public static DueBeginning Of(DuePrincipal[] principals) => new(IsNew: true, Guid.NewGuid().ToString("N"), principals);

    /// <summary>Reads what the store has.</summary>
    /// <exception cref="JsonException">It is nothing of the kind.</exception>
    public static DueBeginning Read(string due) =>
        due.Split(' ', 3) is ["new" or "kept", var mark, var principals] parts
            ? new(parts[0] == "new", mark, ReadPrincipals(principals))
            : new(IsNew: false, Mark: "", ReadPrincipals(due));

    /// <summary>Writes it without its first word, which is known where the id is claimed.</summary>
    public string ToText() => $"{Mark} {JsonSerializer.Serialize(Principals, TenantStoreJson.Default.DuePrincipalArray)}";

    private static DuePrincipal[] ReadPrincipals(string json) =>
        JsonSerializer.Deserialize(json, TenantStoreJson.Default.DuePrincipalArray) ?? throw new JsonException("It is no list.");
}

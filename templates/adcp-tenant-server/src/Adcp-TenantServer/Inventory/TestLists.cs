using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Inventory;

/// <summary>
/// The lists that AdCP's checker names, in test mode. Yours would ask the agent at the list's URL, and remember what it says.
/// </summary>
public sealed class TestLists : IListResolver
{
    private const string Agent = "https://governance.pinnacle-agency.example";

    // Whether something of this seller is on the list.
    private static readonly Dictionary<(ListKind, string), bool> Lists = new()
    {
        [(ListKind.Properties, "acme_outdoor_allowlist_v1")] = true,
        [(ListKind.Properties, "acme_outdoor_no_match_v1")] = false,
        [(ListKind.Collections, "acme_outdoor_collections_v1")] = true,
        [(ListKind.Collections, "acme_outdoor_no_match_collections_v1")] = false,
    };

    public Task<bool?> CoversAsync(
        ListKind kind,
        ListReference list,
        Product product,
        ToolContext context,
        CancellationToken cancellationToken
    ) =>
        Task.FromResult(
            list.AgentUrl.TrimEnd('/') == Agent && Lists.TryGetValue((kind, list.ListId), out var covers) ? covers : (bool?)null
        );
}

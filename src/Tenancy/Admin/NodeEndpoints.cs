using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>The nodes that share the store, as an admin sees them.</summary>
internal static class NodeEndpoints
{
    public static void Map(AdminRoutes routes) => routes.Map(HttpMethods.Get, "", ListAsync);

    private static async Task<JsonHttpResult<NodeList>> ListAsync(FleetNodes nodes, StoreDurabilityProbe durability) =>
        TypedResults.Json(
            new NodeList(
                (await durability.GetAsync()).ToWord(),
                [
                    .. (await nodes.ListAsync())
                        .OrderBy(one => one.Node.StartedAt)
                        .ThenBy(one => one.Node.Id, StringComparer.Ordinal)
                        .Select(one => new NodeAnswer(one.Node, Math.Round(one.Ago.TotalSeconds, 1))),
                ]
            ),
            AdminJson.Wire.NodeList
        );
}

/// <summary>The nodes that share the store.</summary>
/// <param name="Store">How durable the store is: <c>memory-only</c>, <c>durable</c>, <c>replicated</c> or <c>away</c>.</param>
/// <param name="Nodes">The nodes, the oldest first.</param>
internal sealed record NodeList(string Store, IReadOnlyList<NodeAnswer> Nodes);

/// <summary>A node.</summary>
internal sealed record NodeAnswer
{
    public NodeAnswer(FleetNode node, double heardSecondsAgo)
    {
        (Id, Host, StartedAt, Release) = (node.Id, node.Host, node.StartedAt, node.Release);
        (Version, Tenants, LagSeconds, HeardSecondsAgo) = (node.Version, node.Tenants, node.LagSeconds, heardSecondsAgo);
    }

    /// <summary>Gets what the node is called among the nodes; another after each start.</summary>
    public string Id { get; }

    /// <summary>Gets the name of its machine.</summary>
    public string Host { get; }

    /// <summary>Gets since when it is there.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>Gets the version of the library that it runs.</summary>
    public string Release { get; }

    /// <summary>Gets the version of the last change of a tenant that it has followed.</summary>
    public long Version { get; }

    /// <summary>Gets how many tenants it has.</summary>
    public int Tenants { get; }

    /// <summary>Gets how long before its last word it knew all that the store has, in seconds.</summary>
    public double LagSeconds { get; }

    /// <summary>Gets how long ago it was heard of, in seconds.</summary>
    public double HeardSecondsAgo { get; }
}

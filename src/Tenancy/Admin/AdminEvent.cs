using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;

namespace Tenancy.Admin;

/// <summary>An event of <c>GET /admin/events</c>.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Id">What a stream can be taken up after; null where it cannot.</param>
/// <param name="Data">Its data as JSON, for one who is confined to a tenant, or who is not; null where it is not for them.</param>
internal sealed record AdminEvent(string Name, string? Id, Func<TenantId?, byte[]?> Data)
{
    public const string Begin = "begin";
    public const string Reset = "reset";
    public const string Change = "change";
    public const string Health = "health";
    public const string Refusals = "refusals";
    public const string Nodes = "nodes";
    public const string End = "end";

    /// <summary>Something that happened to a tenant.</summary>
    public static AdminEvent Of(FleetEvent happened)
    {
        var data = happened.Change is { } change
            ? Write(new AuditAnswer(change), AdminJson.Wire.AuditAnswer)
            : Write(HealthEvent.Of(happened.Health!), AdminJson.Wire.HealthEvent);
        return new(happened.Change is null ? Health : Change, happened.Id, only =>
            only is null || happened.Tenant == only.Value.Value ? data : null
        );
    }

    /// <summary>What a node refused in the last second.</summary>
    public static AdminEvent Of(RefusedNow refused)
    {
        var all = Write(refused, AdminJson.Wire.RefusedNow);
        return new(Refusals, Id: null, only => only is not { } tenant ? all
            : refused.Refusals.Where(one => one.Tenant == tenant.Value).ToArray() is { Length: > 0 } own
                ? Write(refused with { Refusals = own }, AdminJson.Wire.RefusedNow)
            : null);
    }

    /// <summary>The nodes that there are now, which are no matter of one tenant.</summary>
    public static AdminEvent Of(IEnumerable<FleetNode> nodes)
    {
        var data = Write(
            new NodesEvent([.. nodes.Select(node => new NodeEvent(node.Id, node.Host, node.Release, node.StartedAt))]),
            AdminJson.Wire.NodesEvent
        );
        return new(Nodes, Id: null, only => only is null ? data : null);
    }

    /// <summary>What all who follow are told.</summary>
    public static AdminEvent ToAll<T>(string name, string? id, T data, JsonTypeInfo<T> type)
    {
        var written = Write(data, type);
        return new(name, id, _ => written);
    }

    private static byte[] Write<T>(T data, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(data, type);
}

/// <summary>What a stream begins with.</summary>
/// <param name="Node">The node that answers.</param>
/// <param name="Release">The version of the library that it runs.</param>
/// <param name="At">Its time.</param>
/// <param name="Resumed">Whether what came after the last event that was seen follows.</param>
/// <param name="Tenants">How many tenants there are; null to a key for one tenant.</param>
/// <param name="Health">How many of them are in which state; null to a key for one tenant.</param>
internal sealed record BeginEvent(
    string Node,
    string Release,
    DateTimeOffset At,
    bool Resumed,
    int? Tenants,
    IReadOnlyDictionary<string, int>? Health
);

/// <summary>A tenant's health, or the reason of it, is another.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="At">When its check ended; null where a change of the tenant had it wait for one.</param>
/// <param name="Node">The node that found it.</param>
/// <param name="Health">What it is now.</param>
/// <param name="Reason">Why it is not healthy; null where it is.</param>
/// <param name="Before">What it was before.</param>
internal sealed record HealthEvent(string Tenant, DateTimeOffset? At, string Node, TenantHealth Health, string? Reason, TenantHealth Before)
{
    public static HealthEvent Of(FoundHealth found) => new(found.Tenant, found.At, found.Node, found.Health, found.Reason, found.Before);
}

/// <summary>The nodes that there are.</summary>
internal sealed record NodesEvent(IReadOnlyList<NodeEvent> Nodes);

/// <summary>A node, without what changes all the time.</summary>
internal sealed record NodeEvent(string Id, string Host, string Release, DateTimeOffset StartedAt);

/// <summary>Why something ends, or begins anew.</summary>
internal sealed record ReasonEvent(string Reason);

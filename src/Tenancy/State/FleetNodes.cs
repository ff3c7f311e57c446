using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using StackExchange.Redis;

namespace Tenancy.State;

/// <summary>The nodes that share the store.</summary>
internal sealed class FleetNodes(RedisConnection redis)
{
    /// <summary>After how long without a word a node counts as gone.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    /// <summary>Says that this node is there.</summary>
    public Task BeatAsync(FleetNode node) => BeatAsync(JsonSerializer.Serialize(node, FleetNodeJson.Default.FleetNode));

    /// <summary>Says that this node goes.</summary>
    public Task LeaveAsync() => BeatAsync("");

    /// <summary>Whether there are nodes beside this one.</summary>
    public async Task<bool> HasOthersAsync() => (await ListAsync().ConfigureAwait(false)).Any(entry => entry.Node.Id != redis.NodeId);

    /// <summary>Lists the nodes that were heard of lately, with how long ago that was.</summary>
    public async Task<IReadOnlyList<(FleetNode Node, TimeSpan Ago)>> ListAsync()
    {
        var answer = (RedisResult[])
            (
                await redis
                    .EvaluateAsync(StoreScript.NodeList, [FleetKeyspace.Nodes, FleetKeyspace.NodeBeats], [(long)Silence.TotalMilliseconds])
                    .ConfigureAwait(false)
            )!;
        return
        [
            .. answer
                .Chunk(3)
                .Select(entry =>
                    (
                        JsonSerializer.Deserialize((string)entry[1]!, FleetNodeJson.Default.FleetNode)!,
                        TimeSpan.FromMilliseconds(long.Parse((string)entry[2]!, CultureInfo.InvariantCulture))
                    )
                ),
        ];
    }

    private Task<RedisResult> BeatAsync(string said) =>
        redis.EvaluateAsync(
            StoreScript.NodeBeat,
            [FleetKeyspace.Nodes, FleetKeyspace.NodeBeats],
            [redis.NodeId, said, (long)Silence.TotalMilliseconds]
        );
}

/// <summary>What a node says of itself.</summary>
/// <param name="Id">What it is called among the nodes; another after each start.</param>
/// <param name="Host">The name of its machine.</param>
/// <param name="StartedAt">Since when it is there.</param>
/// <param name="Release">The version of the library that it runs.</param>
/// <param name="Version">The version of the last change of a tenant that it has followed.</param>
/// <param name="Tenants">How many tenants it has.</param>
/// <param name="LagSeconds">How long ago it knew all that the store has, in seconds.</param>
internal sealed record FleetNode(
    string Id,
    string Host,
    DateTimeOffset StartedAt,
    string Release,
    long Version,
    int Tenants,
    double LagSeconds
);

/// <summary>What nodes say of themselves in the store. What a later release adds is left alone.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(FleetNode))]
internal sealed partial class FleetNodeJson : JsonSerializerContext;

using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.State;

/// <summary>What happened to tenants, at all nodes, in one order: their changes, and what checks found. The last 10,000 are kept.</summary>
internal sealed partial class FleetEvents(RedisConnection redis)
{
    private const int PageSize = 200;
    private static readonly StoreKey[] Keys = [FleetKeyspace.Events, FleetKeyspace.EventNumber, FleetKeyspace.Audit];

    /// <summary>Whether a text can be the id of an event.</summary>
    public static bool IsId(string text) => Id().IsMatch(text);

    /// <summary>The id of the last event.</summary>
    public async Task<string> GetLastAsync() => (string)(await ReadAsync(after: "").ConfigureAwait(false))[1]!;

    /// <summary>Lists events after one, the earliest first.</summary>
    public async Task<FleetEventPage> ListAsync(string after)
    {
        var answer = await ReadAsync(after).ConfigureAwait(false);
        var (isKnown, last) = ((int)answer[0] == 1, (string)answer[1]!);
        var events = answer.Skip(2).Chunk(2).Select(static one => Read((string)one[0]!, (string?)one[1])).ToArray();
        return new(
            isKnown,
            events.Length == PageSize ? events[^1].Id : last,
            HasMore: events.Length == PageSize,
            [.. events.Where(static one => one.Change is not null || one.Health is not null)]
        );
    }

    /// <summary>The number of an event: later ones have higher ones.</summary>
    public static long NumberOf(string id) =>
        long.Parse(id.AsSpan(0, id.IndexOf('-', StringComparison.Ordinal)), CultureInfo.InvariantCulture);

    private async Task<StackExchange.Redis.RedisResult[]> ReadAsync(string after) =>
        (StackExchange.Redis.RedisResult[])
            (
                await redis
                    .ReadAsync(StoreScript.EventList, Keys, [after, after.Length == 0 ? "" : NumberOf(after), PageSize])
                    .ConfigureAwait(false)
            )!;

    // An event of a kind that a later release knows has nothing, and so has an entry that is not kept any more.
    private static FleetEvent Read(string stored, string? entry)
    {
        var parts = stored.Split(' ', 4);
        var (id, kind, tenant, rest) = (parts[0], parts[1], parts[2], parts[3]);
        return kind switch
        {
            "audit" when !string.IsNullOrEmpty(entry) => new(id, tenant, LoggedEntry.Read(entry, AuditJson.Wire.AuditEntry), Health: null),
            "health" => new(id, tenant, Change: null, FoundHealth.Read(rest)),
            _ => new(id, tenant, Change: null, Health: null),
        };
    }

    [GeneratedRegex(@"^[0-9]{1,16}-[0-9]{1,17}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Id();
}

/// <summary>Events after one.</summary>
/// <param name="IsKnown">Whether the store knows what came after that one: not where it is too long ago, or lost.</param>
/// <param name="UpTo">The id of the last event that was looked at.</param>
/// <param name="HasMore">Whether there are more.</param>
/// <param name="Events">The events.</param>
internal sealed record FleetEventPage(bool IsKnown, string UpTo, bool HasMore, IReadOnlyList<FleetEvent> Events);

/// <summary>Something that happened to a tenant.</summary>
/// <param name="Id">What names it: its number, and its time in microseconds.</param>
/// <param name="Tenant">The tenant.</param>
/// <param name="Change">The change, as the audit has it.</param>
/// <param name="Health">The health that a node found.</param>
internal sealed record FleetEvent(string Id, string Tenant, LoggedEntry<AuditEntry>? Change, FoundHealth? Health);

/// <summary>A health, or a reason of it, that is another than before.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="At">When the check ended, by the clock of the node; null where a change of the tenant had it wait for a check.</param>
/// <param name="Node">The node that found it.</param>
/// <param name="Health">What it is now.</param>
/// <param name="Reason">Why it is not healthy.</param>
internal sealed record FoundHealth(string Tenant, DateTimeOffset? At, string Node, TenantHealth Health, string? Reason)
{
    /// <summary>Gets what it was before.</summary>
    public TenantHealth Before { get; init; }

    /// <summary>A check as scripts take it, which add what was before.</summary>
    public static string Write(TenantId tenant, string node, TenantCheck check) =>
        JsonSerializer.Serialize(new(tenant.Value, check.CheckedAt, node, check.Health, check.Reason), FleetEventJson.Wire.FoundHealth);

    /// <summary>Reads what a script wrote: what was before, and the rest. Null where a later release knows more kinds of health.</summary>
    public static FoundHealth? Read(string text)
    {
        var at = text.IndexOf(' ', StringComparison.Ordinal);
        try
        {
            return Enum.TryParse<TenantHealth>(text.AsSpan(0, at), out var before)
                ? JsonSerializer.Deserialize(text.AsSpan(at + 1), FleetEventJson.Wire.FoundHealth)! with
                {
                    Before = before,
                }
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(FoundHealth))]
[JsonSerializable(typeof(RefusedNow))]
internal sealed partial class FleetEventJson : JsonSerializerContext
{
    /// <summary>What nodes tell of, without escapes that only HTML needs.</summary>
    public static FleetEventJson Wire { get; } =
        new(new JsonSerializerOptions(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

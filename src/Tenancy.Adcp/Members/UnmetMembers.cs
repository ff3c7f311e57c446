using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Tenancy.Adcp;

/// <summary>
/// Refuses what a request asks for that AdCP knows and the tool's handler does not: otherwise it would be dropped while the answer says
/// success. What a handler knows is what its request type declares. What AdCP does not know is nobody's business here.
/// </summary>
internal sealed class UnmetMembers
{
    // The longest name in AdCP's table has fewer; a longer one is none of them.
    private const int MaxName = 128;

    // Every tool takes these, and so do the objects in a request that have them.
    private static readonly HashSet<string> Envelope =
    [
        "adcp_major_version",
        "adcp_version",
        "context",
        "context_id",
        "ext",
        "governance_context",
        "idempotency_key",
        "push_notification_config",
    ];

    // What a read may leave unmet: the answer is right without it, only longer, or in another order.
    private static readonly HashSet<string> Optional = ["fields", "sort", "time_budget"];

    // Where nobody resolves lists, a request type that declares them honours nothing.
    private static readonly HashSet<string> Lists = ["core/collection-list-ref", "core/property-list-ref"];

    private readonly Node _root;

    private UnmetMembers(Node root) => _root = root;

    /// <summary>Says what a handler of a tool does not know.</summary>
    /// <param name="tool">The tool.</param>
    /// <param name="request">The handler's request type.</param>
    /// <param name="honoured">
    /// What the handler honours beside what its type declares, as paths: <c>packages[].pacing</c>, with all that is in it.
    /// </param>
    /// <param name="hasLists">Whether the server resolves lists of properties and collections.</param>
    /// <param name="options">How the type is read.</param>
    /// <returns>Null where there is nothing to refuse.</returns>
    /// <exception cref="InvalidOperationException">AdCP has no such path.</exception>
    public static UnmetMembers? Of(
        string tool,
        Type request,
        IReadOnlyCollection<string> honoured,
        bool hasLists,
        JsonSerializerOptions options
    )
    {
        var members = AdcpMembers.Of(tool);
        if (honoured.FirstOrDefault(path => !Exists(members, path)) is { } unknown)
        {
            throw new InvalidOperationException(
                $"AdCP's {tool} has no member {unknown}: write it as packages[].pacing, by the names in AdCP's schemas."
            );
        }

        if (members is null)
        {
            return null;
        }

        var build = new Build(honoured, hasLists, options, isRead: !request.IsAssignableTo(typeof(IIdempotentRequest)));
        return build.NodeOf(members, request, "") is { } root ? new(root) : null;
    }

    /// <summary>Refuses a request that asks for what the handler does not know. Every such member is named.</summary>
    /// <param name="json">The request. It is one that the handler's type can be read from.</param>
    /// <exception cref="AdcpException">There are such members.</exception>
    public void Refuse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || !Find(ref reader, _root, null, null))
        {
            return;
        }

        reader = new(json);
        reader.Read();
        List<AdcpException> found = [];
        Find(ref reader, _root, new(), found);
        throw new AdcpException(found);
    }

    // Looks whether there is any; with a path and a list, it collects them all.
    private static bool Find(ref Utf8JsonReader reader, Node node, StringBuilder? path, List<AdcpException>? found)
    {
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            var (index, length) = (0, path?.Length ?? 0);
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                path?.Append(CultureInfo.InvariantCulture, $"[{index++}]");
                if (Find(ref reader, node, path, found) && found is null)
                {
                    return true;
                }

                path?.Length = length;
            }

            return found?.Count > 0;
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            // A value of another type than AdCP's: there are no members in it.
            reader.Skip();
            return false;
        }

        Span<char> name = stackalloc char[MaxName];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = Find(ref reader, node, name);
            reader.Read();
            if (member is null || reader.TokenType == JsonTokenType.Null)
            {
                reader.Skip();
                continue;
            }

            var length = path?.Length ?? 0;
            path?.Append(length > 0 ? "." : "").Append(member.Name);
            if (member.Inside is { } inside)
            {
                if (Find(ref reader, inside, path, found) && found is null)
                {
                    return true;
                }
            }
            else if (!IsDefault(ref reader, member))
            {
                if (found is null)
                {
                    return true;
                }

                found.Add(NotSupported(path!.ToString()));
                reader.Skip();
            }

            path?.Length = length;
        }

        return found?.Count > 0;
    }

    private static Member? Find(ref Utf8JsonReader reader, Node node, scoped Span<char> buffer)
    {
        if ((reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length) > MaxName)
        {
            return null;
        }

        try
        {
            return node.ByName.TryGetValue(buffer[..reader.CopyString(buffer)], out var member) ? member : null;
        }
        catch (InvalidOperationException)
        {
            // Escapes that are no Unicode: no name of AdCP's.
            return null;
        }
    }

    // What says the same as leaving it out asks for nothing.
    private static bool IsDefault(ref Utf8JsonReader reader, Member member) =>
        member.Default is { } same
        && reader.TokenType switch
        {
            JsonTokenType.True => same == "true",
            JsonTokenType.False => same == "false",
            JsonTokenType.String or JsonTokenType.Number => reader.ValueTextEquals(same),
            _ => false,
        };

    private static AdcpException NotSupported(string path) =>
        new(AdcpError.UnsupportedFeature, $"This seller does not support {path}: leave it out.", path);

    private static bool Exists(AdcpMemberSet? members, string path)
    {
        foreach (var name in path.Split('.'))
        {
            if (members?.Find(name.EndsWith("[]", StringComparison.Ordinal) ? name[..^2] : name) is not { } member)
            {
                return false;
            }

            members = member.Members;
        }

        return true;
    }

    private sealed class Node
    {
        private readonly Dictionary<string, Member> _members = new(StringComparer.Ordinal);

        public Dictionary<string, Member>.AlternateLookup<ReadOnlySpan<char>> ByName => _members.GetAlternateLookup<ReadOnlySpan<char>>();

        public bool IsEmpty => _members.Count == 0;

        public void Add(Member member) => _members.Add(member.Name, member);
    }

    // One that is refused, unless it has its default; or one in which there are such.
    private sealed record Member(string Name, string? Default, Node? Inside);

    private sealed class Build(IReadOnlyCollection<string> honoured, bool hasLists, JsonSerializerOptions options, bool isRead)
    {
        // An object may hold another of its kind: what is being built already is not built again in itself.
        private readonly HashSet<(AdcpMemberSet, Type)> _underWay = [];

        public Node? NodeOf(AdcpMemberSet members, Type type, string path)
        {
            if (!_underWay.Add((members, type)))
            {
                return null;
            }

            var node = new Node();
            var declared = options
                .GetTypeInfo(type)
                .Properties.Where(property => property is { IsExtensionData: false, Set: not null } or { AssociatedParameter: not null })
                .ToDictionary(property => property.Name, StringComparer.Ordinal);
            foreach (var member in members.All.Where(member => !Envelope.Contains(member.Name)))
            {
                var place = $"{path}{(path.Length > 0 ? "." : "")}{member.Name}{(member.IsList ? "[]" : "")}";
                if (honoured.Contains(place) || honoured.Contains(place.TrimEnd('[', ']')))
                {
                    continue;
                }

                if (!declared.TryGetValue(member.Name, out var property) || (!hasLists && Lists.Contains(member.Type)))
                {
                    if (!isRead || !(Optional.Contains(member.Name) || member.Name.StartsWith("include_", StringComparison.Ordinal)))
                    {
                        node.Add(new(member.Name, member.Default, null));
                    }
                }
                else if (
                    member.Members is { } inside
                    && ObjectOf(property.PropertyType) is { } inner
                    && NodeOf(inside, inner, place) is { } unmet
                )
                {
                    node.Add(new(member.Name, null, unmet));
                }
            }

            _underWay.Remove((members, type));
            return node.IsEmpty ? null : node;
        }

        // The type of the object, or of those in a list, where a handler sees declared members only; null where it sees all of the JSON.
        private Type? ObjectOf(Type type)
        {
            if (
                type == typeof(JsonElement)
                || Nullable.GetUnderlyingType(type) == typeof(JsonElement)
                || type.IsAssignableTo(typeof(JsonNode))
            )
            {
                return null;
            }

            var info = options.GetTypeInfo(type);
            return info.Kind switch
            {
                JsonTypeInfoKind.Object => type == typeof(object) ? null : type,
                JsonTypeInfoKind.Enumerable => ObjectOf(info.ElementType!),
                _ => null,
            };
        }
    }
}

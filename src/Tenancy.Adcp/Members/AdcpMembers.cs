using System.Collections.Frozen;

namespace Tenancy.Adcp;

/// <summary>
/// Which members the requests of AdCP's tools have. It is read from <c>AdcpMembers.txt</c>, which a script makes from AdCP's schemas:
/// names, types and defaults.
/// </summary>
internal static class AdcpMembers
{
    private static readonly Lazy<FrozenDictionary<string, AdcpMemberSet>> Tools = new(Read);

    /// <summary>Gets the tools that AdCP has.</summary>
    public static IEnumerable<string> ToolNames => Tools.Value.Keys;

    /// <summary>Gets the members of a tool's request; null where AdCP has no such tool.</summary>
    public static AdcpMemberSet? Of(string tool) => Tools.Value.GetValueOrDefault(tool);

    private static FrozenDictionary<string, AdcpMemberSet> Read()
    {
        Dictionary<string, AdcpMemberSet> tools = [];
        Dictionary<string, AdcpMemberSet> objects = [];
        var current = new AdcpMemberSet();
        using var reader = new StreamReader(typeof(AdcpMembers).Assembly.GetManifestResourceStream("AdcpMembers.txt")!);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
            {
                continue;
            }

            var parts = line.TrimStart().Split(' ', 2);
            if (line.StartsWith(' '))
            {
                var type = parts[1].Split('=', 2);
                current.Add(new(parts[0], type[0], type.Length > 1 ? type[1] : null, objects));
            }
            else
            {
                current = new();
                (parts[0] == "tool" ? tools : objects).Add(parts[1], current);
            }
        }

        return tools.ToFrozenDictionary(StringComparer.Ordinal);
    }
}

/// <summary>The members of an object.</summary>
internal sealed class AdcpMemberSet
{
    private readonly Dictionary<string, AdcpMember> _members = new(StringComparer.Ordinal);

    public IReadOnlyCollection<AdcpMember> All => _members.Values;

    public AdcpMember? Find(string name) => _members.GetValueOrDefault(name);

    internal void Add(AdcpMember member) => _members.Add(member.Name, member);
}

/// <summary>A member of an object.</summary>
/// <param name="name">Its name.</param>
/// <param name="type">Its type: one of JSON Schema's, or an object of AdCP's by its name; with <c>[]</c> behind it for a list.</param>
/// <param name="whatAbsentMeans">The value that it has where it is left out; null where AdCP names none.</param>
/// <param name="objects">All objects.</param>
internal sealed class AdcpMember(string name, string type, string? whatAbsentMeans, IReadOnlyDictionary<string, AdcpMemberSet> objects)
{
    public string Name { get; } = name;

    public string Type { get; } = type;

    public string? Default { get; } = whatAbsentMeans;

    public bool IsList => Type.EndsWith("[]", StringComparison.Ordinal);

    /// <summary>Gets the members of the object, or of the objects of the list; null where it has none.</summary>
    public AdcpMemberSet? Members => objects.GetValueOrDefault(Type.TrimEnd('[', ']'));
}

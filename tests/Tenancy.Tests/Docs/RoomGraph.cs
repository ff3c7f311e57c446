using System.Text.RegularExpressions;
using Mono.Cecil;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>Which room of the library, or which folder of a room, uses which other one, as the code says.</summary>
/// <remarks>
/// The composition root, which is what lies directly in <c>src/Tenancy</c>, is no room: it uses all of them. Lines with <c>using</c> count
/// besides what the compiler wrote down, which copies constants without a trace.
/// </remarks>
internal sealed partial class RoomGraph
{
    private const string Root = "Tenancy";
    private readonly SortedDictionary<string, SortedSet<string>> _uses = new(StringComparer.Ordinal);

    private readonly Func<string, string?> _roomOf;

    private RoomGraph(Func<string, string?> roomOf) => _roomOf = roomOf;

    /// <summary>Gets the arrows, as <c>From --> To</c>.</summary>
    public IEnumerable<string> Arrows => _uses.Keys;

    /// <summary>Gets what of the rooms uses the composition root, which nothing may.</summary>
    public SortedSet<string> UsesOfRoot { get; } = new(StringComparer.Ordinal);

    /// <summary>What makes an arrow.</summary>
    public string Explain(string arrow) => $"{arrow}: {string.Join(", ", _uses[arrow].Take(20))}";

    /// <summary>The rooms, and what they use of each other.</summary>
    public static RoomGraph Read() => Read(RoomOf);

    /// <summary>The folders of a room, and the room itself for what lies in none of them.</summary>
    public static RoomGraph ReadInside(string room) => Read(name => FolderOf(name, room));

    private static RoomGraph Read(Func<string, string?> roomOf)
    {
        var graph = new RoomGraph(roomOf);
        using var assembly = IlReferences.Read(typeof(ITenancyBuilder).Assembly);
        foreach (var type in assembly.MainModule.Types)
        {
            foreach (var used in graph.RoomOf(type) is null ? [] : IlReferences.Of(type))
            {
                graph.Add(type, used);
            }
        }

        foreach (var file in Directory.GetFiles(Path.Combine(Repository.Root, "src", Root), "*.cs", SearchOption.AllDirectories))
        {
            graph.AddUsings(File.ReadAllText(file), Path.GetFileName(file));
        }

        return graph;
    }

    private void Add(TypeDefinition type, TypeReference used)
    {
        if (RoomOf(used) is { } room)
        {
            Add(RoomOf(type)!, room, $"{type.Name} uses {used.Name}");
        }
        else if (IsRoot(used))
        {
            UsesOfRoot.Add($"{type.Name} uses {used.FullName}");
        }
    }

    private void AddUsings(string text, string file)
    {
        if (Namespace().Match(text) is { Success: true } own && _roomOf(own.Groups[1].Value) is { } from)
        {
            foreach (Match match in Using().Matches(text))
            {
                if (_roomOf(match.Groups[1].Value) is { } to)
                {
                    Add(from, to, $"{file} has '{match.Value}'");
                }
            }
        }
    }

    private void Add(string from, string to, string use)
    {
        if (from != to)
        {
            var arrow = $"{from} --> {to}";
            if (!_uses.TryGetValue(arrow, out var uses))
            {
                _uses[arrow] = uses = new(StringComparer.Ordinal);
            }

            uses.Add(use);
        }
    }

    /// <summary>The rooms that an arrow leads from and to.</summary>
    public static (string From, string To) Ends(string arrow) => arrow.Split(" --> ") is [var from, var to] ? (from, to) : default;

    /// <summary>A way along arrows that ends where it began; empty where there is none.</summary>
    public static IReadOnlyList<string> FindCycle(IEnumerable<string> arrows)
    {
        var next = arrows.Select(Ends).ToLookup(ends => ends.From, ends => ends.To);
        HashSet<string> done = [];
        List<string> way = [];

        bool Visit(string room)
        {
            if (way.IndexOf(room) is var start and >= 0)
            {
                way.RemoveRange(0, start);
                way.Add(room);
                return true;
            }

            if (!done.Add(room))
            {
                return false;
            }

            way.Add(room);
            if (next[room].Any(Visit))
            {
                return true;
            }

            way.RemoveAt(way.Count - 1);
            return false;
        }

        return next.Select(group => group.Key).Any(Visit) ? way : [];
    }

    private string? RoomOf(TypeReference type) => _roomOf(IlReferences.Outermost(type).Namespace);

    // Other libraries have longer names: Tenancy.Adcp is none of ours, and nothing here could use it.
    private static string? RoomOf(string name) => name.Split('.') is [Root, var room, ..] ? room : null;

    private static string? FolderOf(string name, string room) =>
        name.Split('.') is [Root, var found, .. var rest] && found == room ? string.Join('/', rest.Take(1).Prepend(room)) : null;

    private static bool IsRoot(TypeReference type) =>
        type is TypeDefinition { Namespace: Root or "Microsoft.Extensions.DependencyInjection" or "Microsoft.AspNetCore.Builder" };

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^(?:global )?using (?:static |\w+ = )?([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Using();
}

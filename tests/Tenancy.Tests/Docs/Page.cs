using System.Text.RegularExpressions;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>A page of the documentation, as a test reads it.</summary>
internal sealed partial class Page
{
    private static readonly string[] Others =
    [
        "README.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "findings/README.md",
        "templates/adcp-tenant-server/README.md",
        "tests/long/README.md",
        "examples/ClientCertificates/README.md",
        "examples/SqliteTenants/README.md",
    ];

    private readonly string[] _lines;

    private Page(string path)
    {
        Path = path;
        Text = File.ReadAllText(System.IO.Path.Combine(Repository.Root, path));
        _lines = Text.Split('\n');
    }

    /// <summary>The pages that a scaffold gets.</summary>
    public static IEnumerable<Page> OfLibrary =>
        Directory
            .GetFiles(System.IO.Path.Combine(Repository.Root, "docs"), "*.md")
            .Order(StringComparer.Ordinal)
            .Select(file => Read("docs/" + System.IO.Path.GetFileName(file)));

    /// <summary>All pages, with those that stay in this repository.</summary>
    public static IEnumerable<Page> All => OfLibrary.Concat(Others.Select(Read));

    /// <summary>Gets where it lies, from the root of the repository.</summary>
    public string Path { get; }

    public string Text { get; }

    /// <summary>Gets what links to headings can name, made of the headings as GitHub does it.</summary>
    public IEnumerable<string> Anchors =>
        Outside()
            .Where(line => line.StartsWith('#'))
            .Select(line => NoAnchor().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    /// <summary>Gets the targets of the links.</summary>
    public IEnumerable<string> Links => Outside().SelectMany(line => Link().Matches(line)).Select(match => match.Groups[1].Value);

    /// <summary>Gets what stands between single backquotes.</summary>
    public IEnumerable<string> Codes => Outside().SelectMany(line => Code().Matches(line)).Select(match => match.Groups[1].Value);

    public static Page Read(string path) => new(path);

    /// <summary>The fenced blocks of a language, each with the line before it.</summary>
    public IEnumerable<(string Before, string[] Lines)> Blocks(string language)
    {
        for (var i = 0; i < _lines.Length; i++)
        {
            if (_lines[i].Trim() == "```" + language)
            {
                var end = Array.FindIndex(_lines, i + 1, line => line.Trim() == "```");
                yield return (i == 0 ? "" : _lines[i - 1], _lines[(i + 1)..end]);
                i = end;
            }
        }
    }

    /// <summary>The shell commands, block by block.</summary>
    public IEnumerable<string> Scripts() => Blocks("sh").Select(block => string.Join('\n', block.Lines));

    /// <summary>The rows of the tables whose heads begin with a text, cell by cell.</summary>
    public IEnumerable<string[]> Rows(string head)
    {
        var isInside = false;
        foreach (var line in _lines)
        {
            if (line.StartsWith(head, StringComparison.Ordinal))
            {
                isInside = true;
            }
            else if (!line.StartsWith('|'))
            {
                isInside = false;
            }
            else if (isInside && !line.StartsWith("|-", StringComparison.Ordinal))
            {
                yield return [.. line.Trim().Trim('|').Split('|').Select(cell => cell.Trim())];
            }
        }
    }

    /// <summary>The text between two marks.</summary>
    public string Between(string start, string end)
    {
        var from = Text.IndexOf(start, StringComparison.Ordinal);
        var to = Text.IndexOf(end, StringComparison.Ordinal);
        Assert.True(from >= 0 && to > from, $"{Path} has no {start} ... {end}");
        return Text[(from + start.Length)..to];
    }

    /// <summary>The lines that stand in no fenced block.</summary>
    private IEnumerable<string> Outside()
    {
        var isInside = false;
        foreach (var line in _lines)
        {
            var isFence = line.TrimStart().StartsWith("```", StringComparison.Ordinal);
            isInside ^= isFence;
            if (!isInside && !isFence)
            {
                yield return line;
            }
        }
    }

    [GeneratedRegex(@"\[[^\]]*\]\(([^)]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex("[^a-z0-9 _-]")]
    private static partial Regex NoAnchor();
}

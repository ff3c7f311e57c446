using System.Text.RegularExpressions;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>The formatter breaks code, but neither comments nor texts, and no other language than C#.</summary>
public partial class LineLengthTests
{
    private const int MaxColumns = 140;

    [Theory]
    [InlineData("*.cs", 400)]
    [InlineData("*.lua", 20)]
    [InlineData("*.cjs", 5)]
    [InlineData("*.mjs", 5)]
    [InlineData("*.js", 10)]
    [InlineData("*.css", 1)]
    [InlineData("*.csproj", 10)]
    [InlineData("*.sh", 2)]
    [InlineData("run", 5)]
    [InlineData("run-mcp", 1)]
    [InlineData("run-clients", 1)]
    public void No_line_of_code_has_more_than_140_columns(string pattern, int least)
    {
        var files = Files(pattern);
        Assert.True(files.Length >= least, $"{files.Length} files {pattern} were found.");
        Assert.Empty(files.SelectMany(file => TooLong(file, File.ReadLines(Path.Combine(Repository.Root, file)))));
    }

    [Fact]
    public void No_line_of_prose_has_more_than_140_columns()
    {
        var files = Files("*.md");
        Assert.True(files.Length >= 15, $"{files.Length} pages were found.");
        Assert.Empty(files.SelectMany(file => TooLong(file, Prose(File.ReadLines(Path.Combine(Repository.Root, file))))));
    }

    [Theory]
    [InlineData("word ", true)]
    [InlineData("- [link](target) word ", true)]
    [InlineData("[link](target), ", false)]
    [InlineData("![image](target) | ", false)]
    [InlineData("| cell ", false)]
    [InlineData("```\n", false)]
    public void Tables_links_and_fenced_code_are_no_prose(string text, bool isProse)
    {
        var lines = string.Concat(Enumerable.Repeat(text, text.StartsWith('`') ? 1 : 50)).Split('\n');
        lines[^1] += text.StartsWith('`') ? new string('x', MaxColumns + 1) : "";
        Assert.Equal(isProse, TooLong("page", Prose(lines)).Any());
    }

    private static string[] Files(string pattern)
    {
        var folders = Directory
            .EnumerateDirectories(Repository.Root)
            .Where(folder =>
                Path.GetFileName(folder) is "src" or "tests" or "benchmarks" or "templates" or "examples" or "findings" or "docs" or ".ci"
            );
        return
        [
            .. folders
                .SelectMany(folder => Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories))
                .Concat(Directory.EnumerateFiles(Repository.Root, pattern))
                .Select(file => Path.GetRelativePath(Repository.Root, file))
                .Where(file => !file.Split('/').Any(part => part is "obj" or "bin" or "node_modules")),
        ];
    }

    private static IEnumerable<string> TooLong(string file, IEnumerable<string> lines) =>
        lines.Select((line, index) => (line, index)).Where(at => at.line.Length > MaxColumns).Select(at => $"{file}:{at.index + 1}");

    /// <summary>The lines of a page, with an empty one in place of each that cannot be wrapped.</summary>
    private static IEnumerable<string> Prose(IEnumerable<string> lines)
    {
        var isInside = false;
        foreach (var line in lines)
        {
            var isFence = line.TrimStart().StartsWith("```", StringComparison.Ordinal);
            isInside ^= isFence;
            yield return isInside || isFence || line.TrimStart().StartsWith('|') || Links().IsMatch(line) ? "" : line;
        }
    }

    [GeneratedRegex(@"^\s*(?:[-*] )?(?:!?\[[^\]]*\]\([^)]*\)[\s,.·|]*)+$")]
    private static partial Regex Links();
}

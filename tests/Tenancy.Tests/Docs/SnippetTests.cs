using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>The C# that a page shows stands in a file that is compiled.</summary>
public sealed class SnippetTests
{
    // A scaffold's own README is tested in a scaffold: its example becomes a file there, which is compiled and called.
    private const string OfScaffold = "templates/adcp-tenant-server/README.md";

    // Its steps are done, built and called by WriteASellerTests, among the tests of the template.
    private const string OfSteps = "docs/write-a-seller.md";

    public static TheoryData<string> Pages =>
        [.. Page.All.Where(page => page.Path is not (OfScaffold or OfSteps) && page.Blocks("csharp").Any()).Select(page => page.Path)];

    [Fact]
    public void There_are_pages_with_snippets()
    {
        string[] pages = [.. Pages.Select(row => row.Data)];
        Assert.Contains("README.md", pages);
        Assert.Contains("docs/customise.md", pages);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_snippet_stands_in_the_file_that_it_names(string path)
    {
        foreach (var (before, lines) in Page.Read(path).Blocks("csharp"))
        {
            Assert.StartsWith("<!-- from: ", before, StringComparison.Ordinal);
            var file = File.ReadAllLines(Path.Combine(Repository.Root, before["<!-- from: ".Length..^" -->".Length]));
            Assert.True(Contains(file, lines), $"{before} has not:\n{string.Join('\n', lines)}");
        }
    }

    // A snippet may stand further in than on the page.
    private static bool Contains(string[] file, string[] lines)
    {
        var wanted = lines.Select(line => line.Trim()).ToArray();
        return Enumerable
            .Range(0, Math.Max(0, file.Length - lines.Length + 1))
            .Any(start => file.Skip(start).Take(lines.Length).Select(line => line.Trim()).SequenceEqual(wanted));
    }
}

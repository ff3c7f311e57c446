using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>What the template engine makes of lines that stand in comments.</summary>
public sealed class TemplateCommentsTests
{
    // Where a line is taken over, every pair of slashes in it is taken out: findings/dotnet-template-uncomments-urls.sh.
    [Fact]
    public void No_line_of_JSON_that_stands_in_a_comment_has_a_URL()
    {
        var templates = Path.Combine(Repository.Root, "templates");
        var lines = Directory
            .EnumerateFiles(templates, "*.json", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Where(file => !Path.GetRelativePath(templates, file).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"))
            .SelectMany(Commented)
            .ToArray();
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.DoesNotContain("//", line.TrimStart()[2..], StringComparison.Ordinal));
    }

    private static IEnumerable<string> Commented(string file)
    {
        var isInside = false;
        foreach (var line in File.ReadLines(file))
        {
            var text = line.TrimStart();
            if (text.StartsWith("////#", StringComparison.Ordinal))
            {
                isInside = !text.StartsWith("////#endif", StringComparison.Ordinal);
            }
            else if (isInside && text.StartsWith("//", StringComparison.Ordinal))
            {
                yield return line;
            }
        }
    }
}

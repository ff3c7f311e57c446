using System.Text.RegularExpressions;
using Tenancy.Tests.Authentication;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>docs/identity-providers.md says which providers were run, in which version, and by which test.</summary>
[Tier(Tier.Process)]
public sealed partial class IdentityProvidersPageTests
{
    private static readonly Page Page = Page.Read("docs/identity-providers.md");

    [Fact]
    public void Each_provider_that_was_run_is_in_a_test_at_the_version_that_the_page_names()
    {
        var rows = Page.Rows("| provider | set there | set here | shown by").ToArray();
        Assert.Equal(5, rows.Length);
        var pinned = string.Concat(
            Directory
                .EnumerateFiles(Path.Combine(Repository.Root, "tests", "Providers"), "*", SearchOption.AllDirectories)
                .Where(file =>
                    Path.GetFileName(file) is "package.json" or "install" && !file.Contains("node_modules", StringComparison.Ordinal)
                )
                .Append(Path.Combine(Repository.Root, "Directory.Packages.props"))
                .Select(File.ReadAllText)
        );
        foreach (var row in rows)
        {
            Assert.All(Version().Matches(row[0]), version => Assert.Contains(version.Value, pinned, StringComparison.Ordinal));
            Assert.NotEmpty(Version().Matches(row[0]));
            Assert.NotNull(typeof(ProvidersTests).GetMethod(row[3].Trim('`')));
        }
    }

    [Fact]
    public void The_others_say_where_they_come_from()
    {
        var rows = Page.Rows("| provider | set there | set here |").Where(row => row.Length == 3).ToArray();
        Assert.True(rows.Length >= 10, $"{rows.Length} rows");
        Assert.All(rows, row => Assert.Matches("hosted| [0-9]+", row[0]));
        Assert.All(rows, row => Assert.Matches("from its documentation|seen of it, in no test", row[0]));
    }

    [Fact]
    public void Of_the_others_there_are_tokens_in_the_shapes_that_are_documented()
    {
        var shapes = CallerTableTests.Table.Select(row => row.Data.Item1).Distinct().Select(name => name.Split(' ')).ToArray();
        foreach (var row in Page.Rows("| provider | set there | set here |").Where(row => row.Length == 3))
        {
            var words = row[0].Split(' ', ',', '(', ')');
            Assert.True(shapes.Any(shape => shape.All(words.Contains)), $"{row[0]} is not in CallerTableTests");
        }
    }

    [Theory]
    [InlineData("What a token must be")]
    [InlineData("Who is calling")]
    [InlineData("Providers that were run")]
    [InlineData("Providers by their documentation")]
    public void Each_part_names_the_tests_that_hold_it(string heading)
    {
        var part = Page.Text.Split($"## {heading}\n")[1].Split("\n## ")[0];
        var tests = TestClass().Matches(part).Select(match => match.Groups[1].Value).ToArray();
        Assert.NotEmpty(tests);
        Assert.All(tests, test => Assert.Contains(typeof(ProvidersTests).Assembly.GetTypes(), type => type.Name == test));
    }

    [GeneratedRegex("`([A-Za-z]+Tests)`")]
    private static partial Regex TestClass();

    [GeneratedRegex(@"\d+\.\d+\.\d+")]
    private static partial Regex Version();
}

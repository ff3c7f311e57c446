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
    }

    [GeneratedRegex(@"\d+\.\d+\.\d+")]
    private static partial Regex Version();
}

using System.Text;
using System.Text.RegularExpressions;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>The commands that CONTRIBUTING.md and docs/security.md show are ones that the tools take.</summary>
public sealed partial class ContributingPageTests
{
    [Fact]
    public void The_test_runner_takes_the_filters_that_the_pages_show()
    {
        // The runner's options are literals of this assembly, in UTF-16.
        var bytes = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "xunit.v3.mtp-v2.dll"));
        var runner = Encoding.Unicode.GetString(bytes) + Encoding.Unicode.GetString(bytes.AsSpan(1));
        var flags = new[] { "CONTRIBUTING.md", "docs/security.md", "tests/run" }
            .SelectMany(page => Flag().Matches(Page.Read(page).Text))
            .Select(match => match.Groups[1].Value)
            .ToArray();
        Assert.NotEmpty(flags);
        Assert.All(flags, flag => Assert.Contains(flag, runner, StringComparison.Ordinal));
    }

    [Fact]
    public void The_tests_that_are_shown_as_examples_are_there()
    {
        var types = typeof(ContributingPageTests).Assembly.GetTypes();
        var names = Page.Read("CONTRIBUTING.md")
            .Scripts()
            .SelectMany(script => Name().Matches(script))
            .Select(match => match.Groups[1].Value)
            .ToArray();
        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.Contains(types, type => type.Name == name || type.GetMethod(name) is not null));
    }

    [Fact]
    public void The_tiers_are_on_the_page_and_in_the_script() =>
        Assert.All(Enum.GetNames<Tier>().Select(name => name.ToLowerInvariant()), tier =>
        {
            Assert.Contains($"`bash tests/run {tier}`", Page.Read("CONTRIBUTING.md").Text, StringComparison.Ordinal);
            Assert.Contains($"#   bash tests/run {tier} ", Page.Read("tests/run").Text, StringComparison.Ordinal);
        });

    [Fact]
    public void Every_script_that_is_named_is_there() =>
        Assert.All(Page.All.SelectMany(page => Script().Matches(page.Text)).Select(match => match.Groups[1].Value).Distinct(), script =>
            Assert.True(File.Exists(Path.Combine(Repository.Root, script)), script)
        );

    [GeneratedRegex("--(filter-[a-z]+)")]
    private static partial Regex Flag();

    [GeneratedRegex(@"'\*\.(\w+)'")]
    private static partial Regex Name();

    [GeneratedRegex(@"\bbash ((?:tests|benchmarks|\.ci)/[\w./-]+)")]
    private static partial Regex Script();
}

using System.Text.RegularExpressions;
using System.Xml.Linq;
using Tenancy.Tests.Docs;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests;

/// <summary>The version stands in one file, and all that names it has it from there.</summary>
[Tier(Tier.Server)]
public sealed partial class VersionTests
{
    private static readonly string Version = XDocument
        .Load(Path.Combine(Repository.Root, "src", "Tenancy", "Tenancy.Version.props"))
        .Descendants("VersionPrefix")
        .Single()
        .Value;

    [Fact]
    public async Task A_running_server_reports_it()
    {
        await using var server = await TenancyServer.StartAsync();
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Initialize());
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var answer = await McpCalls.ReadAsync(response);
        Assert.Equal(Version, (string?)answer["result"]!["serverInfo"]!["version"]);
    }

    [Theory]
    [InlineData(typeof(ITenancyBuilder))]
    [InlineData(typeof(Tenancy.Adcp.AdcpError))]
    [InlineData(typeof(Tenancy.Embedded.EmbeddedStore))]
    [InlineData(typeof(Tenancy.Testing.TestTenancy))]
    public void Each_library_has_it(Type type) => Assert.Equal(Version, type.Assembly.GetName().Version!.ToString(3));

    [Fact]
    public void No_project_has_a_version_of_its_own() =>
        Assert.All(
            Directory
                .GetFiles(Repository.Root, "*.*proj", SearchOption.AllDirectories)
                .Concat(Directory.GetFiles(Repository.Root, "*.props", SearchOption.AllDirectories))
                .Where(file => !file.EndsWith("Tenancy.Version.props", StringComparison.Ordinal)),
            file => Assert.DoesNotMatch(OwnVersion(), File.ReadAllText(file))
        );

    // Until the first release the page only says what it will be.
    [Fact]
    public void The_changelogs_newest_heading_is_it()
    {
        var text = Page.Read("CHANGELOG.md").Text;
        if (Heading().Match(text) is { Success: true } newest)
        {
            Assert.Equal(Version, newest.Groups[1].Value);
        }
        else
        {
            Assert.Matches($@"\s{Regex.Escape(Version)}\s+to be\.", text);
        }
    }

    [GeneratedRegex("<(?:Version|VersionPrefix|AssemblyVersion|FileVersion|InformationalVersion|PackageVersion)>")]
    private static partial Regex OwnVersion();

    [GeneratedRegex(@"^## \[?([0-9]+\.[0-9]+\.[0-9]+[^\] ]*)", RegexOptions.Multiline)]
    private static partial Regex Heading();
}

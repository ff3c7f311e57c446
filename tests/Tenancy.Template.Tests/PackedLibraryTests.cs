using System.Net;
using System.Reflection.PortableExecutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Tenancy.Template.Tests;

[Collection(nameof(PackedLibrary))]
public sealed partial class PackedLibraryTests(TemplateFixture template, PackedLibrary library)
{
    public static TheoryData<string> Ids => [.. PackedLibrary.Ids];

    [Fact]
    public void Packing_makes_the_four_packages_with_their_symbols_and_nothing_else() =>
        Assert.Equal(
            PackedLibrary.Ids.SelectMany(id => new[] { $"{id}.{library.Version}.nupkg", $"{id}.{library.Version}.snupkg" }),
            Directory.GetFiles(library.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );

    [Theory]
    [MemberData(nameof(Ids))]
    public void A_package_has_its_readme_licence_and_commit(string id)
    {
        var specification = XDocument.Parse(library.ReadText(id, $"{id}.nuspec")).Root!;
        string? Value(string name) => specification.Descendants().SingleOrDefault(element => element.Name.LocalName == name)?.Value;
        var repository = specification.Descendants().Single(element => element.Name.LocalName == "repository");

        Assert.Equal("MIT", Value("license"));
        Assert.Equal("README.md", Value("readme"));
        Assert.StartsWith($"# {id}\n", library.ReadText(id, "README.md").ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Matches("^[0-9a-f]{40}$", (string?)repository.Attribute("commit"));
        Assert.StartsWith("https://", (string?)repository.Attribute("url"), StringComparison.Ordinal);
        using var package = library.Open(id);
        Assert.NotNull(package.GetEntry("icon.png"));
        Assert.NotNull(package.GetEntry($"lib/net10.0/{id}.xml"));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void The_same_source_makes_the_same_assembly_on_every_machine(string id)
    {
        Assert.Contains(DebugDirectoryEntryType.Reproducible, library.DebugEntries(id));
        Assert.All(library.Symbols(id).Documents, document => Assert.StartsWith("/_", document, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void A_debugger_finds_the_sources_of_the_commit(string id)
    {
        var places = JsonNode.Parse(library.Symbols(id).SourceLink)!["documents"]!.AsObject();
        Assert.All(places, place => Assert.StartsWith("https://", (string?)place.Value, StringComparison.Ordinal));
        Assert.Contains(places, place => place.Key.StartsWith("/_", StringComparison.Ordinal));
    }

    [Fact]
    public void The_pages_come_with_the_package()
    {
        using var package = library.Open("Tenancy");
        Assert.Equal(
            Tree.Files(Path.Combine(TemplateFixture.Repository, "docs")).Select(page => $"docs/{page}"),
            package
                .Entries.Select(entry => entry.FullName)
                .Where(file => file.StartsWith("docs/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task A_scaffold_with_packages_has_fewer_than_sixty_files_and_no_library()
    {
        var files = library.Files;
        await Snapshot.MatchAsync("packages", files.Select(file => file.Replace(PackedLibrary.Name, "NAME", StringComparison.Ordinal)));
        Assert.True(files.Length < 60, $"{files.Length} files");
        Assert.DoesNotContain(files, file => file.StartsWith("src/Tenancy", StringComparison.Ordinal));
        Assert.All(files, file => Assert.DoesNotContain("src/Tenancy", library.Scaffold.Read(file), StringComparison.Ordinal));
    }

    [Fact]
    public void The_version_of_the_packages_is_the_library_s_where_none_is_given()
    {
        var texts = JsonNode.Parse(File.ReadAllText(Path.Combine(TemplateFixture.Repository, ".template.config", "template.json")))!;
        Assert.Equal(TemplateFixture.Version, (string?)texts["symbols"]!["libraryVersion"]!["defaultValue"]);
    }

    [Fact]
    public async Task The_commands_of_its_workflow_build_a_scaffold_with_packages_and_run_its_tests()
    {
        var workflow = library.Scaffold.Read(".github/workflows/ci.yml");
        var commands = Command().Matches(workflow).Select(match => match.Groups[1].Value).ToArray();
        Assert.Equal(["dotnet build -warnaserror", "dotnet test --no-build"], commands);
        foreach (var command in commands)
        {
            var (exitCode, output) = await DotNet.TryAsync(library.Scaffold.Directory, command.Split(' ')[1..], ("TMPDIR", template.Root));
            Assert.True(exitCode == 0, output);
        }
    }

    [Fact]
    public async Task A_scaffold_with_packages_serves_two_tenants_apart()
    {
        await using var server = await RunningServer.StartAsync(library.Scaffold, template.Root);

        // Where tokens name tenants, too, a token of another one contradicts the path.
        await ServerTests.ServesTwoTenantsApartAsync(server, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_handler_of_the_item_template_is_a_tool_of_every_tenant()
    {
        await using var server = await RunningServer.StartAsync(library.Scaffold, template.Root);
        foreach (var tenant in new[] { "acme", "globex" })
        {
            using var response = await server.SendAsync(tenant, "get_forecast", new { question = "Rain?" }, $"{tenant}.dev-buyer");
            var answer = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Contains($"{tenant} was asked: Rain?", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Without_a_source_no_nuget_config_is_made_and_its_address_is_written_as_xml_where_there_is_one()
    {
        var without = await template.NewAsync("Without", ["--library", "package", "--store", "redis"]);
        var with = await template.NewAsync(
            "With",
            ["--library", "package", "--library-source", "https://feed.example/v3/index.json?a=1&b=2"]
        );

        Assert.DoesNotContain("nuget.config", without.Files());
        Assert.DoesNotContain("Tenancy.Embedded", without.Read("Directory.Packages.props"), StringComparison.Ordinal);
        var sources = XDocument.Parse(with.Read("nuget.config")).Descendants("packageSources").Single().Elements("add");
        Assert.Equal(
            ["https://api.nuget.org/v3/index.json", "https://feed.example/v3/index.json?a=1&b=2"],
            sources.Select(source => (string?)source.Attribute("value"))
        );
    }

    [GeneratedRegex("^ +- run: (.+)$", RegexOptions.Multiline)]
    private static partial Regex Command();
}

using System.IO.Compression;
using System.Text.RegularExpressions;

namespace Tenancy.Template.Tests;

public sealed partial class PackageTests(TemplateFixture template)
{
    private static readonly string[] Libraries = ["Tenancy", "Tenancy.Adcp", "Tenancy.Embedded", "Tenancy.Testing"];

    [Fact]
    public async Task The_package_has_the_known_files_and_the_whole_library()
    {
        var files = await ReadPackageAsync();
        await Snapshot.MatchAsync("package", files.Where(file => !Scaffold.IsOfLibrary(file)));
        Assert.Equal(LibraryFiles(Libraries), files.Where(Scaffold.IsOfLibrary));
    }

    [Fact]
    public async Task A_clone_gives_the_same_scaffold_as_the_package()
    {
        var hive = Path.Combine(template.Root, "clone-hive");
        await TemplateFixture.InstallAsync(TemplateFixture.Repository, hive);

        var fromClone = await template.NewAsync("Same", ["--http-port", "5123", "--https-port", "7123"], hive: hive);
        var fromPackage = await template.NewAsync("Same", ["--http-port", "5123", "--https-port", "7123"]);

        Assert.Equal(fromPackage.Files(), fromClone.Files());
        Assert.All(fromPackage.Files(), file => Assert.Equal(WithoutGuids(fromPackage.Read(file)), WithoutGuids(fromClone.Read(file))));
    }

    [Theory]
    [InlineData(Scaffold.EmbeddedName)]
    [InlineData(Scaffold.RedisName)]
    [InlineData(Scaffold.OpenName)]
    public void The_library_arrives_as_it_is(string name)
    {
        var scaffold = Find(name);
        var libraries = Libraries.Where(library => Directory.Exists(Path.Combine(scaffold.Directory, "src", library))).ToArray();

        Assert.Equal(name == Scaffold.RedisName, !libraries.Contains("Tenancy.Embedded"));
        Assert.Equal(name == Scaffold.OpenName, !libraries.Contains("Tenancy.Testing"));
        Assert.Equal(LibraryFiles(libraries), scaffold.Files().Where(Scaffold.IsOfLibrary));
        Assert.All(LibraryFiles(libraries), file =>
            Assert.Equal(File.ReadAllText(Path.Combine(TemplateFixture.Repository, file)), scaffold.Read(file))
        );
    }

    [Theory]
    [InlineData(Scaffold.EmbeddedName, "embedded")]
    [InlineData(Scaffold.RedisName, "redis")]
    [InlineData(Scaffold.OpenName, "without-tests")]
    public async Task A_scaffold_has_the_known_files(string name, string snapshot) =>
        await Snapshot.MatchAsync(
            snapshot,
            Find(name).OwnFiles().Select(file => file.Replace(name, "NAME", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
        );

    [Theory]
    [InlineData(Scaffold.EmbeddedName)]
    [InlineData(Scaffold.RedisName)]
    [InlineData(Scaffold.OpenName)]
    public void Nothing_of_the_template_is_left(string name)
    {
        string[] residues =
        [
            "#if",
            "#else",
            "#endif",
            "#elseif",
            "Adcp-TenantServer",
            "Adcp_TenantServer",
            "../../../..",
            "InRepo",
            "5099",
            "7099",
            "6f0a3f0e",
        ];
        var scaffold = Find(name);
        Assert.All(scaffold.OwnFiles(), file =>
            Assert.All(residues, residue => Assert.DoesNotContain(residue, file + "\n" + scaffold.Read(file), StringComparison.Ordinal))
        );
    }

    private Scaffold Find(string name) =>
        new[] { template.Embedded, template.Redis, template.Open }.Single(scaffold => scaffold.Name == name);

    private async Task<string[]> ReadPackageAsync()
    {
        await using var package = await ZipFile.OpenReadAsync(template.Package, TestContext.Current.CancellationToken);
        return
        [
            .. package
                .Entries.Select(entry => Uri.UnescapeDataString(entry.FullName))
                .Where(file => file.StartsWith("content/", StringComparison.Ordinal))
                .Select(file => file["content/".Length..])
                .Order(StringComparer.Ordinal),
        ];
    }

    private static string[] LibraryFiles(string[] libraries) =>
        [
            .. libraries
                .Select(library => "src/" + library)
                .Append("docs")
                .SelectMany(folder => Tree.Files(Path.Combine(TemplateFixture.Repository, folder)).Select(file => $"{folder}/{file}"))
                .Order(StringComparer.Ordinal),
        ];

    private static string WithoutGuids(string text) => Guids().Replace(text, "GUID");

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")]
    private static partial Regex Guids();
}

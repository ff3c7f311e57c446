using Tenancy.Tests.Docs;

namespace Tenancy.Template.Tests;

/// <summary>
/// The commands of docs/upgrade.md give a scaffold the library of a newer one, unless it was edited, and leave the rest as it is.
/// </summary>
public sealed class UpgradeTests(TemplateFixture template)
{
    private static readonly string[] Libraries = ["src/Tenancy", "src/Tenancy.Adcp", "src/Tenancy.Embedded", "src/Tenancy.Testing", "docs"];

    [Fact]
    public async Task The_library_is_replaced_and_nothing_else()
    {
        var (scaffold, shell) = await OlderAsync();
        await using var _ = shell;
        await AppendAsync(scaffold, "src/MySeller/Program.cs", "// mine");
        await AppendAsync(scaffold, "docs/my-page.md", "Mine.");
        var before = OfUser(scaffold).ToDictionary(file => file, scaffold.Read);

        await shell.RunAsync(In(scaffold, Replace), Token);

        Assert.Equal(
            Libraries
                .SelectMany(folder => Tree.Files(InRepository(folder)).Select(file => $"{folder}/{file}"))
                .Order(StringComparer.Ordinal),
            scaffold.Files().Where(Scaffold.IsOfLibrary).Where(file => file != "docs/my-page.md")
        );
        Assert.Equal(before, OfUser(scaffold).ToDictionary(file => file, scaffold.Read));
        AssertIsNewer(scaffold);

        // The stamp is that of the newer library: the next upgrade finds nothing that was edited.
        await shell.RunAsync(In(scaffold, "dotnet new adcp-tenancy-library --force"), Token);
    }

    [Fact]
    public async Task A_library_that_was_edited_stays_as_it_is_and_the_files_are_named_until_the_edits_are_given_up()
    {
        var (scaffold, shell) = await OlderAsync();
        await using var _ = shell;
        await AppendAsync(scaffold, "src/Tenancy/PortVariable.cs", "// mine");
        File.Delete(InScaffold(scaffold, "src/Tenancy.Testing/TestTenant.cs"));

        // The newer library has a file of this name, the older one had none.
        await AppendAsync(scaffold, "src/Tenancy.Adcp/AdcpTool.cs", "// mine");

        // What git does to line endings is no edit.
        var page = InScaffold(scaffold, "docs/state.md");
        await File.WriteAllTextAsync(page, (await File.ReadAllTextAsync(page, Token)).ReplaceLineEndings("\r\n"), Token);
        var before = Tree.Files(scaffold.Directory).ToDictionary(file => file, scaffold.Read);

        var refused = await shell.RunAsync(In(scaffold, $"! {{ {Replace.ReplaceLineEndings(" && ")}; }} 2>&1"), Token);

        Assert.Contains(
            "Nothing was replaced: these files of the library are not as they came: "
                + "src/Tenancy.Testing/TestTenant.cs, src/Tenancy/PortVariable.cs, src/Tenancy.Adcp/AdcpTool.cs. ",
            refused,
            StringComparison.Ordinal
        );
        Assert.Equal(before, Tree.Files(scaffold.Directory).ToDictionary(file => file, scaffold.Read));

        await shell.RunAsync(In(scaffold, "dotnet new adcp-tenancy-library --force --discard-edits"), Token);
        AssertIsNewer(scaffold);
    }

    [Fact]
    public async Task It_is_refused_where_there_is_no_library_or_no_stamp()
    {
        var (scaffold, shell) = await OlderAsync();
        await using var _ = shell;
        File.Delete(InScaffold(scaffold, Scaffold.Stamp));
        var before = Tree.Files(scaffold.Directory);

        var elsewhere = await shell.RunAsync(In(scaffold, $"cd src/MySeller\n! {{ {Replace.ReplaceLineEndings(" && ")}; }} 2>&1"), Token);
        var unstamped = await shell.RunAsync(In(scaffold, "! dotnet new adcp-tenancy-library --force 2>&1"), Token);

        Assert.Contains("there is no src/Tenancy here", elsewhere, StringComparison.Ordinal);
        Assert.Contains("without .tenancy/library.stamp nobody knows", unstamped, StringComparison.Ordinal);
        Assert.Equal(["src/MySeller/.tenancy/upgrade.proj"], Tree.Files(scaffold.Directory).Except(before));
    }

    [Fact]
    public async Task A_server_of_f167fab_with_handlers_of_its_own_is_upgraded_as_the_changelog_says()
    {
        var (scaffold, shell) = await OlderSeller.NewAsync(template, Token);
        await using var _ = shell;

        await shell.RunAsync(In(scaffold, $"{Replace} --discard-edits"), Token);
        await shell.RunAsync(In(scaffold, Merge), Token);
        Assert.Empty(await shell.RunAsync(In(scaffold, "git status --porcelain"), Token));
        await OlderSeller.ChangeAsTheChangelogSaysAsync(scaffold, Changelog);

        AssertIsNewer(scaffold);
        Assert.Contains("app.MapGet(\"/hello\"", scaffold.Read("src/MySeller/Program.cs"), StringComparison.Ordinal);
        await template.RunAsync(scaffold.Directory, ["build", "MySeller.slnx", "-v", "q", "-warnaserror"]);
        var (exitCode, output) = await DotNet.TryAsync(scaffold.Directory, [scaffold.Tests], ("TMPDIR", template.Root));
        Assert.True(exitCode == 0, output);
    }

    // As an older library would differ: a file that went since, one that has changed, and one that came.
    private async Task<(Scaffold, Shell)> OlderAsync()
    {
        var scaffold = await template.NewAsync("MySeller");
        await AppendAsync(scaffold, "src/Tenancy/Gone.cs", "// old");
        await File.WriteAllTextAsync(InScaffold(scaffold, "docs/state.md"), "old\nold\n", Token);
        File.Delete(InScaffold(scaffold, "src/Tenancy.Adcp/AdcpTool.cs"));

        // The first restore stamps it.
        await DotNet.RunAsync(scaffold.Directory, "restore", "src/Tenancy/Tenancy.csproj");
        return (scaffold, NewShell(template));
    }

    // Where no other test looks, and nothing is installed yet.
    internal static Shell NewShell(TemplateFixture template) =>
        new(("NEWER", template.Package), ("HIVE", Path.Combine(template.Root, Guid.NewGuid().ToString("N"))));

    // Nobody has told git who commits.
    internal static string In(Scaffold scaffold, string commands) =>
        $$"""
            export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.com GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.com
            dotnet() { command dotnet "$@" --debug:custom-hive "$HIVE" </dev/null; }
            cd '{{scaffold.Directory}}'
            {{commands}}
            """;

    private static void AssertIsNewer(Scaffold scaffold) =>
        Assert.All(Libraries.SelectMany(folder => Tree.Files(InRepository(folder)).Select(file => $"{folder}/{file}")), file =>
            Assert.Equal(File.ReadAllText(InRepository(file)), scaffold.Read(file))
        );

    private static IEnumerable<string> OfUser(Scaffold scaffold) =>
        scaffold.Files().Where(file => !Scaffold.IsOfLibrary(file) || file == "docs/my-page.md");

    private static Task AppendAsync(Scaffold scaffold, string file, string text) =>
        File.AppendAllTextAsync(InScaffold(scaffold, file), text, Token);

    private static string InScaffold(Scaffold scaffold, string file) => Path.Combine(scaffold.Directory, file);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string InRepository(string path) => Path.Combine(TemplateFixture.Repository, path);

    private static string Docs(string page) => File.ReadAllText(InRepository(Path.Combine("docs", page)));

    private static string Changelog => File.ReadAllText(InRepository("CHANGELOG.md"));

    private static string Replace => Blocks[0];

    private static string Merge => Blocks[1];

    private static string[] Blocks =>
        [
            .. Docs("upgrade.md")
                .ReplaceLineEndings("\n")
                .Split("```sh\n")
                .Skip(1)
                .Select(block => string.Join('\n', block.Split("```")[0].Split('\n').Select(line => line.Trim())).Trim()),
        ];
}

using Tenancy.Tests.Docs;

namespace Tenancy.Template.Tests;

/// <summary>The commands of docs/upgrade.md give a scaffold the library of a newer one, and leave the rest as it is.</summary>
public sealed class UpgradeTests(TemplateFixture template)
{
    private static readonly string[] Libraries = ["src/Tenancy", "src/Tenancy.Adcp", "src/Tenancy.Embedded", "src/Tenancy.Testing", "docs"];

    [Fact]
    public async Task The_library_is_replaced_and_nothing_else()
    {
        var (scaffold, shell) = await OlderAsync();
        await using var _ = shell;
        var own = Path.Combine(scaffold.Program, "Program.cs");
        await File.AppendAllTextAsync(own, "// mine", Token);
        await shell.RunAsync(In(scaffold, "git commit -qam 'Mine.'"), Token);
        var before = scaffold.OwnFiles().ToDictionary(file => file, scaffold.Read);

        await shell.RunAsync(In(scaffold, Blocks[0]), Token);
        await shell.RunAsync(In(scaffold, Blocks[1]), Token);

        Assert.Equal(
            Libraries
                .SelectMany(folder => Tree.Files(InRepository(folder)).Select(file => $"{folder}/{file}"))
                .Order(StringComparer.Ordinal),
            scaffold.Files().Where(Scaffold.IsOfLibrary)
        );
        Assert.All(scaffold.Files().Where(Scaffold.IsOfLibrary), file =>
            Assert.Equal(File.ReadAllText(InRepository(file)), scaffold.Read(file))
        );
        Assert.Equal(before, scaffold.OwnFiles().ToDictionary(file => file, scaffold.Read));
    }

    [Fact]
    public async Task A_library_that_was_edited_is_found_with_its_files_before_anything_is_replaced()
    {
        var (scaffold, shell) = await OlderAsync();
        await using var _ = shell;
        await File.AppendAllTextAsync(Path.Combine(scaffold.Directory, "src/Tenancy/PortVariable.cs"), "// mine", Token);
        await shell.RunAsync(In(scaffold, "git commit -qam 'Mine, in the library.'"), Token);

        var listed = await shell.RunAsync(In(scaffold, $"! {Blocks[0]}"), Token);
        await shell.RunAsync(In(scaffold, "dotnet new install \"$NEWER\""), Token);
        var refused = await shell.RunAsync(In(scaffold, "! dotnet new adcp-tenancy-library 2>&1"), Token);

        Assert.Contains("src/Tenancy/PortVariable.cs", listed, StringComparison.Ordinal);
        Assert.Contains("PortVariable.cs", refused, StringComparison.Ordinal);
        Assert.EndsWith("// mine", scaffold.Read("src/Tenancy/PortVariable.cs"), StringComparison.Ordinal);
    }

    // As an older library would differ: a file that went since, one that has changed, and one that came.
    private async Task<(Scaffold, Shell)> OlderAsync()
    {
        var scaffold = await template.NewAsync("MySeller");
        await File.WriteAllTextAsync(Path.Combine(scaffold.Directory, "src/Tenancy/Gone.cs"), "// old", Token);
        await File.WriteAllTextAsync(Path.Combine(scaffold.Directory, "docs/state.md"), "old", Token);
        File.Delete(Path.Combine(scaffold.Directory, "src/Tenancy.Adcp/AdcpTool.cs"));

        // Where no other test looks, and nothing is installed yet.
        var hive = Path.Combine(template.Root, Guid.NewGuid().ToString("N"));
        var shell = new Shell(("NEWER", template.Package), ("HIVE", hive));
        await shell.RunAsync(In(scaffold, "git init -q && git add . && git commit -qm 'As it came.'"), Token);
        shell["TAKEN"] = (await shell.RunAsync(In(scaffold, "git rev-parse HEAD"), Token)).Trim();
        return (scaffold, shell);
    }

    // Nobody has told git who commits.
    private static string In(Scaffold scaffold, string commands) =>
        $$"""
            export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.com GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.com
            dotnet() { command dotnet "$@" --debug:custom-hive "$HIVE"; }
            cd '{{scaffold.Directory}}'
            {{commands}}
            """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string InRepository(string path) => Path.Combine(TemplateFixture.Repository, path);

    private static string Docs(string page) => File.ReadAllText(InRepository(Path.Combine("docs", page)));

    // The first shows what was edited, the second replaces.
    private static string[] Blocks =>
        [
            .. Docs("upgrade.md")
                .ReplaceLineEndings("\n")
                .Split("```sh\n")
                .Skip(1)
                .Select(block => string.Join('\n', block.Split("```")[0].Split('\n').Select(line => line.Trim())).Trim()),
        ];
}

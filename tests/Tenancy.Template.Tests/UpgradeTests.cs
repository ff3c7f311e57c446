using Tenancy.Tests.Docs;

namespace Tenancy.Template.Tests;

/// <summary>The commands of docs/upgrade.md give a scaffold the library of a newer one, and leave the rest as it is.</summary>
public sealed class UpgradeTests(TemplateFixture template)
{
    [Fact]
    public async Task The_library_is_replaced_and_nothing_else()
    {
        var folder = Directory.CreateDirectory(Path.Combine(template.Root, Guid.NewGuid().ToString("N"))).FullName;
        var old = await template.NewAsync("MySeller", directory: folder);
        await template.NewAsync("MySeller", ["-o", "newer"], folder);
        var newer = new Scaffold("MySeller", Path.Combine(folder, "newer"));

        // As an older library would differ: a file that went, one that changed, and one that came.
        var (gone, changed, came) = ("src/Tenancy/Gone.cs", "docs/state.md", "src/Tenancy/Call.cs");
        await File.WriteAllTextAsync(Path.Combine(old.Directory, gone), "// old", Token);
        await File.WriteAllTextAsync(Path.Combine(old.Directory, changed), "old", Token);
        await File.WriteAllTextAsync(Path.Combine(newer.Directory, came), "// new", Token);
        var own = Path.Combine(old.Program, "Program.cs");
        await File.AppendAllTextAsync(own, "// mine", Token);

        await using var shell = new Shell();
        await shell.RunAsync($"cd '{folder}'\n{Commands(Docs("upgrade.md"))}", Token);

        Assert.Equal(newer.Files(), old.Files());
        Assert.All(newer.Files().Where(Scaffold.IsOfLibrary), file => Assert.Equal(newer.Read(file), old.Read(file)));
        Assert.EndsWith("// mine", await File.ReadAllTextAsync(own, Token), StringComparison.Ordinal);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string Docs(string page) => File.ReadAllText(Path.Combine(TemplateFixture.Repository, "docs", page));

    // The second block: the first one makes the newer scaffold.
    private static string Commands(string page) =>
        string.Join('\n', page.Split("```sh\n")[2].Split("```")[0].Split('\n').Select(line => line.Trim()));
}

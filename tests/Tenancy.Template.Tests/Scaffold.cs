namespace Tenancy.Template.Tests;

/// <summary>A directory that the template made.</summary>
internal sealed record Scaffold(string Name, string Directory)
{
    public const string EmbeddedName = "my-seller";
    public const string RedisName = "Acme.9lives";
    public const string OpenName = "class";

    public string Program => Path.Combine(Directory, "src", Name);

    /// <summary>The compiled program.</summary>
    public string Assembly => Path.Combine(Program, "bin", "Debug", "net10.0", $"{Name}.dll");

    /// <summary>The compiled tests.</summary>
    public string Tests => Path.Combine(Directory, "tests", $"{Name}.Tests", "bin", "Debug", "net10.0", $"{Name}.Tests.dll");

    public string Read(string path) => File.ReadAllText(Path.Combine(Directory, path));

    /// <summary>The tool that the README shows, once it was added.</summary>
    private string ToolOfReadme => $"src/{Name}/Handlers/Prices.cs";

    /// <summary>Does what the README says: puts its example into a file.</summary>
    public Task AddToolOfReadmeAsync() =>
        File.WriteAllTextAsync(Path.Combine(Directory, ToolOfReadme), Read("README.md").Split("```csharp\n")[1].Split("```")[0]);

    /// <summary>The files, as the template made them, by relative path.</summary>
    public string[] Files() => [.. Tree.Files(Directory).Where(file => file != ToolOfReadme && file != Stamp)];

    // Written by the first build.
    public const string Stamp = ".tenancy/library.stamp";

    /// <summary>The files that are the scaffold's own, not the library's.</summary>
    public string[] OwnFiles() => [.. Files().Where(file => !IsOfLibrary(file))];

    /// <summary>Whether a file is the library's: its source, and the pages about it.</summary>
    public static bool IsOfLibrary(string file) =>
        file.StartsWith("src/Tenancy", StringComparison.Ordinal) || file.StartsWith("docs/", StringComparison.Ordinal);
}

/// <summary>Lists files without what a build leaves.</summary>
internal static class Tree
{
    public static string[] Files(string directory) =>
        [
            .. Directory
                .GetFiles(directory, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(directory, file).Replace('\\', '/'))
                .Where(file => !file.Split('/').Any(part => part is "bin" or "obj"))
                .Order(StringComparer.Ordinal),
        ];
}

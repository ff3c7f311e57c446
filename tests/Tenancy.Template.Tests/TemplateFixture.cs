using System.Reflection;
using System.Xml.Linq;

[assembly: AssemblyFixture(typeof(Tenancy.Template.Tests.TemplateFixture))]

namespace Tenancy.Template.Tests;

/// <summary>Packs the template, installs it where no other is, and makes scaffolds, which it builds when a test runs one.</summary>
public sealed class TemplateFixture : IAsyncLifetime
{
    // A compiler server of our own, so that it can be ended without ending anybody else's.
    private readonly string _compiler = $"tenancy-{Guid.NewGuid():N}";

    private readonly Lock _building = new();
    private Task? _built;

    public static string Repository { get; } =
        typeof(TemplateFixture)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(attribute => attribute.Key == "RepositoryRoot")
            .Value!;

    /// <summary>The version of the library, without what a build adds.</summary>
    internal static string Version =>
        XDocument.Load(Path.Combine(Repository, "src", "Tenancy", "Tenancy.Version.props")).Descendants("VersionPrefix").Single().Value;

    public string Root { get; } = Directory.CreateTempSubdirectory("tenancy-template-").FullName;

    internal string Package { get; private set; } = "";

    internal Scaffold Embedded { get; private set; } = null!;

    internal Scaffold Redis { get; private set; } = null!;

    internal Scaffold Open { get; private set; } = null!;

    /// <summary>What comes of a scaffold when somebody does what docs/write-a-seller.md says, up to its database.</summary>
    internal Scaffold FileSeller { get; private set; } = null!;

    /// <summary>What comes of it at the end of the page.</summary>
    internal Scaffold Seller { get; private set; } = null!;

    private string Built => Path.Combine(Root, "built");

    private string Hive => Path.Combine(Root, "hive");

    public async ValueTask InitializeAsync()
    {
        await DotNet.RunAsync(Repository, "pack", "Tenancy.Template.csproj", "-o", Root, "-v", "q");
        Package = Directory.GetFiles(Root, "*.nupkg").Single();
        await InstallAsync(Package, Hive);

        // Each choice of each option is in one of them.
        Embedded = await NewAsync(Scaffold.EmbeddedName, directory: Built);
        Redis = await NewAsync(Scaffold.RedisName, ["--store", "redis", "--auth", "jwks"], Built);
        Open = await NewAsync(Scaffold.OpenName, ["--auth", "none", "--identification", "host", "header", "--tests", "false"], Built);
        await Open.AddToolOfReadmeAsync();
        Seller = await NewAsync("MySeller", ["--tests", "false"], Built);
        WriteASellerTests.Follow(Seller);
        FileSeller = await NewAsync("MySeller", ["--tests", "false"], Path.Combine(Built, "Files"));
        WriteASellerTests.Follow(FileSeller, withDatabase: false);
    }

    /// <summary>Builds the scaffolds, in one graph. A test that runs one waits for it; the first one begins it.</summary>
    internal Task BuiltAsync()
    {
        lock (_building)
        {
            return _built ??= BuildAsync(Built);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopCompilerAsync();
        Directory.Delete(Root, recursive: true);
    }

    /// <summary>Makes a scaffold, without a build.</summary>
    internal async Task<Scaffold> NewAsync(string name, string[]? options = null, string? directory = null, string? hive = null)
    {
        directory = Directory.CreateDirectory(directory ?? Path.Combine(Root, Guid.NewGuid().ToString("N"))).FullName;
        await DotNet.RunAsync(directory, Arguments(name, options ?? [], hive));
        return new(name, Path.Combine(directory, name));
    }

    /// <summary>Makes a scaffold, or fails to.</summary>
    internal async Task<(int ExitCode, string Output, string[] Files)> TryNewAsync(string name, params string[] options)
    {
        var directory = Directory.CreateDirectory(Path.Combine(Root, Guid.NewGuid().ToString("N"))).FullName;
        var (exitCode, output) = await DotNet.TryAsync(directory, Arguments(name, options));
        return (exitCode, output, Tree.Files(directory));
    }

    /// <summary>Runs a build with the compiler server of these tests.</summary>
    internal async Task RunAsync(string directory, string[] arguments, params (string Name, string Value)[] environment)
    {
        string[] all = [.. arguments, "-p:UseSharedCompilation=true", $"-p:SharedCompilationId={_compiler}"];
        var (exitCode, output) = await DotNet.TryAsync(directory, all, environment);
        Assert.True(exitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {exitCode}:\n{output}");
    }

    /// <summary>Adds a handler, in a folder.</summary>
    internal Task<(int ExitCode, string Output)> AddHandlerAsync(string directory, string name, params string[] options) =>
        DotNet.TryAsync(directory, ["new", "adcp-handler", "-n", name, "--no-update-check", "--debug:custom-hive", Hive, .. options]);

    internal static Task InstallAsync(string source, string hive) =>
        DotNet.RunAsync(Path.GetTempPath(), "new", "install", source, "--debug:custom-hive", hive);

    internal Task<(int ExitCode, string Output)> HelpAsync(string language) =>
        DotNet.TryAsync(Root, ["new", "adcp-tenant-server", "--help", "--debug:custom-hive", Hive], ("DOTNET_CLI_UI_LANGUAGE", language));

    private string[] Arguments(string name, string[] options, string? hive = null) =>
        ["new", "adcp-tenant-server", "-n", name, "--no-restore", "--no-update-check", "--debug:custom-hive", hive ?? Hive, .. options];

    /// <summary>Builds all scaffolds of a folder, in one graph, without a warning.</summary>
    internal async Task BuildAsync(string folder)
    {
        var projects = Directory
            .GetFiles(folder, "*.csproj", SearchOption.AllDirectories)
            .Select(project => Path.GetRelativePath(folder, project));

        // A folder per scaffold: each has projects of the same names.
        var solution = new XElement(
            "Solution",
            projects
                .GroupBy(project => project.Split(Path.DirectorySeparatorChar)[0])
                .Select(scaffold => new XElement(
                    "Folder",
                    new XAttribute("Name", $"/{scaffold.Key}/"),
                    scaffold.Select(project => new XElement("Project", new XAttribute("Path", project)))
                ))
        );
        await File.WriteAllTextAsync(Path.Combine(folder, "All.slnx"), solution.ToString());
        await RunAsync(folder, ["build", "All.slnx", "-v", "q", "-warnaserror"]);
    }

    private async Task StopCompilerAsync()
    {
        var compilers = await DotNet.RunAsync(Repository, "msbuild", "Tenancy.Template.csproj", "-getProperty:RoslynTargetsPath");
        await DotNet.TryAsync(Root, [Path.Combine(compilers.Trim(), "bincore", "VBCSCompiler.dll"), "-shutdown", $"-pipename:{_compiler}"]);
    }
}

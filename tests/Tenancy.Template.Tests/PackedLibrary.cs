using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using Tenancy.Tests.Docs;

namespace Tenancy.Template.Tests;

/// <summary>Tests that share what is packed and built.</summary>
[CollectionDefinition(nameof(PackedLibrary))]
public sealed class PackedLibraryGroup : ICollectionFixture<PackedLibrary>;

/// <summary>The packages of the library, as a release would make them, and a scaffold that references them.</summary>
public sealed class PackedLibrary(TemplateFixture template) : IAsyncLifetime
{
    internal const string Name = "Packaged";
    internal static readonly string[] Ids = ["Tenancy", "Tenancy.Adcp", "Tenancy.Embedded", "Tenancy.Testing"];

    // NuGet keeps what it restored by version, so that each run needs one of its own.
    private readonly string _suffix = $"test.{Guid.NewGuid():N}";

    private readonly Dictionary<string, (Combination, Scaffold)> _more = [];

    internal string Version { get; private set; } = "";

    private string Built => Path.Combine(template.Root, "with-packages");

    internal string Folder { get; } = Path.Combine(template.Root, "packages");

    /// <summary>A scaffold with the packages and a handler more, built without a warning.</summary>
    internal Scaffold Scaffold { get; private set; } = null!;

    /// <summary>Its files, as the template made them.</summary>
    internal string[] Files { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        var clone = await CloneAsync();
        await template.RunAsync(
            clone,
            ["pack", "src/Packages.slnf", "-o", Folder, "-v", "q", $"-p:VersionSuffix={_suffix}", "-p:RunAnalyzers=false"]
        );
        Version = $"{TemplateFixture.Version}-{_suffix}";
        string[] packages = ["--library", "package", "--library-source", Folder, "--library-version", Version];
        Scaffold = await template.NewAsync(
            Name,
            [.. Combination.Elsewhere.Single(known => known.Name == Name).Options, .. packages],
            Built
        );
        Files = Scaffold.Files();

        // The name of a project is known when it is restored, as dotnet new does.
        await template.RunAsync(Scaffold.Program, ["restore"]);
        var (exitCode, output) = await template.AddHandlerAsync(Scaffold.Program, "GetForecast");
        Assert.True(exitCode == 0, output);
        foreach (var combination in Combination.More)
        {
            _more[combination.Name] = (
                combination,
                await template.NewAsync(combination.Name, [.. combination.Options, .. packages], Built)
            );
        }

        await template.BuildAsync(Built);
    }

    public ValueTask DisposeAsync()
    {
        var restored = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder
            ? folder
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        foreach (var id in Ids)
        {
            var copy = Path.Combine(restored, id.ToLowerInvariant(), Version.ToLowerInvariant());
            if (Version.Length > 0 && Directory.Exists(copy))
            {
                Directory.Delete(copy, recursive: true);
            }
        }

        return ValueTask.CompletedTask;
    }

    internal (Combination Combination, Scaffold Scaffold) Find(string name) => _more[name];

    internal ZipArchive Open(string id, string extension = "nupkg") =>
        ZipFile.OpenRead(Path.Combine(Folder, $"{id}.{Version}.{extension}"));

    internal string ReadText(string id, string file)
    {
        using var package = Open(id);
        using var reader = new StreamReader(package.GetEntry(file)!.Open());
        return reader.ReadToEnd();
    }

    /// <summary>What the compiler wrote into an assembly about how it can be debugged.</summary>
    internal DebugDirectoryEntryType[] DebugEntries(string id)
    {
        using var package = Open(id);
        using var assembly = new PEReader(Copy(package, $"lib/net10.0/{id}.dll"));
        return [.. assembly.ReadDebugDirectory().Select(entry => entry.Type)];
    }

    /// <summary>The names of the sources in an assembly's symbols, and where source link says that they are.</summary>
    internal (string[] Documents, string SourceLink) Symbols(string id)
    {
        using var package = Open(id, "snupkg");
        using var provider = MetadataReaderProvider.FromPortablePdbStream(Copy(package, $"lib/net10.0/{id}.pdb"));
        var symbols = provider.GetMetadataReader();
        var sourceLink = symbols
            .CustomDebugInformation.Select(symbols.GetCustomDebugInformation)
            .Single(information => symbols.GetGuid(information.Kind) == new Guid("CC110556-A091-4D38-9FEC-25AB9A351A6A"));
        return (
            [.. symbols.Documents.Select(document => symbols.GetString(symbols.GetDocument(document).Name))],
            Encoding.UTF8.GetString(symbols.GetBlobBytes(sourceLink.Value))
        );
    }

    // With what has changed here since the last commit, and with a remote, which source link reads: a working tree may have none.
    private async Task<string> CloneAsync()
    {
        var clone = Path.Combine(template.Root, "clone");
        await using var shell = new Shell();
        await shell.RunAsync(
            $"""
            git clone -q --shared '{TemplateFixture.Repository}' '{clone}'
            git -C '{clone}' remote set-url origin https://github.com/example/tenancy.git
            rm -r '{clone}/src' '{clone}/docs'
            cd '{TemplateFixture.Repository}'
            git ls-files -co --exclude-standard src docs '*.props' |
              while read file; do [ ! -e "$file" ] || echo "$file"; done > '{clone}/.git/here'
            tar -cf - -T '{clone}/.git/here' | tar -xf - -C '{clone}'
            """,
            TestContext.Current.CancellationToken
        );
        return clone;
    }

    private static MemoryStream Copy(ZipArchive package, string file)
    {
        var copy = new MemoryStream();
        using var stream = package.GetEntry(file)!.Open();
        stream.CopyTo(copy);
        copy.Position = 0;
        return copy;
    }
}

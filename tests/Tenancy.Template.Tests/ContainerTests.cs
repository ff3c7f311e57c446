using System.Diagnostics;
using System.Text.Json;
using Tenancy.Tests.Hosting;

namespace Tenancy.Template.Tests;

/// <summary>What the Dockerfile says is done here without Docker, which not every machine has: see docs/operate.md.</summary>
[Collection(nameof(PackedLibrary))]
public sealed class ContainerTests(TemplateFixture template, PackedLibrary library)
{
    private const string Ready = "/health/ready";

    [Theory]
    [InlineData(Scaffold.EmbeddedName)]
    [InlineData(Scaffold.RedisName)]
    public async Task The_layer_of_the_restore_has_all_that_a_restore_needs_and_no_code(string name)
    {
        var dockerfile = new Dockerfile(Find(name), Folder("source"), "");
        await dockerfile.BuildAsync(IsWithoutCodeBeforeTheRestore, commands: 1);
    }

    [Fact]
    public async Task An_image_restores_once_has_no_natives_of_other_systems_and_runs_without_writing_as_a_user_who_owns_nothing()
    {
        var (_, scaffold) = library.Find("One.Bearer");
        var application = Folder("app");
        var dockerfile = new Dockerfile(scaffold, Folder("source"), application);
        await dockerfile.BuildAsync(IsWithoutCodeBeforeTheRestore);

        var files = Tree.Files(application);
        var size = files.Sum(file => new FileInfo(Path.Combine(application, file)).Length);
        Assert.True(size < 17_000_000, $"{size:N0} bytes:\n{string.Join('\n', files)}");
        Assert.DoesNotContain(files, file =>
            file.StartsWith("runtimes/", StringComparison.Ordinal) || file.EndsWith(".xml", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(files, file =>
            file.Contains("Embedded", StringComparison.Ordinal) || file.Contains("Garnet", StringComparison.Ordinal)
        );
        Assert.DoesNotContain("appsettings.Development.json", files);

        await using var redis = await RedisServer.StartAsync();
        await RunsAsync(scaffold, dockerfile, application, redis);
        Assert.Equal(files, Tree.Files(application));
    }

    // It goes on as long as none of its files changes.
    private static void IsWithoutCodeBeforeTheRestore(string command, string[] files)
    {
        var isRestore = command.StartsWith("dotnet restore", StringComparison.Ordinal);
        Assert.Equal(isRestore, !files.Any(file => file.EndsWith(".cs", StringComparison.Ordinal)));
        Assert.DoesNotContain(files, file => file.StartsWith("tests/", StringComparison.Ordinal));
    }

    private Scaffold Find(string name) => name == Scaffold.RedisName ? template.Redis : template.Embedded;

    [Theory]
    [InlineData(Scaffold.EmbeddedName)]
    [InlineData(Scaffold.RedisName)]
    public void Tests_pages_and_secrets_are_no_part_of_an_image(string name)
    {
        var scaffold = Find(name);
        var dockerfile = new Dockerfile(scaffold, "", "");
        Assert.All([".env", ".git/config", "docs/state.md", $"tests/{name}.Tests/Buys.cs", "a/bin/b", "README.md", "x.user"], file =>
            Assert.True(dockerfile.IsIgnored(file), file)
        );
        Assert.All(scaffold.Files().Where(file => file.StartsWith("src/", StringComparison.Ordinal)), file =>
            Assert.Equal(file.StartsWith("src/Tenancy.Testing/", StringComparison.Ordinal), dockerfile.IsIgnored(file))
        );
    }

    private static async Task RunsAsync(Scaffold scaffold, Dockerfile dockerfile, string application, RedisServer redis)
    {
        var program = JsonSerializer.Deserialize<string[]>(dockerfile.Instructions.Single(line => line.Name == "ENTRYPOINT").Arguments)!;
        var check = dockerfile.Instructions.Single(line => line.Name == "HEALTHCHECK").Arguments.Split("CMD ")[1];
        var health = JsonSerializer.Deserialize<string[]>(check)!;
        Assert.Equal(program, health[..2]);
        Assert.Equal("--health", health[2]);
        var exposed = dockerfile.Instructions.Single(line => line.Name == "EXPOSE").Arguments;
        Assert.Equal($"http://127.0.0.1:{exposed}{Ready}", health[3]);

        var port = RedisServer.FreePort();
        var url = health[3].Replace($":{exposed}/", $":{port}/", StringComparison.Ordinal);
        (string, string)[] environment =
        [
            .. Example(scaffold),
            ("ConnectionStrings__Redis", redis.ConnectionString),
            ("ASPNETCORE_HTTP_PORTS", $"{port}"),
        ];
        using var process = Start(application, program, environment);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(TimeSpan.FromMinutes(2));
            while (await HealthAsync(application, [.. health[..3], url]) != 0)
            {
                Assert.False(process.HasExited, "It ended.");
                await Task.Delay(100, limit.Token);
            }
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }

        Assert.Equal(1, await HealthAsync(application, [.. health[..3], url]));
        Assert.Equal(1, await HealthAsync(application, [.. health[..3], "8080"]));
    }

    private static async Task<int> HealthAsync(string application, string[] command)
    {
        using var process = Start(application, command, []);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }

    // In the image: a user that owns nothing, a home that is not there, and no data about cultures.
    private static Process Start(string application, string[] command, (string Name, string Value)[] environment)
    {
        string[] asNobody = Environment.UserName == "root" ? ["setpriv", "--reuid=1654", "--regid=1654", "--clear-groups"] : [];
        string[] all = [.. asNobody, .. command];
        var start = new ProcessStartInfo(all[0], all[1..]) { WorkingDirectory = application };
        start.Environment.Clear();
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH");
        start.Environment["DOTNET_ROOT"] = Environment.GetEnvironmentVariable("DOTNET_ROOT");
        start.Environment["HOME"] = "/nonexistent";
        start.Environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "true";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    // What a person gets who fills in nothing but secrets.
    private static IEnumerable<(string, string)> Example(Scaffold scaffold) =>
        scaffold
            .Read(".env.example")
            .ReplaceLineEndings("\n")
            .Split('\n')
            .Where(line => line.Length > 0 && !line.StartsWith('#'))
            .Select(line => (line.Split('=', 2)[0], line.Split('=', 2)[1]));

    private static string Folder(string name)
    {
        var folder = Directory.CreateTempSubdirectory($"tenancy-{name}-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode ForAll = UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | ForAll);
        }

        return folder;
    }
}

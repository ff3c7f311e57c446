using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>Every command that a page shows is run by something, or a test is named that exercises it.</summary>
[Tier(Tier.Process)]
public sealed partial class CommandTests
{
    /// <summary>Pages whose commands a test runs, in their order and all of them.</summary>
    private static readonly string[] RunWhole = ["docs/admin-api.md", "docs/operate.md", "templates/adcp-tenant-server/README.md"];

    /// <summary>Which test runs a command as it stands on its page.</summary>
    private static readonly (string Command, string File, string Text)[] RunElsewhere =
    [
        ("dotnet new install \"$NEWER\"", "tests/Tenancy.Template.Tests/UpgradeTests.cs", "Docs(\"upgrade.md\")"),
        ("dotnet new adcp-tenancy-library", "tests/Tenancy.Template.Tests/UpgradeTests.cs", "Docs(\"upgrade.md\")"),
        ("git add --all", "tests/Tenancy.Template.Tests/UpgradeTests.cs", "Docs(\"upgrade.md\")"),
        ("git switch --quiet", "tests/Tenancy.Template.Tests/UpgradeTests.cs", "Docs(\"upgrade.md\")"),
        ("git rm -r", "tests/Tenancy.Template.Tests/UpgradeTests.cs", "Docs(\"upgrade.md\")"),
        ("dotnet new adcp-tenant-server -n MySeller -o .", "tests/Tenancy.Template.Tests/UpgradeTests.cs", "Docs(\"upgrade.md\")"),
        ("git merge", "tests/Tenancy.Template.Tests/UpgradeTests.cs", "Docs(\"upgrade.md\")"),
        ("curl http://localhost:5099/admin/tenants", "tests/Tenancy.Tests/Docs/CommandTests.cs", nameof(The_readme_adds_a_tenant)),
    ];

    /// <summary>
    /// Commands that nothing runs as they stand, because they take too long, or stay until somebody ends them: which test does the same in
    /// other words, or looks at what the command is made of.
    /// </summary>
    private static readonly (string Command, string File, string Text)[] ExercisedInPart =
    [
        ("dotnet new install .", "quickstart.cs", "[\"new\", \"install\", clone"),
        ("dotnet new adcp-tenant-server -n MySeller", "quickstart.cs", "[\"new\", \"adcp-tenant-server\", \"-n\", \"MySeller\""),
        ("cd MySeller", "tests/Tenancy.Template.Tests/Scaffold.cs", "string Directory"),
        ("dotnet run --project src/MySeller", "tests/Tenancy.Template.Tests/NameTests.cs", "--project"),
        ("dotnet test --project tests/Tenancy.Tests --", "tests/Tenancy.Tests/Docs/ContributingPageTests.cs", "The_test_runner_takes"),
        ("for finding in findings/*.sh", "tests/Tenancy.Tests/Docs/CommandTests.cs", nameof(Scripts_that_are_run_by_hand_are_read_by_bash)),
        ("dotnet pack src/Packages.slnf", "tests/Tenancy.Template.Tests/PackedLibrary.cs", "[\"pack\", \"src/Packages.slnf\""),
        ("bash src/packages/compare.sh", "tests/Tenancy.Tests/Docs/CommandTests.cs", nameof(Scripts_that_are_run_by_hand_are_read_by_bash)),
        (
            "dotnet new adcp-tenant-server -n MySeller --library package",
            "tests/Tenancy.Template.Tests/PackedLibrary.cs",
            "\"--library\", \"package\""
        ),
        ("bash tests/long/run", "tests/Tenancy.Tests/Docs/CommandTests.cs", nameof(Scripts_that_are_run_by_hand_are_read_by_bash)),
        (
            "DOTNET_ENVIRONMENT=Development dotnet run",
            "tests/Tenancy.Tests/Authentication/ClientCertificatesExampleTests.cs",
            "DOTNET_ENVIRONMENT"
        ),
        (
            "curl -s https://localhost:5443",
            "tests/Tenancy.Tests/Authentication/ClientCertificatesExampleTests.cs",
            "A_tenant_is_called_with"
        ),
        ("curl -s -X PATCH https://localhost:5443", "tests/Tenancy.Tests/Authentication/ClientCertificatesExampleTests.cs", "Patch"),
        ("openssl req -x509", "tests/Tenancy.Tests/Authentication/ClientCertificatesExampleTests.cs", "Create("),
        ("curl -s http://localhost:5000/acme/mcp", "tests/Tenancy.Tests/Fleet/TenantSourceTests.cs", "SqliteTenants"),
        ("curl -s http://localhost:5099/acme/mcp", "tests/Tenancy.Template.Tests/WriteASellerTests.cs", "get_products"),
        ("sqlite3 src/MySeller/inventory.db", "tests/Tenancy.Template.Tests/WriteASellerTests.cs", "inventory.db"),
        ("sqlite3 tenants.db", "tests/Tenancy.Tests/Fleet/TenantSourceTests.cs", "SqliteTenants"),
    ];

    // What a step has built the next one does not build again. Who follows a page has built nothing yet.
    private static readonly string[] Integration =
    [
        .. Page.Read(".ci/run")
            .Text.Split('\n')
            .Where(line => Step().IsMatch(line))
            .Select(line => Step().Replace(line, "").Replace(" --no-build", "", StringComparison.Ordinal)),
    ];

    [Fact]
    public void Every_command_is_run_or_stands_in_a_list_with_the_test_that_exercises_it()
    {
        var commands = Page
            .All.Where(page => !RunWhole.Contains(page.Path))
            .SelectMany(page => page.Scripts())
            .SelectMany(Commands)
            .ToArray();
        Assert.True(commands.Length > 15, $"{commands.Length} commands");
        Assert.All(commands, command => Assert.True(IsRun(command), command));
    }

    [Fact]
    public void What_the_lists_have_is_on_a_page_and_in_the_file_that_they_name() =>
        Assert.All(RunElsewhere.Concat(ExercisedInPart), known =>
        {
            var (command, file, text) = known;
            Assert.Contains(Page.All.SelectMany(page => page.Scripts()).SelectMany(Commands), shown => IsOf(shown, command));
            Assert.Contains(text, Page.Read(file).Text, StringComparison.Ordinal);
        });

    [Fact]
    public async Task The_readme_adds_a_tenant()
    {
        await using var server = await TenancyServer.StartAsync();
        await using var shell = new Shell();
        var script = Page.Read("README.md").Scripts().Single(script => script.StartsWith("curl", StringComparison.Ordinal));
        await shell.RunAsync(
            script
                .Replace("localhost:5099", $"localhost:{server.Port}", StringComparison.Ordinal)
                .Replace("dev-admin-key", TenancyServer.AdminKey, StringComparison.Ordinal),
            TestContext.Current.CancellationToken
        );
        Assert.NotNull(server.Services.GetRequiredService<TenantRegistry>().Get("initech"));
    }

    // They take too long for a test, or look at what is outside.
    [Theory]
    [InlineData("tests/long")]
    [InlineData("findings")]
    [InlineData("benchmarks/load")]
    [InlineData("src/packages")]
    public async Task Scripts_that_are_run_by_hand_are_read_by_bash(string folder)
    {
        var scripts = Directory
            .GetFiles(Path.Combine(Repository.Root, folder))
            .Where(file => Path.GetFileName(file) == "run" || file.EndsWith(".sh", StringComparison.Ordinal))
            .ToArray();
        Assert.NotEmpty(scripts);
        await using var shell = new Shell();
        foreach (var script in scripts)
        {
            await shell.RunAsync($"bash -n '{script}'", TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public void The_parts_of_the_long_run_are_those_of_its_script()
    {
        var script = Page.Read("tests/long/run").Text;
        var parts = Page.Read("tests/long/README.md")
            .Scripts()
            .SelectMany(Commands)
            .Select(command => command["bash tests/long/run".Length..].Trim())
            .Where(part => part.Length > 0)
            .ToArray();
        Assert.NotEmpty(parts);
        Assert.All(parts, part => Assert.Contains($" {part}) ", script, StringComparison.Ordinal));
    }

    // One for each line, without what it is continued with and without its comment.
    private static IEnumerable<string> Commands(string script) =>
        Continuation().Replace(script, " ").Split('\n').Select(line => Comment().Replace(line, "").Trim()).Where(line => line.Length > 0);

    private static bool IsRun(string command) =>
        Integration.Contains(command) || RunElsewhere.Concat(ExercisedInPart).Any(known => IsOf(command, known.Command));

    private static bool IsOf(string command, string known) =>
        command.StartsWith(known, StringComparison.Ordinal)
        && (command.Length == known.Length || command[known.Length] is ' ' or ';' or '/');

    [GeneratedRegex("^(?:require|run_tests) ")]
    private static partial Regex Step();

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continuation();

    [GeneratedRegex(@"\s+#.*$")]
    private static partial Regex Comment();
}

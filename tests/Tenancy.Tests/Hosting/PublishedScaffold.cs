using System.Diagnostics;

namespace Tenancy.Tests.Hosting;

/// <summary>The template's server for a Redis, published once for a run as a user would deploy it.</summary>
internal static class PublishedScaffold
{
    // For somebody who runs these tests again and again: a server that is published already.
    private const string Given = "TENANCY_PUBLISHED_SCAFFOLD";

    private static readonly Lazy<Task<string>> Published = new(PublishAsync);

    /// <summary>The program.</summary>
    public static Task<string> GetAsync() => Published.Value;

    private static async Task<string> PublishAsync()
    {
        if (Environment.GetEnvironmentVariable(Given) is { Length: > 0 } given)
        {
            return Path.Combine(given, "Adcp-TenantServer.dll");
        }

        var project = Path.Combine(Repository.Root, "templates", "adcp-tenant-server", "src", "Adcp-TenantServer");
        var output = Path.Combine(Repository.Root, "artifacts", "published-scaffold");
        var start = new ProcessStartInfo(
            "dotnet",
            ["publish", project, "-c", "Release", "-p:Store=redis", "-p:RunAnalyzers=false", "-nodeReuse:false", "-v", "q", "-o", output]
        )
        {
            RedirectStandardOutput = true,
        };
        start.Environment["UseSharedCompilation"] = "false";
        using var process = Process.Start(start)!;
        using var enough = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        try
        {
            var said = await process.StandardOutput.ReadToEndAsync(enough.Token);
            await process.WaitForExitAsync(enough.Token);
            Assert.True(process.ExitCode == 0, said);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }

        return Path.Combine(output, "Adcp-TenantServer.dll");
    }
}

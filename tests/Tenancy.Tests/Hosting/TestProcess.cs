using System.Diagnostics;
using StackExchange.Redis;

namespace Tenancy.Tests.Hosting;

/// <summary>A test of this assembly that another test runs, in a process of its own. They meet at a Redis.</summary>
internal static class TestProcess
{
    private const string Variable = "TENANCY_TEST_PROCESS";

    /// <summary>The store of the test that runs this one; skips it where nobody does.</summary>
    public static TestStore OfParent()
    {
        var connectionString = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(connectionString is null, "Another test runs this one, in a process of its own.");
        return new(ConfigurationOptions.Parse(connectionString), TimeProvider.System);
    }

    /// <summary>Runs a test, which is explicit.</summary>
    public static Process Start<TTests>(string method, string connectionString)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            ["exec", typeof(TTests).Assembly.Location, "-method", $"{typeof(TTests).FullName}.{method}", "-explicit", "only"]
        )
        {
            RedirectStandardOutput = true,
        };
        start.Environment[Variable] = connectionString;
        return Process.Start(start)!;
    }

    /// <summary>Waits until it has passed.</summary>
    public static async Task EndAsync(this Process process)
    {
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output);
    }
}

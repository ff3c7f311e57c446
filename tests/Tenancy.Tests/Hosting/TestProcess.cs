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

    /// <summary>Waits until it has passed. One that goes on for two minutes is killed, and so is one whose test ends before.</summary>
    public static async Task EndAsync(this Process process)
    {
        var output = await process.UntilExitAsync();
        Assert.True(process.ExitCode == 0, output);
    }

    /// <summary>Waits until it has ended, in whatever way, and gives what it wrote. See <see cref="EndAsync"/>.</summary>
    public static async Task<string> UntilExitAsync(this Process process)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        enough.CancelAfter(TimeSpan.FromSeconds(120));
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(enough.Token);
            await process.WaitForExitAsync(enough.Token);
            return output;
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }
}

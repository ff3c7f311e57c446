using System.Diagnostics;
using System.Text;

namespace Tenancy.Template.Tests;

/// <summary>Runs the dotnet command as a person's shell would: without what the test runner put into the environment.</summary>
internal static class DotNet
{
    /// <summary>Runs a command to its end.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">It failed; the message has its output.</exception>
    public static async Task<string> RunAsync(string directory, params string[] arguments)
    {
        var (exitCode, output) = await TryAsync(directory, arguments);
        Assert.True(exitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {exitCode}:\n{output}");
        return output;
    }

    /// <summary>Runs a command to its end, whatever that is.</summary>
    public static async Task<(int ExitCode, string Output)> TryAsync(
        string directory,
        string[] arguments,
        params (string Name, string Value)[] environment
    )
    {
        var output = new StringBuilder();
        using var process = Start(directory, arguments, environment, line =>
        {
            lock (output)
            {
                output.AppendLine(line);
            }
        });
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        enough.CancelAfter(TimeSpan.FromMinutes(20));
        try
        {
            await process.WaitForExitAsync(enough.Token);
            return (process.ExitCode, output.ToString());
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Starts a command. The caller kills it.</summary>
    public static Process Start(string directory, string[] arguments, (string Name, string Value)[] environment, Action<string> onLine)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Clean(start.Environment);
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => onLine(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => onLine(line.Data ?? "");
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static void Clean(IDictionary<string, string?> environment)
    {
        string[] leaking =
        [
            "MSBUILD",
            "ASPNETCORE_",
            "DOTNET_ENVIRONMENT",
            "ConnectionStrings__",
            "Tenancy__",
            "TENANT_",
            "MULTI_TENANT_",
            "PORT",
        ];
        foreach (
            var name in environment
                .Keys.Where(name => leaking.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
                .ToArray()
        )
        {
            environment.Remove(name);
        }

        // No build node outlives its build.
        environment["MSBUILDDISABLENODEREUSE"] = "1";
        environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
    }
}

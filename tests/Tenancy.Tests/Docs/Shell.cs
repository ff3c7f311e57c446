using System.Diagnostics;

namespace Tenancy.Tests.Docs;

/// <summary>Runs commands of a page with bash, in a folder of its own. One that fails, or that the server refuses, ends them.</summary>
internal sealed class Shell(params (string Name, string Value)[] variables) : IAsyncDisposable
{
    // What a page shows has no options for tests.
    private const string Start = """
        set -euo pipefail
        curl() { command curl --noproxy '*' --fail-with-body "$@"; }

        """;

    private readonly Dictionary<string, string> _variables = variables.ToDictionary(variable => variable.Name, variable => variable.Value);
    private readonly string _folder = Directory.CreateTempSubdirectory("tenancy-docs-").FullName;

    public string this[string name]
    {
        set => _variables[name] = value;
    }

    /// <summary>Runs a script, and gives what it prints. One that goes on for a minute is killed.</summary>
    public async Task<string> RunAsync(string script, CancellationToken cancellationToken)
    {
        Assert.SkipWhen(!File.Exists("/bin/bash"), "There is no bash.");
        var start = new ProcessStartInfo("/bin/bash", ["-c", Start + script])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in _variables)
        {
            start.Environment[name] = value;
        }

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        enough.CancelAfter(TimeSpan.FromMinutes(1));
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(enough.Token);
            var errors = process.StandardError.ReadToEndAsync(enough.Token);
            await process.WaitForExitAsync(enough.Token);
            Assert.True(process.ExitCode == 0, $"{script}\nended with {process.ExitCode}: {await output}{await errors}");
            return await output;
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return default;
    }
}

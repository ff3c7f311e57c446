using System.Runtime.InteropServices;
using System.Text.Json;

namespace Tenancy.Template.Tests;

/// <summary>
/// Does what a Dockerfile says up to its last stage, without Docker: copies what it copies, and no more, and runs what it runs.
/// </summary>
internal sealed class Dockerfile(Scaffold scaffold, string source, string application)
{
    private readonly string[] _ignored = ReadLines(scaffold, ".dockerignore");

    /// <summary>Gets the instructions, each with its arguments on one line.</summary>
    public (string Name, string Arguments)[] Instructions { get; } =
    [
        .. string.Join('\n', ReadLines(scaffold, "Dockerfile"))
            .Replace("\\\n", " ", StringComparison.Ordinal)
            .Split('\n')
            .Select(line => line.Split(' ', 2, StringSplitOptions.TrimEntries))
            .Select(parts => (parts[0], parts[1])),
    ];

    /// <summary>Gets the name that Docker has for the machine of the tests.</summary>
    private static string Architecture =>
        RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";

    /// <summary>Builds the program, or does the first of it.</summary>
    /// <param name="onRun">Sees each command before it is run, with the files that are there then.</param>
    /// <param name="commands">How many commands are run.</param>
    public async Task BuildAsync(Action<string, string[]> onRun, int commands = int.MaxValue)
    {
        foreach (var (name, arguments) in Instructions.Skip(1).TakeWhile(instruction => instruction.Name != "FROM"))
        {
            if (name == "COPY")
            {
                Copy(JsonSerializer.Deserialize<string[]>(arguments)!);
            }
            else if (name == "RUN")
            {
                onRun(arguments, Tree.Files(source));
                await RunAsync(arguments);
                if (--commands == 0)
                {
                    return;
                }
            }
        }
    }

    private async Task RunAsync(string command)
    {
        // As a shell would, which has no blanks to care for but those of names in quotes.
        var words = command
            .Replace("$TARGETARCH", Architecture, StringComparison.Ordinal)
            .Replace("-o /app", $"-o {application}", StringComparison.Ordinal)
            .Split(' ')
            .Select(word => word.Trim('"'))
            .ToArray();
        Assert.Equal("dotnet", words[0]);
        var (exitCode, output) = await DotNet.TryAsync(source, [.. words[1..], "-p:UseSharedCompilation=false"]);
        Assert.True(exitCode == 0, $"{command}: {output}");
    }

    private void Copy(string[] paths)
    {
        var target = Path.Combine(source, paths[^1]);
        foreach (var path in paths[..^1])
        {
            var from = Path.Combine(scaffold.Directory, path);
            string[] files = Directory.Exists(from) ? Tree.Files(from) : [""];
            foreach (var file in files.Where(file => !IsIgnored(path + file)))
            {
                var to = Path.Combine(target, file.Length == 0 ? Path.GetFileName(path) : file);
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(Path.Combine(from, file), to, overwrite: true);
            }
        }
    }

    /// <summary>Whether .dockerignore keeps a file from the build.</summary>
    public bool IsIgnored(string file) =>
        _ignored.Any(pattern =>
            pattern.StartsWith("**/*", StringComparison.Ordinal) ? file.EndsWith(pattern[4..], StringComparison.Ordinal)
            : pattern.StartsWith("**/", StringComparison.Ordinal) ? $"/{file}".Contains(pattern[2..], StringComparison.Ordinal)
            : pattern.EndsWith('/') ? file.StartsWith(pattern, StringComparison.Ordinal)
            : file == pattern
        );

    private static string[] ReadLines(Scaffold scaffold, string file) =>
        [
            .. scaffold
                .Read(file)
                .ReplaceLineEndings("\n")
                .Split('\n')
                .Select(line => line.Trim())
                .Where(line => line.Length > 0 && !line.StartsWith('#')),
        ];
}

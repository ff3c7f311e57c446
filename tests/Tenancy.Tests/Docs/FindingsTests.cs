using System.Text.RegularExpressions;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>Code that exists because of a finding names its file, and every finding is named by the code that lives with it.</summary>
public sealed partial class FindingsTests
{
    [Fact]
    public void The_findings_that_the_code_names_are_those_that_there_are()
    {
        // What is in a template would be in each server that is made of it: its findings are named by the tests that hold them.
        string[] folders = [Path.Combine(Repository.Root, "src"), Path.Combine(Repository.Root, "tests", "Tenancy.Tests", "Docs")];
        var named = folders
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(file => Finding().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups[1].Value)
            .Distinct()
            .Order(StringComparer.Ordinal);
        var there = Directory
            .EnumerateFiles(Path.Combine(Repository.Root, "findings"), "*.sh")
            .Select(file => Path.GetFileName(file))
            .Order(StringComparer.Ordinal);
        Assert.Equal(there, named);
    }

    [GeneratedRegex(@"findings/([\w-]+\.sh)")]
    private static partial Regex Finding();
}

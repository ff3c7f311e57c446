using System.Text.RegularExpressions;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>Code that exists because of a finding names its file, and every finding is named by the code that lives with it.</summary>
public sealed partial class FindingsTests
{
    [Fact]
    public void The_findings_that_the_code_names_are_those_that_there_are()
    {
        var named = Directory
            .EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
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

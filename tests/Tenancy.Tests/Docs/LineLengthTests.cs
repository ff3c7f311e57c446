using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>The formatter breaks code, but neither comments nor texts.</summary>
public class LineLengthTests
{
    private const int MaxColumns = 140;

    [Fact]
    public void No_line_of_code_has_more_than_140_columns()
    {
        string[] folders = ["src", "tests", "benchmarks", "templates", "examples"];
        var files = folders
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .ToArray();
        var tooLong = files.SelectMany(file =>
            File.ReadLines(file)
                .Select((line, number) => (Text: line, Place: $"{Path.GetRelativePath(Repository.Root, file)}:{number + 1}"))
                .Where(line => line.Text.Length > MaxColumns)
                .Select(line => line.Place)
        );

        Assert.True(files.Length > 400, "The code was not found.");
        Assert.Empty(tooLong);
    }
}

namespace Tenancy.Template.Tests;

/// <summary>
/// A list that is kept in Snapshots/. After a change that is meant, run the tests once with UPDATE_SNAPSHOTS=1 and read the difference.
/// </summary>
internal static class Snapshot
{
    public static async Task MatchAsync(string name, IEnumerable<string> lines)
    {
        var path = Path.Combine(TemplateFixture.Repository, "tests", "Tenancy.Template.Tests", "Snapshots", $"{name}.txt");
        var actual = string.Concat(lines.Select(line => line + "\n"));
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1")
        {
            await File.WriteAllTextAsync(path, actual, TestContext.Current.CancellationToken);
        }

        Assert.True(File.Exists(path), $"There is no {path}: run the tests once with UPDATE_SNAPSHOTS=1.");
        Assert.Equal((await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).ReplaceLineEndings("\n"), actual);
    }
}

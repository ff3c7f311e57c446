using System.Reflection;
using PublicApiGenerator;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests;

/// <summary>
/// What users can see is a decision: a change of it changes a file that is reviewed. UPDATE_SNAPSHOTS=1 writes the files anew.
/// </summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData("Tenancy")]
    [InlineData("Tenancy.Adcp")]
    [InlineData("Tenancy.Embedded")]
    [InlineData("Tenancy.Testing")]
    public async Task The_public_api_is_what_was_decided(string library)
    {
        var api =
            Assembly
                .Load(library)
                .GeneratePublicApi(new() { IncludeAssemblyAttributes = false, DenyNamespacePrefixes = [] })
                .ReplaceLineEndings("\n") + "\n";
        var file = Path.Combine(Repository.Root, "tests", "Tenancy.Tests", "PublicApi", library + ".txt");
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, api, TestContext.Current.CancellationToken);
        }

        Assert.Equal(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), api);
    }
}

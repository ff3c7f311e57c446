namespace Tenancy.Template.Tests;

public sealed class NameTests(TemplateFixture template)
{
    [Theory]
    [InlineData("MySeller", "MySeller")]
    [InlineData("my-seller", "my_seller")]
    [InlineData("Acme.Seller", "Acme.Seller")]
    [InlineData("9lives", "_9lives")]
    [InlineData("Acme.9lives-x", "Acme._9lives_x")]
    [InlineData("Żółć", "Żółć")]
    [InlineData("my seller", "my_seller")]
    [InlineData("class", "_class")]
    [InlineData("Acme.new", "Acme._new")]
    [InlineData("Acme.Tenancy", "Acme.Tenancy")]
    public async Task A_name_becomes_files_and_a_namespace(string name, string expected)
    {
        var scaffold = await template.NewAsync(name);

        Assert.Contains($"using {expected};", scaffold.Read($"src/{name}/Program.cs"), StringComparison.Ordinal);
        Assert.Contains($"namespace {expected}.Handlers;", scaffold.Read($"src/{name}/Handlers/Products.cs"), StringComparison.Ordinal);
        Assert.Contains($"<RootNamespace>{expected}</RootNamespace>", scaffold.Read($"src/{name}/{name}.csproj"), StringComparison.Ordinal);
        Assert.Contains(
            $"\"../../src/{name}/{name}.csproj\"",
            scaffold.Read($"tests/{name}.Tests/{name}.Tests.csproj"),
            StringComparison.Ordinal
        );
        Assert.Contains($"\"src/{name}/{name}.csproj\"", scaffold.Read($"{name}.slnx"), StringComparison.Ordinal);
        Assert.Contains($"\"{name}.dll\"", scaffold.Read("Dockerfile"), StringComparison.Ordinal);
        Assert.Contains($"--project \"src/{name}\"", scaffold.Read("README.md"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Tenancy")]
    [InlineData("tenancy.adcp")]
    [InlineData("Publisher")]
    [InlineData("Products.Acme")]
    [InlineData("Acme&Co")]
    [InlineData("a;b")]
    [InlineData("O'Neil")]
    public async Task A_name_that_cannot_work_is_refused_before_anything_is_written(string name)
    {
        var (exitCode, output, files) = await template.TryNewAsync(name);

        Assert.NotEqual(0, exitCode);
        Assert.Contains("Nothing was created", output, StringComparison.Ordinal);
        Assert.Empty(files);
    }
}

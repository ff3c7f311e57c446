namespace Tenancy.Template.Tests;

/// <summary>dotnet new adcp-handler. What it makes is built and run in PackedLibraryTests.</summary>
public sealed class HandlerTemplateTests(TemplateFixture template)
{
    [Fact]
    public async Task A_handler_has_the_namespace_of_the_project_and_its_tool_the_name_in_snake_case_with_or_without_a_test()
    {
        var scaffold = await template.NewAsync("Acme.9lives-x", ["--store", "redis"]);
        await DotNet.RunAsync(scaffold.Program, "restore");

        foreach (var (name, tool) in new[] { ("GetForecast", "get_forecast"), ("Ping", "ping"), ("ListSSPDeals2", "list_ssp_deals2") })
        {
            var (exitCode, output) = await template.AddHandlerAsync(scaffold.Program, name);
            Assert.True(exitCode == 0, output);
            var handler = scaffold.Read($"src/Acme.9lives-x/Handlers/{name}.cs");
            Assert.Contains("namespace Acme._9lives_x.Handlers;", handler, StringComparison.Ordinal);
            Assert.Contains($"[McpServerTool(Name = \"{tool}\"", handler, StringComparison.Ordinal);
            Assert.Contains($"class {name}Tests(", scaffold.Read($"tests/Acme.9lives-x.Tests/{name}Tests.cs"), StringComparison.Ordinal);
        }

        var before = scaffold.Files();
        var alone = await template.AddHandlerAsync(scaffold.Program, "GetWeather", "--tests", "false");
        Assert.True(alone.ExitCode == 0, alone.Output);
        Assert.Equal(["src/Acme.9lives-x/Handlers/GetWeather.cs"], scaffold.Files().Except(before));
    }

    [Theory]
    [InlineData("get-forecast", "src/Refusing", "such as GetForecast")]
    [InlineData("Get.Forecast", "src/Refusing", "such as GetForecast")]
    [InlineData("GetForecast", "", "src/MySeller")]
    public async Task A_name_or_a_place_that_cannot_be_is_refused_before_anything_is_written(string name, string place, string fix)
    {
        var scaffold = await template.NewAsync("Refusing");
        var before = scaffold.Files();

        var (exitCode, output) = await template.AddHandlerAsync(Path.Combine(scaffold.Directory, place), name);

        Assert.NotEqual(0, exitCode);
        Assert.Contains("Nothing was created", output, StringComparison.Ordinal);
        Assert.Contains(fix, output, StringComparison.Ordinal);
        Assert.Equal(before, scaffold.Files());
    }
}

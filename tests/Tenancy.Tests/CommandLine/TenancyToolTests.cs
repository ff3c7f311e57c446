using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Tenancy.CommandLine;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.CommandLine;

/// <summary>The command line shows and changes tenants of a real server, and what people keep in files is what runs.</summary>
[Tier(Tier.Server)]
public sealed class TenancyToolTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tenancy-tool-").FullName;
    private TenancyServer _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TenancyServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Tenants_are_listed_shown_rechecked_suspended_and_resumed()
    {
        var (code, listed) = await RunAsync("list", "--platform", "publisher");
        Assert.Equal(0, code);
        Assert.Matches(@"acme\s+active\s+healthy\s+publisher", listed);
        Assert.DoesNotContain("globex", listed, StringComparison.Ordinal);
        Assert.DoesNotContain("acme", (await RunAsync("list", "--text", "GLOB")).Output, StringComparison.Ordinal);

        Assert.Equal("acme-banner", (string)JsonNode.Parse((await RunAsync("show", "acme")).Output)!["settings"]!["product"]!);
        Assert.Equal((0, "acme is healthy\n"), await RunAsync("recheck", "acme"));
        Assert.Equal((0, "acme is suspended\n"), await RunAsync("suspend", "acme"));
        Assert.Contains("suspended", (await RunAsync("list", "--status", "suspended")).Output, StringComparison.Ordinal);
        Assert.Equal((0, "acme is active\n"), await RunAsync("resume", "acme"));
    }

    [Fact]
    public async Task A_token_is_explained_that_comes_by_the_input_and_is_said_nowhere()
    {
        var (code, output) = await ExplainAsync(McpCalls.Acme + "\n");
        Assert.Equal(0, code);
        Assert.StartsWith("accepted: ", output, StringComparison.Ordinal);
        Assert.Contains("caller: principal:", output, StringComparison.Ordinal);

        // Another tenant's.
        (code, output) = await ExplainAsync(McpCalls.Globex);
        Assert.Equal(TenancyTool.Failed, code);
        Assert.StartsWith("refused (principal): ", output, StringComparison.Ordinal);
        Assert.DoesNotContain(McpCalls.Globex, output, StringComparison.Ordinal);

        (code, output) = await ExplainAsync(" ");
        Assert.Equal(TenancyTool.Failed, code);
        Assert.Contains("tenancy explain-token acme < token.txt", output, StringComparison.Ordinal);

        Task<(int Code, string Output)> ExplainAsync(string input) =>
            ToolRun.RunAsync(["explain-token", "acme"], name => name == "TENANCY_ADMIN_KEY" ? TenancyServer.AdminKey : Url, input);
    }

    [Fact]
    public async Task What_is_exported_differs_in_nothing_and_holds_nothing_that_the_server_found_out()
    {
        Assert.Equal(0, (await RunAsync("export", _folder)).Code);
        Assert.Equal(["acme.json", "globex.json"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var acme = JsonNode.Parse(await File.ReadAllTextAsync(FileOf("acme"), Token))!.AsObject();
        Assert.Empty(acme.Select(member => member.Key).Intersect(["version", "health", "createdAt", "principals", "lastCheckedAt"]));
        Assert.Equal((0, "Nothing differs.\n"), await RunAsync("apply", _folder));
    }

    [Fact]
    public async Task The_difference_is_shown_first_and_only_then_applied_tenant_by_tenant()
    {
        await RunAsync("export", _folder);
        await EditAsync("acme", tenant => tenant["settings"]!["product"] = "poster");
        await EditAsync("globex", tenant => tenant["settings"] = new JsonObject { ["fail"] = "the file is missing" });
        await File.WriteAllTextAsync(FileOf("initech"), """{ "id": "initech", "name": "Initech" }""", Token);

        var (code, shown) = await RunAsync("apply", _folder, "--dry-run");
        Assert.Equal(TenancyTool.Differs, code);
        Assert.Contains("acme: settings.product \"acme-banner\" -> \"poster\"", shown, StringComparison.Ordinal);
        Assert.Contains("globex: settings.product \"globex-shelf\" -> nothing", shown, StringComparison.Ordinal);
        Assert.Contains("initech: new", shown, StringComparison.Ordinal);
        Assert.Equal("acme-banner", await ProductAsync());

        // Where nobody can be asked nothing is changed unless that is said.
        (code, shown) = await RunAsync("apply", _folder);
        Assert.Equal(1, code);
        Assert.Contains("--yes", shown, StringComparison.Ordinal);
        Assert.Equal("acme-banner", await ProductAsync());

        (code, shown) = await RunAsync("apply", _folder, "--yes");
        Assert.Equal(1, code);
        Assert.Contains("globex is not changed: 422", shown, StringComparison.Ordinal);
        Assert.Contains("the file is missing", shown, StringComparison.Ordinal);
        Assert.EndsWith("2 of 3 done; not: globex\n", shown, StringComparison.Ordinal);
        Assert.Equal("poster", await ProductAsync());
        Assert.Equal("globex-shelf", (string)JsonNode.Parse((await RunAsync("show", "globex")).Output)!["settings"]!["product"]!);
        Assert.Equal("Initech", (string)JsonNode.Parse((await RunAsync("show", "initech")).Output)!["name"]!);

        // A field that a file leaves out is the server's to fill in.
        await RunAsync("export", _folder);
        await File.WriteAllTextAsync(FileOf("initech"), """{ "id": "initech", "name": "Initech" }""", Token);
        Assert.Equal((0, "Nothing differs.\n"), await RunAsync("apply", _folder));
    }

    [Fact]
    public async Task Another_spelling_of_a_url_is_no_difference_and_a_file_of_no_tenant_is_named()
    {
        await RunAsync("export", _folder);
        await EditAsync("acme", tenant => tenant["urls"] = new JsonArray("https://ACME.example.com:443/"));
        Assert.Equal((0, "Nothing differs.\n"), await RunAsync("apply", _folder));

        await File.WriteAllTextAsync(FileOf("gone"), """{ "id": "gone" }""", Token);
        var (code, shown) = await RunAsync("export", _folder);
        Assert.Equal(TenancyTool.Failed, code);
        Assert.Contains("gone.json is of no tenant", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(404)]
    public async Task An_answer_that_is_not_the_admin_apis_is_said_to_be_none(int status)
    {
        await using var proxy = await StubServer.StartAsync(context =>
        {
            (context.Response.StatusCode, context.Response.ContentType) = (status, "text/html");
            return context.Response.WriteAsync("<html>Nothing here</html>");
        });
        await RunAsync("export", _folder);
        foreach (var command in new string[][] { ["list"], ["show", "acme"], ["apply", _folder, "--dry-run"] })
        {
            var writer = new StringWriter();
            Assert.Equal(1, await ToolRun.New(writer, _ => "key").RunAsync([.. command, "--server", proxy.Url]));
            Assert.Contains($"{status}: the answer is none of the admin API's", writer.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_named_and_a_list_has_a_line_for_each_tenant()
    {
        Directory.CreateDirectory(FileOf("acme"));
        var (code, shown) = await RunAsync("export", _folder);
        Assert.Equal(1, code);
        Assert.Contains("acme.json", shown, StringComparison.Ordinal);

        await _server.AdminAsync(HttpMethod.Patch, "/acme?force=true", new { settings = new { fail = new string('x', 300) } });
        Assert.Equal(3, (await RunAsync("list")).Output.TrimEnd('\n').Split('\n').Length);
    }

    [Theory]
    [InlineData("acme.json", """{ "id": "globex" }""", "\"id\" has to be the name of the file")]
    [InlineData("acme.json", """{ "id": "acme", "health": "healthy" }""", "\"health\", which is not for a file")]
    [InlineData("acme.json", """{ "id": "acme", "id": "acme" }""", "is no JSON")]
    [InlineData("acme.json", "[]", "is not of the tenant 'acme'")]
    public async Task A_file_that_is_broken_stops_all_of_it_and_is_named(string name, string text, string said)
    {
        await File.WriteAllTextAsync(FileOf("another"), """{ "id": "another" }""", Token);
        await File.WriteAllTextAsync(Path.Combine(_folder, name), text, Token);
        var (code, output) = await RunAsync("apply", _folder, "--yes");
        Assert.Equal(1, code);
        Assert.Contains(said, output, StringComparison.Ordinal);
        Assert.Contains(name, output, StringComparison.Ordinal);
        Assert.Contains("There is no tenant 'another'", (await RunAsync("show", "another")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_missing_is_said_with_the_fix_and_no_key_is_ever_shown()
    {
        var writer = new StringWriter();
        Assert.Equal(1, await ToolRun.New(writer, _ => null).RunAsync(["list"]));
        Assert.Contains("--server", writer.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, await ToolRun.New(writer, _ => null).RunAsync(["list", "--server", Url]));
        Assert.Contains("TENANCY_ADMIN_KEY", writer.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, await ToolRun.New(writer, name => name == "TENANCY_ADMIN_KEY" ? "no-key-of-this-server" : Url).RunAsync(["list"]));
        Assert.Contains("401", writer.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("no-key-of-this-server", writer.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, await ToolRun.New(writer, _ => "x").RunAsync(["list", "--server", "http://127.0.0.1:1"]));
        Assert.Contains("does not answer", writer.ToString(), StringComparison.Ordinal);
    }

    private string Url => $"http://127.0.0.1:{_server.Port}";

    private string FileOf(string id) => Path.Combine(_folder, id + ".json");

    private async Task EditAsync(string id, Action<JsonNode> edit)
    {
        var tenant = JsonNode.Parse(await File.ReadAllTextAsync(FileOf(id), Token))!;
        edit(tenant);
        await File.WriteAllTextAsync(FileOf(id), tenant.ToJsonString(), Token);
    }

    private async Task<string> ProductAsync() =>
        (string)(await _server.CallAsync("acme", McpCalls.Acme, "get_products"))["structuredContent"]!["products"]![0]!["product_id"]!;

    private Task<(int Code, string Output)> RunAsync(params string[] arguments) =>
        ToolRun.RunAsync(arguments, name => name == "TENANCY_ADMIN_KEY" ? TenancyServer.AdminKey : Url);
}

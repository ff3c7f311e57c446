using System.Text.Json.Nodes;

namespace Tenancy.Template.Tests;

public sealed class OptionTests(TemplateFixture template)
{
    [Fact]
    public void Without_options_tenants_ask_for_bearer_tokens_and_are_named_by_path_host_or_header()
    {
        var settings = Settings(template.Embedded, "appsettings.json");
        Assert.Equal("bearer", (string?)settings["Tenancy"]!["Defaults"]!["Authentication"]!["Kind"]);
        Assert.Equal("path,host,header", (string?)settings["Tenancy"]!["Identification"]);
        Assert.Null(Settings(template.Embedded, "appsettings.Development.json")["ConnectionStrings"]);
        Assert.Contains("AddEmbeddedStore", template.Embedded.Read($"src/{Scaffold.EmbeddedName}/Program.cs"), StringComparison.Ordinal);
        Assert.InRange(Port(template.Embedded), 5100, 5299);
    }

    [Fact]
    public void Auth_none_is_the_default_of_new_tenants_and_leaves_tokens_out()
    {
        Assert.Equal("none", (string?)Settings(template.Open, "appsettings.json")["Tenancy"]!["Defaults"]!["Authentication"]!["Kind"]);
        Assert.All(template.Open.OwnFiles(), file =>
            Assert.DoesNotContain("dev-buyer", template.Open.Read(file), StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Auth_jwks_is_the_default_of_new_tenants_and_the_two_seeds_keep_their_tokens()
    {
        Assert.Equal("jwks", (string?)Settings(template.Redis, "appsettings.json")["Tenancy"]!["Defaults"]!["Authentication"]!["Kind"]);
        var seeds = Settings(template.Redis, "appsettings.Development.json")["Tenancy"]!["Tenants"]!.AsArray();
        Assert.Equal(["acme.dev-buyer", "globex.dev-buyer"], seeds.Select(seed => (string?)seed!["principals"]![0]!["token"]));
        Assert.All(seeds, seed => Assert.Equal("bearer", (string?)seed!["authentication"]!["kind"]));
        Assert.Contains("\"kind\": \"jwks\", \"issuer\"", template.Redis.Read("README.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_auth_jwks_nothing_speaks_of_identity_providers() =>
        Assert.All(new[] { template.Embedded, template.Open }, scaffold =>
            Assert.All(scaffold.OwnFiles(), file => Assert.DoesNotContain("jwks", scaffold.Read(file), StringComparison.Ordinal))
        );

    [Fact]
    public void Store_redis_leaves_the_embedded_store_and_its_packages_out()
    {
        Assert.Equal("localhost:6379", (string?)Settings(template.Redis, "appsettings.Development.json")["ConnectionStrings"]!["Redis"]);
        string[] absent = ["Embedded", "Garnet", "NU1603"];
        Assert.All(template.Redis.OwnFiles(), file =>
            Assert.All(absent, word => Assert.DoesNotContain(word, template.Redis.Read(file), StringComparison.Ordinal))
        );
    }

    [Theory]
    [InlineData("path", "path")]
    [InlineData("host", "host")]
    [InlineData("host,header", "host", "header")]
    [InlineData("token", "token")]
    [InlineData("path,token", "path", "token")]
    public async Task Identification_is_what_was_asked_for(string expected, params string[] ways)
    {
        var scaffold = await template.NewAsync("Ways", ["--identification", .. ways]);
        Assert.Equal(expected, (string?)Settings(scaffold, "appsettings.json")["Tenancy"]!["Identification"]);
    }

    [Fact]
    public void Tests_false_leaves_every_trace_of_tests_out()
    {
        string[] absent = ["xunit", "Mvc.Testing", "Tenancy.Testing", "dotnet test"];
        Assert.All(template.Open.OwnFiles(), file =>
            Assert.All(absent, word => Assert.DoesNotContain(word, template.Open.Read(file), StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task Http_port_is_the_port_everywhere()
    {
        var scaffold = await template.NewAsync("Port", ["--http-port", "5987"]);
        Assert.Equal(5987, Port(scaffold));
        Assert.Contains("http://localhost:5987/acme/mcp", scaffold.Read("README.md"), StringComparison.Ordinal);
        Assert.Equal("http://localhost:5987", (string?)Settings(scaffold, "appsettings.Development.json")["Tenancy"]!["PublicUrl"]);
        Assert.Contains("@server = http://localhost:5987", scaffold.Read("Port.http"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("65535")]
    public async Task Https_has_a_profile_and_a_port_of_its_own(string port)
    {
        var scaffold = await template.NewAsync("Ports", ["--https-port", port, "--http-port", "80"]);
        var profiles = JsonNode.Parse(scaffold.Read("src/Ports/Properties/launchSettings.json"))!["profiles"]!;
        Assert.Equal($"https://localhost:{port};http://localhost:80", (string?)profiles["https"]!["applicationUrl"]);
        Assert.Equal("http://localhost:80", (string?)profiles["http"]!["applicationUrl"]);
    }

    [Fact]
    public void The_command_line_and_editors_offer_every_option()
    {
        static IEnumerable<string> Names(string file, Func<JsonNode, IEnumerable<string>> names) =>
            names(JsonNode.Parse(File.ReadAllText(Config(file)))!).Order(StringComparer.Ordinal);
        var options = Names("template.json", file =>
            file["symbols"]!.AsObject().Where(symbol => (string?)symbol.Value!["type"] == "parameter").Select(symbol => symbol.Key)
        );

        Assert.Equal(options, Names("dotnetcli.host.json", file => file["symbolInfo"]!.AsObject().Select(symbol => symbol.Key)));

        // An editor restores in its own way, and has the version of the template that it shows.
        Assert.Equal(
            options.Except(["skipRestore", "libraryVersion"]),
            Names("ide.host.json", file => file["symbolInfo"]!.AsArray().Select(symbol => (string)symbol!["id"]!))
        );
    }

    [Fact]
    public void The_readme_lists_every_option_with_its_choices_and_its_default()
    {
        var names = JsonNode.Parse(File.ReadAllText(Config("dotnetcli.host.json")))!["symbolInfo"]!.AsObject();
        var symbols = JsonNode.Parse(File.ReadAllText(Config("template.json")))!["symbols"]!;
        var rows = File.ReadAllLines(Path.Combine(TemplateFixture.Repository, "README.md"))
            .Where(line => line.StartsWith("| `--", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))
            .ToDictionary(cells => cells[0].Trim('`'), cells => (Says: cells[1], Default: cells[2]));

        Assert.Equal(
            names.Select(name => $"--{name.Value!["longName"]}").Order(StringComparer.Ordinal),
            rows.Keys.Order(StringComparer.Ordinal)
        );
        foreach (var (symbol, name) in names)
        {
            var row = rows[$"--{name!["longName"]}"];
            var choices = symbols[symbol]!["choices"]?.AsArray().Select(choice => $"`{choice!["choice"]}`").ToArray() ?? [];
            Assert.All(choices, choice => Assert.Contains(choice, row.Says, StringComparison.Ordinal));
            if (choices.Length > 0)
            {
                Assert.Equal($"`{((string)symbols[symbol]!["defaultValue"]!).Replace('|', ' ')}`", row.Default);
            }
        }
    }

    [Theory]
    [InlineData("--auth", "password")]
    [InlineData("--store", "sqlite")]
    [InlineData("--identification", "cookie")]
    [InlineData("--auth", "none", "--identification", "token")]
    [InlineData("--http-port", "0")]
    [InlineData("--http-port", "65536")]
    [InlineData("--http-port", "-1")]
    [InlineData("--https-port", "99999")]
    [InlineData("--library", "submodule")]
    [InlineData("--library-source", "../packages")]
    public async Task Options_that_cannot_work_are_refused_before_anything_is_written(params string[] options)
    {
        var (exitCode, _, files) = await template.TryNewAsync("Refused", options);
        Assert.NotEqual(0, exitCode);
        Assert.Empty(files);
    }

    [Fact]
    public async Task Every_text_is_translated_and_help_shows_the_translation()
    {
        var texts = JsonNode.Parse(await File.ReadAllTextAsync(Config("template.json"), TestContext.Current.CancellationToken))!;
        foreach (var file in Directory.GetFiles(Config("localize"), "*.json"))
        {
            var translation = JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!.AsObject();
            Assert.Equal(Keys(texts).Order(StringComparer.Ordinal), translation.Select(text => text.Key).Order(StringComparer.Ordinal));
        }

        var (exitCode, help) = await template.HelpAsync("de");
        Assert.Equal(0, exitCode);
        Assert.Contains("Mandantenfähiger AdCP-MCP-Server", help, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Keys(JsonNode template)
    {
        foreach (var key in Texts(template, "", "author", "name", "description"))
        {
            yield return key;
        }

        foreach (var (name, symbol) in template["symbols"]!.AsObject())
        {
            foreach (var key in Texts(symbol!, $"symbols/{name}/", "displayName", "description"))
            {
                yield return key;
            }

            foreach (var choice in symbol!["choices"]?.AsArray() ?? [])
            {
                foreach (var key in Texts(choice!, $"symbols/{name}/choices/{choice!["choice"]}/", "displayName", "description"))
                {
                    yield return key;
                }
            }
        }

        foreach (var action in template["postActions"]!.AsArray())
        {
            yield return $"postActions/{action!["id"]}/description";
            if (action["manualInstructions"]!.AsArray().Count > 0)
            {
                yield return $"postActions/{action["id"]}/manualInstructions/default/text";
            }
        }
    }

    private static IEnumerable<string> Texts(JsonNode node, string prefix, params string[] names) =>
        names.Where(name => node[name] is not null).Select(name => prefix + name);

    private static string Config(string name) => Path.Combine(TemplateFixture.Repository, ".template.config", name);

    private static JsonNode Settings(Scaffold scaffold, string file) => JsonNode.Parse(scaffold.Read($"src/{scaffold.Name}/{file}"))!;

    private static int Port(Scaffold scaffold) =>
        new Uri(
            (string)
                JsonNode.Parse(scaffold.Read($"src/{scaffold.Name}/Properties/launchSettings.json"))!["profiles"]!["http"]![
                    "applicationUrl"
                ]!
        ).Port;
}

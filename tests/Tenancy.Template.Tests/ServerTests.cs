using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Tenancy.Tests.Docs;
using Tenancy.Tests.Hosting;

namespace Tenancy.Template.Tests;

public sealed partial class ServerTests(TemplateFixture template) : IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await template.BuiltAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task The_tests_of_an_embedded_scaffold_pass()
    {
        var (exitCode, output) = await DotNet.TryAsync(template.Embedded.Directory, [template.Embedded.Tests], Temporary);
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task The_tests_of_a_redis_scaffold_pass()
    {
        await using var redis = await RedisServer.StartAsync();
        var (exitCode, output) = await DotNet.TryAsync(
            template.Redis.Directory,
            [template.Redis.Tests],
            Address(redis),
            ("TENANCY_REQUIRE_REDIS", "1")
        );
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task The_tests_of_a_redis_scaffold_are_skipped_where_no_redis_answers_and_fail_where_one_must()
    {
        var nowhere = ("ConnectionStrings__Redis", "127.0.0.1:1");
        var (_, skipped) = await DotNet.TryAsync(template.Redis.Directory, [template.Redis.Tests], nowhere, ("TENANCY_REQUIRE_REDIS", "0"));
        Assert.Contains("No Redis answers at ConnectionStrings:Redis (127.0.0.1:1)", skipped, StringComparison.Ordinal);
        Assert.Contains("Failed: 0", skipped, StringComparison.Ordinal);

        var (exitCode, failed) = await DotNet.TryAsync(
            template.Redis.Directory,
            [template.Redis.Tests],
            nowhere,
            ("TENANCY_REQUIRE_REDIS", "1")
        );
        Assert.NotEqual(0, exitCode);
        Assert.Contains("No Redis answers at ConnectionStrings:Redis (127.0.0.1:1)", failed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_embedded_scaffold_serves_two_tenants_apart()
    {
        await using var server = await RunningServer.StartAsync(template.Embedded, template.Root);
        await ServesTwoTenantsApartAsync(server);
    }

    [Fact]
    public async Task A_scaffold_reports_the_version_of_the_library()
    {
        await using var server = await RunningServer.StartAsync(template.Embedded, template.Root);
        var initialize = new
        {
            jsonrpc = "2.0",
            id = 1,
            method = "initialize",
            @params = new
            {
                protocolVersion = "2025-11-25",
                capabilities = new { },
                clientInfo = new { name = "test", version = "1" },
            },
        };
        using var response = await server.SendAsync("acme", "", new { }, "acme.dev-buyer", request =>
        {
            request.Headers.Add("Accept", "text/event-stream");
            request.Content = JsonContent.Create(initialize);
        });
        var answer = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var props = XDocument.Load(Path.Combine(template.Embedded.Directory, "src", "Tenancy", "Tenancy.Version.props"));
        Assert.Contains($"\"version\":\"{props.Descendants("VersionPrefix").Single().Value}\"", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("acme")]
    [InlineData("globex")]
    public async Task Every_schema_that_a_scaffold_lists_is_one_that_every_client_takes_and_strangers_see_the_open_tools(string tenant)
    {
        await using var server = await RunningServer.StartAsync(template.Embedded, template.Root);
        foreach (var token in new[] { $"{tenant}.dev-buyer", null })
        {
            using var response = await server.SendAsync(tenant, "", new { }, token, request => request.Content = JsonContent.Create(
                    new
                    {
                        jsonrpc = "2.0",
                        id = 1,
                        method = "tools/list",
                    }
                ));
            var result = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["result"]!;
            var mistakes = ListedSchemas.MistakesOfTools(result);
            Assert.True(!mistakes.Any(), string.Join('\n', mistakes));
            var names = result["tools"]!.AsArray().Select(tool => tool!["name"]!.ToString()).ToArray();
            Assert.True(token is null ? names.Length == 3 : names.Length > 8, string.Join(' ', names));
            Assert.Contains("get_products", names);
        }
    }

    [Fact]
    public async Task A_redis_scaffold_serves_two_tenants_apart()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await RunningServer.StartAsync(template.Redis, template.Root, Address(redis));
        await ServesTwoTenantsApartAsync(server);
    }

    [Fact]
    public async Task With_auth_none_nobody_shows_a_token_tenants_stay_apart_and_the_readmes_tool_works()
    {
        await using var server = await RunningServer.StartAsync(template.Open, template.Root);
        static Action<HttpRequestMessage> AtHost(string tenant) => request => request.RequestUri = new($"http://{tenant}.localhost/mcp");

        await server.CallAsync("acme", "sync_accounts", Accounts(), token: null, AtHost("acme"));
        var made = await server.CallAsync("acme", "create_media_buy", Buy("homepage_display", "cpm_usd"), token: null, AtHost("acme"));
        var atAcme = await server.CallAsync(
            "acme",
            "get_media_buys",
            new { status_filter = "pending_creatives" },
            token: null,
            AtHost("acme")
        );
        var atGlobex = await server.CallAsync(
            "globex",
            "get_media_buys",
            new { status_filter = "pending_creatives" },
            token: null,
            AtHost("globex")
        );

        Assert.Equal((string?)made["media_buy_id"], (string?)Assert.Single(atAcme["media_buys"]!.AsArray())!["media_buy_id"]);
        Assert.Empty(atGlobex["media_buys"]!.AsArray());

        // A tool of one's own took one file.
        Assert.Contains("4.50 USD", await TellFloorAsync("acme"), StringComparison.Ordinal);
        Assert.Contains("0.80 USD", await TellFloorAsync("globex"), StringComparison.Ordinal);

        // Path was not asked for, so that a path names nobody.
        using var byPath = await server.SendAsync("acme", "get_media_buys", new { }, token: null);
        Assert.False(byPath.IsSuccessStatusCode);

        async Task<string> TellFloorAsync(string tenant)
        {
            using var response = await server.SendAsync(tenant, "get_floor_price", new { }, token: null, AtHost(tenant));
            return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task With_auth_jwks_a_new_tenant_must_name_its_issuer_and_is_told_how()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await RunningServer.StartAsync(template.Redis, template.Root, Address(redis));

        using var refused = await RegisterAsync(server, new { id = "initech", platform = "publisher" });
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        var problem = await refused.Content.ReadFromJsonAsync<JsonObject>(TestContext.Current.CancellationToken);
        var mistake = (string?)Assert.Single(problem!["errors"]!["authentication.issuer"]!.AsArray());
        Assert.Contains("Tenancy:Defaults", mistake, StringComparison.Ordinal);
        Assert.Contains("\"issuer\": \"https://", mistake, StringComparison.Ordinal);

        // The fix, with an issuer that nobody can reach: the tenant waits for it.
        using var made = await RegisterAsync(
            server,
            new
            {
                id = "initech",
                platform = "publisher",
                authentication = new { kind = "jwks", issuer = "https://auth.initech.example" },
            }
        );
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.Equal(
            "pending",
            (string?)(await made.Content.ReadFromJsonAsync<JsonObject>(TestContext.Current.CancellationToken))!["health"]
        );
    }

    [Theory]
    [InlineData(Scaffold.EmbeddedName)]
    [InlineData(Scaffold.RedisName)]
    [InlineData(Scaffold.OpenName)]
    public async Task Every_request_of_the_http_file_works_as_it_stands(string name)
    {
        await using var redis = name == Scaffold.RedisName ? await RedisServer.StartAsync() : null;
        var scaffold = new[] { template.Embedded, template.Redis, template.Open }.Single(scaffold => scaffold.Name == name);
        await using var server = await RunningServer.StartAsync(scaffold, template.Root, redis is null ? [] : [Address(redis)]);

        var (answers, sent) = (new Dictionary<string, JsonNode>(), 0);
        foreach (var (title, called, request) in HttpFile.Read(scaffold.Read($"{name}.http"), answers))
        {
            sent++;
            using var response = await server.Client.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                TestContext.Current.CancellationToken
            );
            if (request.RequestUri!.AbsolutePath == "/admin/events")
            {
                // It has no end.
                Assert.True(response.IsSuccessStatusCode, $"{title}: {response.StatusCode}");
                continue;
            }

            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode, $"{title}: {response.StatusCode} {body}");
            Assert.DoesNotContain("\"error\"", body, StringComparison.Ordinal);
            Assert.DoesNotContain("\"isError\":true", body, StringComparison.Ordinal);
            if (called is not null)
            {
                answers[called] = JsonNode.Parse(body)!;
            }
        }

        Assert.True(sent > 30, $"{sent} requests");
    }

    [Theory]
    [InlineData(Scaffold.EmbeddedName)]
    [InlineData(Scaffold.OpenName)]
    public async Task An_editor_that_reads_vscode_mcp_json_sees_the_tools_of_both_tenants(string name)
    {
        var scaffold = name == Scaffold.OpenName ? template.Open : template.Embedded;
        await using var server = await RunningServer.StartAsync(scaffold, template.Root);
        var servers = JsonNode.Parse(scaffold.Read(".vscode/mcp.json"))!["servers"]!.AsObject();

        Assert.Equal(["acme", "globex"], servers.Select(known => known.Key));
        foreach (var (tenant, known) in servers)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, (string)known!["url"]!)
            {
                Content = JsonContent.Create(
                    new
                    {
                        jsonrpc = "2.0",
                        id = 1,
                        method = "tools/list",
                    }
                ),
            };
            request.Headers.Add("Accept", "application/json");
            foreach (var (header, value) in known["headers"]?.AsObject() ?? [])
            {
                request.Headers.Add(header, (string?)value);
            }

            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            var answer = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Contains("create_media_buy", answer, StringComparison.Ordinal);

            // One has shelves, and the other has not.
            Assert.Equal(tenant == "globex", answer.Contains("list_shelves", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_endpoint_of_a_collector_alone_turns_telemetry_on()
    {
        using var collector = new Collector();
        await using var server = await RunningServer.StartAsync(
            template.Embedded,
            template.Root,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Url),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "300"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
            ("OTEL_BLRP_SCHEDULE_DELAY", "100")
        );
        await server.CallAsync("acme", "get_products", new { }, "acme.dev-buyer");
        await collector.UntilAsync("/v1/traces", "/v1/metrics", "/v1/logs");
    }

    [Theory]
    [InlineData(Scaffold.EmbeddedName)]
    [InlineData(Scaffold.RedisName)]
    [InlineData(Scaffold.OpenName)]
    public async Task Every_call_of_the_readme_does_what_it_says(string name)
    {
        await using var redis = name == Scaffold.RedisName ? await RedisServer.StartAsync() : null;
        var scaffold = new[] { template.Embedded, template.Redis, template.Open }.Single(scaffold => scaffold.Name == name);
        await using var server = await RunningServer.StartAsync(scaffold, template.Root, redis is null ? [] : [Address(redis)]);
        await using var shell = new Shell();

        var calls = scaffold
            .Read("README.md")
            .Split("```sh\n")
            .Skip(1)
            .Select(block => block.Split("```")[0])
            .Where(block => block.StartsWith("curl ", StringComparison.Ordinal))
            .ToArray();
        Assert.Equal(name == Scaffold.RedisName ? 4 : 3, calls.Length);
        foreach (var call in calls)
        {
            // An identity provider that is not there: the page says that the change is refused.
            var isRefused = call.Contains("PATCH", StringComparison.Ordinal);
            var script = PortOfReadme().Replace(call, $"localhost:{server.Port}/");
            await shell.RunAsync(isRefused ? $"! {script}" : script, TestContext.Current.CancellationToken);
        }
    }

    // Each scaffold has a port of its own, where none was chosen.
    [GeneratedRegex(@"localhost:\d+/")]
    private static partial Regex PortOfReadme();

    private static async Task<HttpResponseMessage> RegisterAsync(RunningServer server, object tenant)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/admin/tenants")
        {
            Content = JsonContent.Create(tenant),
        };
        request.Headers.Add("X-Admin-API-Key", "dev-admin-key");
        return await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private (string Name, string Value) Temporary => ("TMPDIR", template.Root);

    internal static async Task ServesTwoTenantsApartAsync(RunningServer server, HttpStatusCode foreignToken = HttpStatusCode.Unauthorized)
    {
        var acme = await server.CallAsync("acme", "get_products", new { brief = "News readers" }, "acme.dev-buyer");
        var globex = await server.CallAsync("globex", "get_products", new { brief = "Shoppers" }, "globex.dev-buyer");
        Assert.Equal("homepage_display", (string?)acme["products"]![0]!["product_id"]);
        Assert.Equal("sponsored_products", (string?)globex["products"]![0]!["product_id"]);

        await server.CallAsync("acme", "sync_accounts", Accounts(), "acme.dev-buyer");
        var made = await server.CallAsync("acme", "create_media_buy", Buy("homepage_display", "cpm_usd"), "acme.dev-buyer");
        var ids = new { media_buy_ids = new[] { (string?)made["media_buy_id"] } };
        Assert.Single((await server.CallAsync("acme", "get_media_buys", ids, "acme.dev-buyer"))["media_buys"]!.AsArray());
        Assert.Empty((await server.CallAsync("globex", "get_media_buys", ids, "globex.dev-buyer"))["media_buys"]!.AsArray());

        using var foreign = await server.SendAsync("globex", "get_media_buys", ids, "acme.dev-buyer");
        Assert.Equal(foreignToken, foreign.StatusCode);
    }

    private static object Accounts() =>
        new
        {
            idempotency_key = Guid.NewGuid().ToString(),
            accounts = new[]
            {
                new
                {
                    brand = new { domain = "brand.example" },
                    @operator = "agency.example",
                    billing = "operator",
                },
            },
        };

    private static object Buy(string product, string price) =>
        new
        {
            idempotency_key = Guid.NewGuid().ToString(),
            account = new { brand = new { domain = "brand.example" }, @operator = "agency.example" },
            brand = new { domain = "brand.example" },
            start_time = "asap",
            end_time = "2099-12-31T00:00:00Z",
            packages = new[]
            {
                new
                {
                    product_id = product,
                    pricing_option_id = price,
                    budget = 5000,
                },
            },
        };

    private static (string Name, string Value) Address(RedisServer redis) => ("ConnectionStrings__Redis", redis.ConnectionString);
}

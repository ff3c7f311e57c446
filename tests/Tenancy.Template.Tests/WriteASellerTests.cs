using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;

namespace Tenancy.Template.Tests;

/// <summary>Does what docs/write-a-seller.md says, step by step, and buys from what comes of it.</summary>
public sealed partial class WriteASellerTests(TemplateFixture template) : IAsyncLifetime
{
    private const string Page = "docs/write-a-seller.md";

    public async ValueTask InitializeAsync() => await template.BuiltAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task The_page_leads_to_a_seller_that_sells_what_its_file_says()
    {
        await using var server = await RunningServer.StartAsync(template.FileSeller, template.Root);

        var products = await server.CallAsync("acme", "get_products", new { buying_mode = "wholesale" }, "acme.dev-buyer");
        await server.CallAsync("acme", "sync_accounts", Account, "acme.dev-buyer");
        using var response = await server.SendAsync("acme", "create_media_buy", Buy(499), "acme.dev-buyer");
        var refusal = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["result"]!;
        var made = await server.CallAsync("acme", "create_media_buy", Buy(500), "acme.dev-buyer");

        Assert.Equal("morning_show", (string?)Assert.Single(products["products"]!.AsArray())!["product_id"]);
        var error = refusal["structuredContent"]!["adcp_error"]!;
        Assert.Equal(("BUDGET_TOO_LOW", "packages[0].budget"), ((string?)error["code"], (string?)error["field"]));
        Assert.Equal((500m, "EUR"), ((decimal?)error["details"]!["minimum_budget"], (string?)error["details"]!["currency"]));
        Assert.Equal(500, (decimal?)made["packages"]![0]!["budget"]);

        static object Buy(decimal budget) =>
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
                        product_id = "morning_show",
                        pricing_option_id = "cpm_eur",
                        budget,
                    },
                },
            };
    }

    [Fact]
    public async Task A_seller_of_the_page_agrees_to_its_own_terms_of_payment_only()
    {
        await using var server = await RunningServer.StartAsync(template.FileSeller, template.Root);

        var answer = await server.CallAsync("acme", "sync_accounts", Terms("net_60"), "acme.dev-buyer");
        var agreed = await server.CallAsync("acme", "sync_accounts", Terms("net_30"), "acme.dev-buyer");

        var refused = answer["accounts"]![0]!;
        Assert.Equal(
            ("failed", "PAYMENT_TERMS_NOT_SUPPORTED", "accounts[0].payment_terms"),
            ((string?)refused["action"], (string?)refused["errors"]![0]!["code"], (string?)refused["errors"]![0]!["field"])
        );
        Assert.Equal(
            ("created", "net_30"),
            ((string?)agreed["accounts"]![0]!["action"], (string?)agreed["accounts"]![0]!["payment_terms"])
        );
    }

    [Fact]
    public async Task The_page_leads_to_a_seller_that_sells_what_its_database_says()
    {
        await MakeDatabaseAsync(Path.Combine(template.Seller.Program, "inventory.db"));
        await using var server = await RunningServer.StartAsync(template.Seller, template.Root);

        var products = await server.CallAsync("acme", "get_products", new { buying_mode = "wholesale" }, "acme.dev-buyer");

        var product = Assert.Single(products["products"]!.AsArray())!;
        Assert.Equal("evening_show", (string?)product["product_id"]);
        Assert.Equal((7m, 300m), Amounts(product["pricing_options"]![0]!));

        static (decimal?, decimal?) Amounts(JsonNode price) => ((decimal?)price["fixed_price"], (decimal?)price["min_spend_per_package"]);
    }

    private static object Account => Terms(null);

    private static object Terms(string? terms) =>
        new
        {
            idempotency_key = Guid.NewGuid().ToString(),
            accounts = new[]
            {
                new
                {
                    brand = new { domain = "brand.example" },
                    @operator = terms is null ? "agency.example" : "terms.example",
                    billing = "operator",
                    payment_terms = terms,
                },
            },
        };

    /// <summary>Does the steps of the page, in a scaffold that is not built yet.</summary>
    /// <param name="scaffold">The scaffold.</param>
    /// <param name="withDatabase">Whether to do those that bring in a database, too, which come last.</param>
    internal static void Follow(Scaffold scaffold, bool withDatabase = true)
    {
        var page = scaffold.Read(Page).ReplaceLineEndings("\n");
        var steps = Step().Matches(withDatabase ? page : page[..page.IndexOf("\n## 4. ", StringComparison.Ordinal)]);
        Assert.Equal(withDatabase ? 8 : 6, steps.Count);
        Assert.All(steps, step => Do(step, scaffold));
        if (!withDatabase)
        {
            return;
        }

        // What "dotnet add package" does.
        Insert(
            scaffold,
            "Directory.Packages.props",
            "  <ItemGroup>\n    <PackageVersion Include=\"Microsoft.Data.Sqlite\" Version=\"10.0.15\" />"
        );
        Insert(
            scaffold,
            $"src/{scaffold.Name}/{scaffold.Name}.csproj",
            "  <ItemGroup>\n    <PackageReference Include=\"Microsoft.Data.Sqlite\" />"
        );
    }

    private static void Insert(Scaffold scaffold, string file, string text)
    {
        var (path, before) = (Path.Combine(scaffold.Directory, file), scaffold.Read(file));
        var end = before.LastIndexOf("</Project>", StringComparison.Ordinal);
        File.WriteAllText(path, $"{before[..end]}{text}\n  </ItemGroup>\n{before[end..]}");
    }

    private async Task MakeDatabaseAsync(string database)
    {
        await using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        var command = connection.CreateCommand();
        command.CommandText = Sql().Match(template.Seller.Read(Page).ReplaceLineEndings("\n")).Groups[1].Value;
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static void Do(Match step, Scaffold scaffold)
    {
        var names = step.Groups["files"].Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var blocks = Block().Matches(step.Groups["rest"].Value).Select(block => block.Groups[1].Value).ToArray();
        var file = Path.Combine(scaffold.Directory, names[0]);
        switch (step.Groups["what"].Value)
        {
            case "delete":
                Array.ForEach(names, name => File.Delete(Path.Combine(scaffold.Directory, name)));
                break;
            case "write":
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                File.WriteAllText(file, blocks[0]);
                break;
            case "replace":
                var text = File.ReadAllText(file).ReplaceLineEndings("\n");
                var (before, after) = (blocks[0].TrimEnd('\n'), blocks[1].TrimEnd('\n'));
                Assert.Contains(before, text, StringComparison.Ordinal);
                File.WriteAllText(file, text.Replace(before, after, StringComparison.Ordinal));
                break;
            case "tenants":
                var settings = JsonNode.Parse(File.ReadAllText(file))!;
                settings["Tenancy"]!["Tenants"] = JsonNode.Parse(blocks[0]);
                File.WriteAllText(file, settings.ToJsonString());
                break;
            default:
                Assert.Fail($"The page has a step that nobody knows: {step.Value[..60]}");
                break;
        }
    }

    // What a step is about stands in a comment; the code that belongs to it follows.
    [GeneratedRegex("<!-- step: (?<what>\\w+) (?<files>[^>]+?) -->(?<rest>.*?)(?=<!-- step:|\\z)", RegexOptions.Singleline)]
    private static partial Regex Step();

    [GeneratedRegex("```\\w+\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("```sql\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Sql();
}

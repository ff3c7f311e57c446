using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;

namespace Tenancy.Template.Tests;

/// <summary>Does what docs/write-a-seller.md says, step by step, and buys from what comes of it.</summary>
public sealed partial class WriteASellerTests(TemplateFixture template)
{
    [Fact]
    public async Task The_page_leads_to_a_seller_that_sells_what_its_database_says()
    {
        await AddProductAsync(Path.Combine(template.Seller.Program, "inventory.db"));
        await using var server = await RunningServer.StartAsync(template.Seller, template.Root);

        var products = await server.CallAsync("acme", "get_products", new { buying_mode = "wholesale" }, "acme.dev-buyer");

        var product = Assert.Single(products["products"]!.AsArray())!;
        Assert.Equal("evening_show", (string?)product["product_id"]);
        Assert.Equal((9m, 500m), Amounts(product["pricing_options"]![0]!));

        static (decimal?, decimal?) Amounts(JsonNode price) => ((decimal?)price["fixed_price"], (decimal?)price["min_spend_per_package"]);
    }

    /// <summary>Does all steps of the page, in a scaffold that is not built yet.</summary>
    internal static void Follow(Scaffold scaffold)
    {
        var steps = Step().Matches(scaffold.Read("docs/write-a-seller.md").ReplaceLineEndings("\n"));
        Assert.Equal(8, steps.Count);
        Assert.All(steps, step => Do(step, scaffold));

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

    // The product of the page's file, under another id.
    private async Task AddProductAsync(string database)
    {
        var product = JsonNode.Parse(template.Seller.Read($"src/{template.Seller.Name}/inventory/acme.json"))![0]!;
        product["product_id"] = "evening_show";
        await using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        var command = connection.CreateCommand();
        command.CommandText =
            "CREATE TABLE products (tenant TEXT, id TEXT, product TEXT); INSERT INTO products VALUES ('acme', 'evening_show', @product)";
        command.Parameters.AddWithValue("@product", product.ToJsonString());
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
}

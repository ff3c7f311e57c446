using Tenancy.Tests.Docs;

namespace Tenancy.Template.Tests;

/// <summary>A server that somebody made at an older commit, and has worked on since.</summary>
internal static class OlderSeller
{
    private const string Commit = "f167faba9c12b2bd644077d3f21dd851a6745974";

    private const string Handlers = """
        using System.ComponentModel;
        using ModelContextProtocol.Server;
        using MySeller.Selling;
        using Tenancy.Adcp;
        using Tenancy.Mcp;
        using Tenancy.State;

        namespace MySeller.Handlers;

        public sealed class Notes
        {
            [McpServerTool(Name = "add_note")]
            [Description("Keeps a note.")]
            public static async Task<string> AddAsync(string text, ToolContext context, CancellationToken token) =>
                (await context.Documents<Note>().CreateAsync(new() { Text = text }, cancellationToken: token)).Id;

            [McpServerTool(Name = "count_notes")]
            [Description("Counts the notes.")]
            public static async Task<string> CountAsync(ToolContext context, CancellationToken token)
            {
                var documents = context.Documents<Note>();
                var notes = await documents.ReadAllAsync(token);
                return $"{notes.Count} notes";
            }

            [AdcpTool("get_floor")]
            [Description("The lowest price.")]
            public Task<FloorResponse> FloorAsync(FloorRequest request, ToolContext context, CancellationToken token)
            {
                var prices = context.Platform<ISeller>().Products.SelectMany(product => product.PricingOptions);
                return Task.FromResult(new FloorResponse { Floor = prices.Min(price => price.FixedPrice) });
            }
        }

        [Document("notes")]
        public sealed record Note : TenantDocument
        {
            public required string Text { get; init; }
        }

        public sealed record FloorRequest : AdcpRequest;

        public sealed record FloorResponse : AdcpResponse
        {
            public decimal? Floor { get; init; }
        }
        """;

    private const string Tests = """
        using MySeller.Handlers;

        namespace MySeller.Tests;

        public sealed class NotesTests(SellerServer server)
        {
            [Fact]
            public async Task A_note_is_its_tenants_own()
            {
                await CallAsync("acme", "add_note", new { text = "mine" });

                Assert.DoesNotContain("0 notes", await CallAsync("acme", "count_notes", new { }), StringComparison.Ordinal);
                Assert.Contains("0 notes", await CallAsync("globex", "count_notes", new { }), StringComparison.Ordinal);
            }

            [Fact]
            public async Task A_note_is_kept()
            {
                var token = TestContext.Current.CancellationToken;
                using var call = await server.BeginCallAsync("acme", Guid.NewGuid().ToString());

                await Notes.AddAsync("mine", call.Context, token);

                Assert.Equal("1 notes", await Notes.CountAsync(call.Context, token));
            }

            [Fact]
            public async Task The_lowest_price_is_the_tenants_own()
            {
                Assert.Equal(4.50m, (await server.CallAsync("acme", "get_floor", new { }))["floor"]!.GetValue<decimal>());
                Assert.Equal(0.80m, (await server.CallAsync("globex", "get_floor", new { }))["floor"]!.GetValue<decimal>());
            }

            private async Task<string> CallAsync(string tenant, string tool, object arguments)
            {
                using var response = await server.SendAsync(tenant, $"{tenant}.dev-buyer", tool, arguments);
                return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            }
        }
        """;

    /// <summary>Makes it, with the template of that commit, and commits it as it came and with what is its own.</summary>
    public static async Task<(Scaffold, Shell)> NewAsync(TemplateFixture template, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateDirectory(Path.Combine(template.Root, Guid.NewGuid().ToString("N"))).FullName;
        var scaffold = new Scaffold("MySeller", Path.Combine(directory, "MySeller"));
        var shell = UpgradeTests.NewShell(template);

        // A clone that has only the last commits, as a CI may make it, fetches this one.
        await shell.RunAsync(
            $"""
            cd '{TemplateFixture.Repository}'
            git cat-file -e {Commit} 2>/dev/null || git fetch --quiet --depth 1 origin {Commit}
            mkdir '{directory}/older' && git archive {Commit} | tar -x -C '{directory}/older'
            dotnet new install '{directory}/older' --debug:custom-hive '{directory}/hive'
            cd '{directory}' && dotnet new adcp-tenant-server -n MySeller --no-restore --debug:custom-hive '{directory}/hive'
            """,
            cancellationToken
        );
        await shell.RunAsync(UpgradeTests.In(scaffold, "git init --quiet && git add . && git commit -qm 'As it came.'"), cancellationToken);
        shell["TAKEN"] = (await shell.RunAsync(UpgradeTests.In(scaffold, "git rev-parse HEAD"), cancellationToken)).Trim();

        await File.WriteAllTextAsync(Path.Combine(scaffold.Program, "Handlers", "Notes.cs"), Handlers, cancellationToken);
        await File.WriteAllTextAsync(TestsOf(scaffold), Tests, cancellationToken);
        await ReplaceAsync(
            Path.Combine(scaffold.Program, "Program.cs"),
            "app.UseTenancy();",
            "app.UseTenancy();\napp.MapGet(\"/hello\", () => \"\");"
        );
        await shell.RunAsync(UpgradeTests.In(scaffold, "git add . && git commit -qm 'Mine.'"), cancellationToken);
        return (scaffold, shell);
    }

    /// <summary>Does to its own code what the changelog says: each replacement stands there.</summary>
    public static async Task ChangeAsTheChangelogSaysAsync(Scaffold scaffold, string changelog)
    {
        const string Read = "await documents.ReadAllAsync(token)";
        const string ReadToList = "await documents.ReadAllAsync(token).ToListAsync(token)";
        const string Commit = "await call.CommitAsync(token);";
        Assert.All([Read, ReadToList, Commit], code => Assert.Contains($"`{code}`", changelog, StringComparison.Ordinal));

        await ReplaceAsync(Path.Combine(scaffold.Program, "Handlers", "Notes.cs"), Read, ReadToList);
        const string LastOfTest = "Assert.Equal(\"1 notes\", await Notes.CountAsync(call.Context, token));";
        await ReplaceAsync(TestsOf(scaffold), LastOfTest, $"{LastOfTest}\n{Commit}");
    }

    private static string TestsOf(Scaffold scaffold) => Path.Combine(scaffold.Directory, "tests", "MySeller.Tests", "NotesTests.cs");

    private static async Task ReplaceAsync(string file, string old, string @new)
    {
        var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        Assert.Contains(old, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, text.Replace(old, @new, StringComparison.Ordinal), TestContext.Current.CancellationToken);
    }
}

using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>The tenants of a configuration file: seeded once, then followed while the server runs.</summary>
[Tier(Tier.Process)]
public sealed class ConfigurationSeedsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("tenancy-seeds-").FullName;
    private readonly LogRecorder _log = new();

    private string File => Path.Combine(_directory, "tenants.json");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task An_id_that_the_store_has_never_seen_is_seeded_and_others_are_left_as_they_are()
    {
        await using var redis = await RedisServer.StartAsync();
        Write(Seed("first", "banner"));
        await using (var before = await StartAsync(redis))
        {
            Assert.Equal("banner", Product(before, "first"));
        }

        Write(Seed("first", "changed while nobody ran"), Seed("second", "shelf"));
        await using var server = await StartAsync(redis);
        Assert.Equal("banner", Product(server, "first"));
        Assert.Equal("shelf", Product(server, "second"));
        Assert.Empty(_log.Errors);
    }

    [Fact]
    public async Task Code_of_the_application_that_is_slow_to_make_the_options_holds_up_nobody_who_watches_the_file()
    {
        using var isFast = new ManualResetEventSlim(initialState: true);
        Write(Seed("first", "one"));
        await using var server = await StartAsync(options: _ => isFast.Wait());
        isFast.Reset();
        try
        {
            Write(Seed("first", "two"));
            await Task.Run(() => Reload(server), TestContext.Current.CancellationToken)
                .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }
        finally
        {
            isFast.Set();
        }

        await UntilAsync(() => Product(server, "first") == "two");
    }

    [Fact]
    public async Task A_file_that_says_nothing_of_secrets_takes_none_away()
    {
        Write(Seed("first", "one"));
        await using var server = await StartAsync();
        await AdminAsync(server, HttpMethod.Patch, "/first", """{"secrets":{"key":"value"}}""");
        Write(Seed("first", "two"));
        Reload(server);
        await UntilAsync(() => Product(server, "first") == "two");
        var secrets = server.Services.GetRequiredService<TenantRegistry>().Get("first")!.Config.Secrets;
        Assert.Equal(new TenantSecrets([new("key", "value")]), secrets);
    }

    [Fact]
    public async Task A_tenant_that_was_deleted_unregistered_or_suspended_stays_so()
    {
        await using var redis = await RedisServer.StartAsync();
        Write(Seed("deleted", "a"), Seed("unregistered", "b"), Seed("suspended", "c"), Seed("other", "d"));
        await using (var before = await StartAsync(redis))
        {
            await AdminAsync(before, HttpMethod.Delete, "/deleted");
            await AdminAsync(before, HttpMethod.Post, "/unregistered/unregister");
            await AdminAsync(before, HttpMethod.Patch, "/suspended", new { status = "suspended" });
        }

        await using var server = await StartAsync(redis);
        AssertStillSo();

        // Nor does a change of the file bring one back.
        Write(Seed("deleted", "aa"), Seed("unregistered", "bb"), Seed("suspended", "cc"), Seed("other", "dd"));
        Reload(server);
        await UntilAsync(() => Product(server, "other") == "dd");
        AssertStillSo();
        Assert.Empty(_log.Errors);

        void AssertStillSo()
        {
            Assert.Null(Product(server, "deleted"));
            Assert.Null(Product(server, "unregistered"));
            Assert.True(server.Services.GetRequiredService<TenantRegistry>().Get("suspended")!.IsSuspended);
        }
    }

    [Theory]
    [InlineData("Development", false)]
    [InlineData("Staging", true)]
    public async Task Development_seeds_only_a_store_that_holds_no_tenant(string environment, bool isSeeded)
    {
        await using var redis = await RedisServer.StartAsync();
        Write();
        await using (var before = await StartAsync(redis))
        {
            await AdminAsync(before, HttpMethod.Post, "", new { id = "manual" });
        }

        Write(Seed("first", "banner"));
        await using var server = await StartAsync(redis, environment);
        Assert.NotNull(server.Services.GetRequiredService<TenantRegistry>().Get("manual"));
        Assert.Equal(isSeeded, Product(server, "first") is not null);
    }

    [Fact]
    public async Task Development_seeds_an_empty_store()
    {
        await using var redis = await RedisServer.StartAsync();
        Write(Seed("first", "banner"));
        await using var server = await StartAsync(redis, "Development");
        Assert.Equal("banner", Product(server, "first"));
    }

    [Fact]
    public async Task A_file_that_changes_is_followed()
    {
        Write(Seed("first", "banner"), Seed("second", "shelf"));
        await using var server = await StartAsync();
        Write(Seed("first", "poster"), Seed("third", "kiosk"));
        await UntilAsync(() => Product(server, "third") == "kiosk");
        Assert.Equal("poster", Product(server, "first"));
        Assert.Equal("shelf", Product(server, "second"));
        Assert.Empty(_log.Errors);
    }

    [Fact]
    public async Task A_tenant_that_left_the_file_and_comes_back_changed_is_changed()
    {
        Write(Seed("first", "banner"));
        await using var server = await StartAsync();
        Write(Seed("second", "shelf"));
        await UntilAsync(() => Product(server, "second") == "shelf");
        Write(Seed("first", "poster"), Seed("second", "shelf"));
        await UntilAsync(() => Product(server, "first") == "poster");
    }

    [Fact]
    public async Task What_an_admin_registered_is_not_changed_by_a_file()
    {
        Write(Seed("first", "banner"));
        await using var server = await StartAsync();
        await AdminAsync(server, HttpMethod.Post, "", new { id = "manual", settings = new { product = "handmade" } });
        Write(Seed("first", "banner"), Seed("manual", "from the file"));
        Reload(server);
        Write(Seed("first", "poster"), Seed("manual", "from the file again"));
        Reload(server);
        await UntilAsync(() => Product(server, "first") == "poster");
        Assert.Equal("handmade", Product(server, "manual"));
    }

    [Theory]
    [InlineData("""{ "id": "Not An Id" }""", "Not An Id")]
    [InlineData("""{ "id": "third", "platform": "blimp" }""", "blimp")]
    [InlineData("""{ "id": "third", "colour": "red" }""", "check its spelling")]
    [InlineData("""{ "id": "third", "urls": ["https://first.example.com"] }""", "belongs to one tenant")]
    [InlineData("""{ "id": "first" }""", "used by two tenants")]
    public async Task A_file_with_a_mistake_changes_nothing_and_is_logged(string mistake, string explanation)
    {
        Write(Seed("first", "banner", "https://first.example.com"));
        await using var server = await StartAsync();
        Write(Seed("first", "poster", "https://first.example.com"), Seed("second", "shelf"), JsonNode.Parse(mistake)!);
        Reload(server);
        await UntilAsync(() => _log.Errors.Any());
        Assert.All(_log.Errors, entry => Assert.Equal("ConfigurationNotFollowed", entry.Event));
        Assert.Contains(explanation, _log.Errors.First().Text, StringComparison.Ordinal);
        Assert.Equal("banner", Product(server, "first"));
        Assert.Null(Product(server, "second"));

        Write(Seed("first", "poster", "https://first.example.com"), Seed("second", "shelf"));
        Reload(server);
        await UntilAsync(() => Product(server, "second") == "shelf");
        Assert.Equal("poster", Product(server, "first"));
    }

    [Fact]
    public async Task A_file_that_is_no_JSON_changes_nothing()
    {
        Write(Seed("first", "banner"));
        await using var server = await StartAsync();
        await System.IO.File.WriteAllTextAsync(File, """{ "Tenancy": { "Tenants": [ """, TestContext.Current.CancellationToken);
        Reload(server);
        Assert.Equal("banner", Product(server, "first"));

        Write(Seed("first", "poster"));
        Reload(server);
        await UntilAsync(() => Product(server, "first") == "poster");
    }

    [Fact]
    public async Task A_change_that_cannot_be_applied_is_logged_and_those_beside_it_are()
    {
        Write(Seed("first", "banner"), Seed("second", "shelf"));
        await using var server = await StartAsync();
        var broken = Seed("first", "poster");
        broken["settings"]!["fail"] = "no ad server configured";
        Write(broken, Seed("second", "kiosk"));
        Reload(server);
        await UntilAsync(() => Product(server, "second") == "kiosk");
        Assert.Equal("banner", Product(server, "first"));
        Assert.Contains(_log.Errors, entry =>
            entry.Event == "SeedFailed" && entry.Text.Contains("no ad server configured", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Settings_arrive_in_the_types_that_they_have_in_the_file()
    {
        var seed = Seed("first", "banner");
        seed["urls"] = new JsonArray();
        seed["principals"] = new JsonArray();
        seed["settings"] = JsonNode.Parse(
            """
            {
              "on": true, "off": false, "maybe": true, "unknown": null,
              "count": 12, "big": 9007199254740993, "price": 4.50, "share": 1e-3,
              "text": "true", "shout": "True", "digits": "0123", "nothing": "",
              "names": ["a", "True", "3"], "sizes": [300, 250], "flags": [true, false], "none": [], "grid": [[1, 2], []],
              "nested": { "on": true, "names": ["x"], "none": [] },
              "items": [ { "on": true }, { "names": [] } ],
              "prices": { "de": 1.5, "fr": 2 }, "bySlot": { "0": "top", "1": "side" }
            }
            """
        );
        Write(seed);
        await using var server = await StartAsync();

        // As the platform reads them, when they have been to the store.
        var settings = new TenantSetup(
            server.Services.GetRequiredService<TenantRegistry>().Get("first")!.Config,
            server.Services
        ).GetSettings<TypedSettings>();
        Assert.Equivalent(
            new TypedSettings
            {
                On = true,
                Off = false,
                Maybe = true,
                Unknown = null,
                Count = 12,
                Big = 9007199254740993,
                Price = 4.50m,
                Share = 1e-3,
                Text = "true",
                Shout = "True",
                Digits = "0123",
                Nothing = "",
                Names = ["a", "True", "3"],
                Sizes = [300, 250],
                Flags = [true, false],
                None = [],
                Grid =
                [
                    [1, 2],
                    [],
                ],
                Nested = new()
                {
                    On = true,
                    Names = ["x"],
                    None = [],
                },
                Items = [new() { On = true }, new() { Names = [] }],
                Prices = new() { ["de"] = 1.5m, ["fr"] = 2 },
                BySlot = new() { ["0"] = "top", ["1"] = "side" },
            },
            settings,
            strict: true
        );
    }

    [Fact]
    public async Task Settings_of_environment_variables_arrive_in_their_types_too()
    {
        Write();
        await using var server = await StartAsync(configuration: configuration =>
            configuration.AddInMemoryCollection(
                new Dictionary<string, string?>
                {
                    ["Tenancy:Tenants:0:id"] = "first",
                    ["Tenancy:Tenants:0:settings:on"] = "true",
                    ["Tenancy:Tenants:0:settings:maybe"] = "FALSE",
                    ["Tenancy:Tenants:0:settings:text"] = "true",
                    ["Tenancy:Tenants:0:settings:sizes:0"] = "300",
                }
            )
        );
        var settings = new TenantSetup(
            server.Services.GetRequiredService<TenantRegistry>().Get("first")!.Config,
            server.Services
        ).GetSettings<TypedSettings>();
        Assert.True(settings.On);
        Assert.False(settings.Maybe);
        Assert.Equal("true", settings.Text);
        Assert.Equal([300], settings.Sizes);
    }

    [Fact]
    public async Task Settings_that_are_in_code_hold_when_the_file_changes()
    {
        Write(Seed("first", "banner"));

        // Without it a platform that tenants do not name would be the first one.
        await using var server = await StartAsync(options: options => options.Defaults.Platform = "retailer");
        Write(Seed("first", "banner"), new JsonObject { ["id"] = "second" });
        Reload(server);
        await UntilAsync(() => server.Services.GetRequiredService<TenantRegistry>().Get("second") is not null);
        Assert.Equal("retailer", server.Services.GetRequiredService<TenantRegistry>().Get("second")!.Config.Platform);

        // And a file is judged with them.
        await using var single = await StartAsync(
            configuration: builder => builder.AddInMemoryCollection([KeyValuePair.Create<string, string?>("Tenancy:Identification", "")]),
            options: options => options.DefaultTenant = "first"
        );
        Write(Seed("first", "shelf"));
        Reload(single);
        await UntilAsync(() => Product(single, "first") == "shelf");
        Assert.Empty(_log.Errors);
    }

    private static JsonObject Seed(string id, string product, params string[] urls) =>
        new JsonObject
        {
            ["id"] = id,
            ["urls"] = new JsonArray([.. urls.Select(url => JsonValue.Create(url))]),
            ["settings"] = new JsonObject { ["product"] = product },
        };

    private static string? Product(TenancyServer server, string id) =>
        server.Services.GetRequiredService<TenantRegistry>().Get(id)?.Config.Settings is { } settings
        && settings.TryGetProperty("product", out var product)
            ? product.GetString()
            : null;

    private static void Reload(TenancyServer server) => ((IConfigurationRoot)server.App.Configuration).Reload();

    private static Task UntilAsync(Func<bool> condition) => Poll.UntilAsync(() => Task.FromResult(condition()));

    private static async Task AdminAsync(TenancyServer server, HttpMethod method, string path, object? body = null)
    {
        using var response = await server.AdminAsync(method, path, body);
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}");
    }

    private void Write(params JsonNode[] tenants) =>
        System.IO.File.WriteAllText(
            File,
            new JsonObject { ["Tenancy"] = new JsonObject { ["Tenants"] = new JsonArray([.. tenants]) } }.ToJsonString()
        );

    private Task<TenancyServer> StartAsync(
        RedisServer? redis = null,
        string environment = "Staging",
        Action<IConfigurationBuilder>? configuration = null,
        Action<TenancyOptions>? options = null
    ) =>
        TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:Admin:AllowedHosts"] = "127.0.0.1",
                ["Tenancy:AllowDevelopmentValues"] = "true",
            },
            environment: environment,
            redis: redis,
            services: services => services.AddSingleton<ILoggerProvider>(_log).Configure(options ?? (static _ => { })),
            configuration: builder =>
            {
                builder.AddJsonFile(source =>
                {
                    source.Path = File;
                    source.ReloadOnChange = true;

                    // A file that is written in this moment is no reason to end: what was read before stays.
                    source.OnLoadException = failure => failure.Ignore = true;
                    source.ResolveFileProvider();
                });
                configuration?.Invoke(builder);
            }
        );

    private sealed record TypedSettings
    {
        public string Product { get; init; } = "";

        public bool On { get; init; }

        public bool Off { get; init; } = true;

        public bool? Maybe { get; init; }

        public bool? Unknown { get; init; } = true;

        public int Count { get; init; }

        public long Big { get; init; }

        public decimal Price { get; init; }

        public double Share { get; init; }

        public string Text { get; init; } = "";

        public string Shout { get; init; } = "";

        public string Digits { get; init; } = "";

        public string Nothing { get; init; } = "something";

        public IReadOnlyList<string> Names { get; init; } = ["default"];

        public int[] Sizes { get; init; } = [];

        public List<bool> Flags { get; init; } = [];

        public IReadOnlyList<string> None { get; init; } = ["default"];

        public IReadOnlyList<IReadOnlyList<int>> Grid { get; init; } = [];

        public TypedSettings? Nested { get; init; }

        public IReadOnlyList<TypedSettings> Items { get; init; } = [];

        public Dictionary<string, decimal> Prices { get; init; } = [];

        public Dictionary<string, string> BySlot { get; init; } = [];
    }
}

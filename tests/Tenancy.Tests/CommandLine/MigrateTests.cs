using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using Tenancy.CommandLine;
using Tenancy.CommandLine.Migration;
using Tenancy.Configuration;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.CommandLine;

/// <summary>Keys of another deployment become tenants, clients and keys of a tenant of a real server, once.</summary>
[Tier(Tier.Process)]
public sealed class MigrateTests : IAsyncLifetime
{
    private RedisServer _there = null!;
    private RedisServer _here = null!;
    private TenancyServer _server = null!;
    private ConnectionMultiplexer _source = null!;
    private ConnectionMultiplexer _store = null!;

    private IDatabase Source => _source.GetDatabase();

    private IDatabase Store => _store.GetDatabase();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _there = await RedisServer.StartAsync("--appendfsync", "no");
        _here = await RedisServer.StartAsync("--appendfsync", "no");
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:Tenants:0:authentication:kind"] = "jwks",
            ["Tenancy:Tenants:0:authentication:issuer"] = "https://auth.acme.example",
            ["Tenancy:Tenants:0:authentication:audiences:0"] = "https://acme.example.com",
            ["Tenancy:Tenants:0:limits:maxClients"] = "4",
            ["Tenancy:AutoValidate"] = "false",
        };
        settings.Remove("Tenancy:Tenants:0:principals:0:name");
        settings.Remove("Tenancy:Tenants:0:principals:0:token");
        _server = await TenancyServer.StartAsync(settings: settings, redis: _here);
        _source = await ConnectionMultiplexer.ConnectAsync(_there.ConnectionString);
        _store = await ConnectionMultiplexer.ConnectAsync(_here.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _store.DisposeAsync();
        await _server.DisposeAsync();
        await _here.DisposeAsync();
        await _there.DisposeAsync();
    }

    [Fact]
    public async Task The_keys_of_one_tenant_come_under_it_once_and_the_source_stays_as_it_was()
    {
        await Source.StringSetAsync(
            "client:agent",
            """
            { "client_id": "agent", "client_name": "Agent", "client_secret": "s3cret", "client_secret_expires_at": 0,
              "registration_access_token": "t0ken", "redirect_uris": ["https://agent.example/cb"] }
            """
        );
        await Source.HashSetAsync("client:other", [new("client_name", "Other"), new("grant_types", """["client_credentials"]""")]);
        await Source.KeyExpireAsync("client:other", TimeSpan.FromDays(2));
        await Source.SetAddAsync("client:index", ["agent", "other"]);
        await Source.StringSetAsync("session:1", "x");
        await Source.StringSetAsync("order:1", "one", TimeSpan.FromHours(1));
        await Source.ListRightPushAsync("order:2", ["a", "b"]);
        await Source.StringSetAsync("unrelated", "stays");
        var before = await _there.ReadAllAsync();
        string[] command = ["migrate", "--tenant", "acme", "--pattern", "order:*", "--pattern", "c*"];

        var (code, shown) = await RunAsync([.. command, "--dry-run"]);
        Assert.Equal(TenancyTool.Differs, code);
        AssertCounts(
            shown,
            6,
            ("would be listed as clients", 2),
            ("would be copied as they are", 3),
            ("would be skipped: sessions end", 1)
        );
        Assert.Empty(await KeysAsync("tenant:{acme}:migrated*"));
        Assert.Empty(await ClientsAsync("acme"));

        (code, shown) = await RunAsync(command);
        Assert.Equal(0, code);
        AssertCounts(shown, 6, ("listed as clients", 2), ("copied as they are", 3), ("skipped: sessions end", 1));
        var clients = (await ClientsAsync("acme")).ToDictionary(client => (string)client["clientId"]!);
        Assert.Equal(["agent", "other"], clients.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("Agent", (string)clients["agent"]["name"]!);
        Assert.Equal("""{"redirect_uris":["https://agent.example/cb"]}""", clients["agent"]["metadata"]!.ToJsonString());
        Assert.Equal("""{"grant_types":["client_credentials"]}""", clients["other"]["metadata"]!.ToJsonString());
        Assert.InRange((int)clients["other"]["expiresIn"]!, 172_700, 172_800);
        Assert.Equal(315_360_000, (int)clients["agent"]["expiresIn"]!);
        Assert.DoesNotContain("s3cret", await _here.ReadAllAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("t0ken", await _here.ReadAllAsync(), StringComparison.Ordinal);
        Assert.Equal("one", await Store.StringGetAsync("tenant:{acme}:migrated:order:1"));
        Assert.InRange(
            (await Store.KeyTimeToLiveAsync("tenant:{acme}:migrated:order:1"))!.Value,
            TimeSpan.FromMinutes(50),
            TimeSpan.FromHours(1)
        );
        Assert.Equal(["a", "b"], (await Store.ListRangeAsync("tenant:{acme}:migrated:order:2")).Select(value => value.ToString()));
        Assert.Equal(before, await _there.ReadAllAsync());

        var all = await _here.ReadAllAsync();
        (code, shown) = await RunAsync(command);
        Assert.Equal(0, code);
        AssertCounts(shown, 6, ("were here before", 5), ("skipped: sessions end", 1));
        Assert.Equal(2, (await ClientsAsync("acme")).Count);
        Assert.Equal(Lines(all, "migrated"), Lines(await _here.ReadAllAsync(), "migrated"));

        // A purge takes all of it.
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"{Url}/admin/tenants/acme");
        request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        using var answer = await _server.Client.SendAsync(request, Token);
        Assert.True(answer.IsSuccessStatusCode);
        Assert.Empty(await KeysAsync("tenant:{acme}:migrated*"));
    }

    [Fact]
    public async Task Tenants_come_with_what_is_theirs_and_each_under_its_own_id()
    {
        await Source.StringSetAsync(
            "tenant:metadata:initech",
            """
            { "id": "initech", "name": "Initech", "domain": "initech.example", "version": 4, "health": "healthy", "createdAt": "2020-01-01",
              "oidc": { "issuer": "https://auth.initech.example", "audience": "https://initech.example" } }
            """
        );
        await Source.HashSetAsync("tenant:metadata:hooli", [new("name", "Hooli"), new("limits", """{ "rateLimit": 7 }""")]);
        await Source.StringSetAsync("tenant:metadata:broken", """{ "id": "another" }""");
        await Source.StringSetAsync("tenant:metadata:strange", """{ "colour": "blue" }""");
        await Source.StringSetAsync("tenant:initech:client:agent", """{ "client_id": "agent" }""");
        await Source.StringSetAsync("tenant:initech:order:1", "initech's");
        await Source.StringSetAsync("tenant:hooli:order:1", "hooli's");
        await Source.StringSetAsync("tenant:hooli:session:1", "s");
        await Source.StringSetAsync("tenant:nobody:order:1", "nobody's");
        await Source.StringSetAsync("tenant:broken:order:1", "broken's");

        var (code, shown) = await RunAsync("migrate", "--dry-run");
        Assert.Equal(TenancyTool.Differs, code);
        AssertCounts(
            shown,
            10,
            ("would be registered as tenants", 2),
            ("would be listed as clients", 1),
            ("would be copied as they are", 2),
            ("would be skipped: sessions end", 1),
            ("would be skipped: no tenant for them", 2),
            ("would fail", 2)
        );
        Assert.DoesNotContain("initech", await _here.ReadAllAsync(), StringComparison.Ordinal);

        (code, shown) = await RunAsync("migrate");
        Assert.Equal(TenancyTool.Failed, code);
        AssertCounts(
            shown,
            10,
            ("registered as tenants", 2),
            ("listed as clients", 1),
            ("copied as they are", 2),
            ("skipped: sessions end", 1),
            ("skipped: no tenant for them", 2),
            ("failed", 2)
        );
        Assert.Contains("tenant:nobody:order:1: homeless, there is no tenant 'nobody'", shown, StringComparison.Ordinal);
        Assert.Contains("tenant:metadata:broken: failed, its \"id\" is another one", shown, StringComparison.Ordinal);
        Assert.Contains("colour", shown, StringComparison.Ordinal);
        var initech = JsonNode.Parse((await RunAsync("show", "initech")).Output)!;
        Assert.Equal("https://initech.example", ((string)initech["urls"]![0]!).TrimEnd('/'));
        Assert.Equal("https://auth.initech.example", (string)initech["authentication"]!["issuer"]!);
        Assert.Equal(7, (int)JsonNode.Parse((await RunAsync("show", "hooli")).Output)!["limits"]!["rateLimit"]!);
        Assert.Equal("agent", (string)Assert.Single(await ClientsAsync("initech"))["clientId"]!);
        Assert.Equal("initech's", await Store.StringGetAsync("tenant:{initech}:migrated:order:1"));
        Assert.Equal("hooli's", await Store.StringGetAsync("tenant:{hooli}:migrated:order:1"));
        Assert.Empty(await KeysAsync("tenant:{broken}:*"));
        Assert.Empty(await KeysAsync("tenant:{nobody}:*"));

        (code, shown) = await RunAsync("migrate");
        AssertCounts(shown, 10, ("were here before", 5), ("skipped: sessions end", 1), ("skipped: no tenant for them", 2), ("failed", 2));
        (code, shown) = await RunAsync("migrate", "--dry-run");
        AssertCounts(
            shown,
            10,
            ("are here already", 5),
            ("would be skipped: sessions end", 1),
            ("would be skipped: no tenant for them", 2),
            ("would fail", 2)
        );
    }

    [Fact]
    public async Task A_client_whose_metadata_does_not_come_is_named_and_no_other_waits_for_it()
    {
        await using var site = await StubServer.StartAsync(context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        });
        await Source.StringSetAsync("client:1", $$"""{ "client_id": "{{site.Url}}/client.json" }""");
        await Source.StringSetAsync("client:2", """{ "clientId": "2", "registrationAccessToken": "t0ken", "idToken": "t0ken" }""");
        var (code, shown) = await RunAsync("migrate", "--tenant", "acme");
        Assert.Equal(TenancyTool.Failed, code);
        AssertCounts(shown, 2, ("listed as clients", 1), ("failed", 1));
        Assert.Contains("client:1: failed, 503", shown, StringComparison.Ordinal);
        Assert.Equal("2", (string)Assert.Single(await ClientsAsync("acme"))["clientId"]!);
        Assert.DoesNotContain("t0ken", await _here.ReadAllAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tenant_comes_with_its_secrets_and_a_dry_run_sees_what_the_record_leaves_out_as_a_run_does()
    {
        await Source.StringSetAsync("tenant:metadata:initech", """{ "id": "initech", "secrets": { "apiKey": "s3cret" } }""");
        await Source.StringSetAsync("tenant:metadata:hooli", """{ "id": "hooli" }""");
        await PostAsync("", """{ "id": "hooli", "urls": ["https://hooli.example"] }""");
        var (_, shown) = await RunAsync("migrate", "--dry-run");
        AssertCounts(shown, 2, ("would be registered as tenants", 1), ("would collide", 1));
        (_, shown) = await RunAsync("migrate");
        AssertCounts(shown, 2, ("registered as tenants", 1), ("collided, and left alone", 1));
        Assert.Equal("(hidden)", (string)JsonNode.Parse((await RunAsync("show", "initech")).Output)!["secrets"]!["apiKey"]!);
        (_, shown) = await RunAsync("migrate");
        AssertCounts(shown, 2, ("were here before", 1), ("collided, and left alone", 1));
        Assert.DoesNotContain("s3cret", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_collides_is_named_and_left_alone_and_the_rest_is_brought()
    {
        await Source.StringSetAsync("client:known", """{ "client_id": "known", "client_name": "Theirs" }""");
        for (var i = 0; i < 4; i++)
        {
            await Source.StringSetAsync($"client:{i}", $$"""{ "client_id": "{{i}}" }""");
        }

        await Source.StringSetAsync("order:1", "one");
        await Source.StringSetAsync("order:2", "two");
        await Source.StringSetAsync("tenant:metadata:globex", """{ "id": "globex", "name": "Somebody else" }""");
        await Source.StringSetAsync("tenant:globex:order:1", "not globex's");
        await PostAsync("acme/clients", """{ "clientId": "known", "name": "Ours" }""");
        Assert.Equal(TenancyTool.Failed, (await RunAsync("migrate", "--tenant", "acme", "--pattern", "order:1")).Code);
        await Source.StringSetAsync("order:1", "changed");
        var report = Path.GetTempFileName();

        var (code, shown) = await RunAsync("migrate", "--tenant", "acme", "--pattern", "order:*", "--report", report);
        Assert.Equal(TenancyTool.Failed, code);
        AssertCounts(shown, 7, ("copied as they are", 1), ("were here before", 3), ("collided, and left alone", 2), ("failed", 1));
        Assert.Contains("client:known: collided, acme has a client of this id", shown, StringComparison.Ordinal);
        Assert.Contains("order:1: collided, ", shown, StringComparison.Ordinal);
        Assert.Contains("limits.maxClients", shown, StringComparison.Ordinal);
        Assert.Equal(3, (await File.ReadAllLinesAsync(report, Token)).Length);
        File.Delete(report);
        Assert.Equal("one", await Store.StringGetAsync("tenant:{acme}:migrated:order:1"));
        Assert.Equal("two", await Store.StringGetAsync("tenant:{acme}:migrated:order:2"));
        Assert.Equal("Ours", (string)(await ClientsAsync("acme")).Single(client => (string)client["clientId"]! == "known")["name"]!);

        // Another tenant of the same id here gets nothing of it, until somebody says that both are one.
        (_, shown) = await RunAsync("migrate");
        AssertCounts(shown, 2, ("skipped: no tenant for them", 1), ("collided, and left alone", 1));
        Assert.Contains("--same globex", shown, StringComparison.Ordinal);
        Assert.Empty(await KeysAsync("tenant:{globex}:migrated*"));
        (_, shown) = await RunAsync("migrate", "--same", "globex");
        AssertCounts(shown, 2, ("copied as they are", 1), ("collided, and left alone", 1));
        Assert.Equal("not globex's", await Store.StringGetAsync("tenant:{globex}:migrated:order:1"));
    }

    [Fact]
    public async Task Whatever_a_key_is_called_nothing_of_another_tenant_is_written_and_no_terminal_is_moved()
    {
        // Of the form of this server's own: they are not looked at.
        RedisKey[] own = ["tenant:{globex}:secret", "tenant:{globex}:migrated:x"];
        RedisKey[] hostile =
        [
            "tenant:globex}:secret",
            "tenant:acme:{globex}:secret",
            "tenant::order",
            "tenant:acme",
            "tenant:acme:",
            "tenant:ACME:order",
            "tenant:acme :order",
            "tenant:../globex:order",
            "tenant:tenants:order",
            "tenant:metadata:",
            "tenant:metadata:acme:globex",
            "tenant:metadata:{globex}",
            "tenant:\u001b]0;owned\u0007:order",
            Bytes("tenant:", [0xff, 0xfe], ":order"),
            "tenant:acme\n:order",
            $"tenant:{new string('a', 64)}:order",
        ];
        RedisKey[] acmes =
        [
            "tenant:acme:..:globex:secret",
            "tenant:acme:tenant:globex:secret",
            "tenant:acme:generation",
            "tenant:acme:migrated",
            "tenant:acme:\u001b[2J",
            "tenant:acme::",
            "tenant:acme:client:",
            Bytes("tenant:acme:", [0xff, 0x00, 0x0a], "x"),
        ];
        foreach (var key in own.Concat(hostile).Concat(acmes))
        {
            await Source.StringSetAsync(key, "hostile");
        }

        var before = await OthersAsync();
        var (_, shown) = await RunAsync("migrate");
        AssertCounts(
            shown,
            hostile.Length + acmes.Length,
            ("copied as they are", acmes.Length),
            ("skipped: of another form", 5),
            ("skipped: no tenant for them", hostile.Length - 5)
        );
        Assert.DoesNotContain('\u001b', shown);
        Assert.DoesNotContain('\u0007', shown);
        Assert.Equal(before, await OthersAsync());
        foreach (var key in acmes)
        {
            RedisKey copy = (byte[])[.. "tenant:{acme}:migrated:"u8, .. ((byte[])key!).AsSpan("tenant:acme:".Length)];
            Assert.Equal("hostile", await Store.StringGetAsync(copy));
        }

        // All that the store has, but for what may change by itself and what belongs to acme's migrated space.
        async Task<string[]> OthersAsync() =>
            [
                .. (await KeysAsync("*"))
                    .Where(key => !key.StartsWith("tenant:{acme}:migrated", StringComparison.Ordinal))
                    .Order(StringComparer.Ordinal),
            ];
    }

    [Fact]
    public async Task Cut_off_after_each_page_and_run_again_it_comes_to_what_one_run_does()
    {
        const int Count = 3 * MigrationSource.PageSize;
        var batch = Source.CreateBatch();
        var writes = Enumerable.Range(0, Count).Select(i => batch.StringSetAsync($"order:{i}", $"value {i}")).ToArray();
        batch.Execute();
        await Task.WhenAll(writes);
        await Source.HashSetAsync("order:large", [.. Enumerable.Range(0, 1000).Select(i => new HashEntry($"field {i}", i))]);
        await RegisterAsync("whole");
        var whole = await RunOnceAsync("whole", int.MaxValue);
        Assert.Equal(Count + 1, whole.Report[MigrationOutcome.Copied]);

        // A page of SCAN may have more than it was asked for.
        Assert.True(whole.Pages > 2, $"{whole.Pages} pages");
        var expected = await ContentAsync("whole");

        for (var pages = 1; pages < whole.Pages; pages++)
        {
            var id = $"cut-{pages}";
            await RegisterAsync(id);
            var first = await RunOnceAsync(id, pages);
            Assert.Equal(pages, first.Pages);

            // The last pages of a SCAN may have nothing new: the first cut for certain leaves something.
            Assert.InRange(first.Report[MigrationOutcome.Copied], 1, pages == 1 ? Count : Count + 1);
            var second = await RunOnceAsync(id, int.MaxValue);
            Assert.Equal(first.Report[MigrationOutcome.Copied], second.Report[MigrationOutcome.There]);
            Assert.Equal(Count + 1, first.Report[MigrationOutcome.Copied] + second.Report[MigrationOutcome.Copied]);
            Assert.Equal(expected, await ContentAsync(id));
        }
    }

    [Fact]
    public async Task No_more_keys_come_in_a_second_than_was_said()
    {
        await Source.StringSetAsync("order:1", "one");
        await RegisterAsync("slow");
        await using var target = await TargetAsync();
        await using var source = await MigrationSource.ConnectAsync(_there.ConnectionString);
        var (clock, page) = (new FakeTimeProvider(), new TaskCompletionSource());
        var run = new KeyMigration(source, target, new(null), isTrial: false, rate: 1, clock).RunAsync(
            "order:*",
            Read("slow"),
            _ => page.SetResult(),
            Token
        );
        await page.Task;

        // Many more trips than all the rest of the run would take.
        for (var i = 0; i < 100; i++)
        {
            await Store.PingAsync();
        }

        Assert.False(run.IsCompleted);
        await Poll.UntilAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(run.IsCompleted);
        });
        await run;
    }

    [Fact]
    public async Task A_store_that_goes_away_ends_it_with_what_to_do_and_the_next_run_goes_on()
    {
        await Source.StringSetAsync("order:1", "one");
        await RegisterAsync("late");
        await using var target = await TargetAsync();
        await target.FindAsync(TenantId.Parse("late"));
        await _here.StopAsync();
        await using var source = await MigrationSource.ConnectAsync(_there.ConnectionString);
        await Assert.ThrowsAsync<Tenancy.Registry.StoreUnavailableException>(() =>
            New(source, target, new(null)).RunAsync("order:*", Read("late"), _ => { }, Token)
        );
        await _here.LaunchAsync();
        var (code, shown) = await RunAsync("migrate", "--tenant", "late", "--pattern", "order:*");
        Assert.True(code == 0, shown);
        AssertCounts(shown, 1, ("copied as they are", 1));
    }

    [Fact]
    public async Task What_is_missing_or_wrong_is_said_with_the_fix_and_no_password_is_shown()
    {
        (string[] Arguments, (string?, string?) Variable, string Said)[] mistakes =
        [
            (["migrate", "--pattern", "order:*"], default, "--tenant ID"),
            (["migrate", "--tenant", "nobody"], default, "There is no tenant 'nobody'"),
            (["migrate", "--tenant", "{acme}"], default, "is not a tenant id"),
            (["migrate", "--same", "ACME"], default, "is not a tenant id"),
            (["migrate", "--rate", "0"], default, "--rate has to be 1 or more"),
            (["migrate", "--report", "/nowhere/report"], default, "The report cannot be written"),
            (["migrate"], ("ConnectionStrings__Redis", null), "ConnectionStrings__Redis"),
            (["migrate"], ("ConnectionStrings__Redis", "127.0.0.1,password=s3cret,colour=blue"), "ConnectionStrings:Redis cannot be read"),
            (["migrate"], ("ConnectionStrings__Redis", _there.ConnectionString), "does not use this store"),
            (["migrate"], ("TENANCY_SOURCE_REDIS", "127.0.0.1:1,password=s3cret,connectTimeout=200"), "The source does not answer"),
        ];
        foreach (var (arguments, variable, said) in mistakes)
        {
            var (code, shown) = await RunAsync(arguments, variable);
            Assert.Equal(TenancyTool.Failed, code);
            Assert.Contains(said, shown, StringComparison.Ordinal);
            Assert.DoesNotContain("s3cret", shown, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_source_may_be_the_servers_own_store_or_another_of_its_databases()
    {
        await Store.StringSetAsync("order:1", "of its own");
        var (code, shown) = await RunAsync(["migrate", "--tenant", "acme", "--pattern", "*"], ("TENANCY_SOURCE_REDIS", null));
        Assert.Equal(0, code);
        Assert.Matches(@"\b1 copied as they are", shown);
        Assert.Equal("of its own", await Store.StringGetAsync("tenant:{acme}:migrated:order:1"));
        Assert.Equal(["tenant:{acme}:migrated:order:1"], await KeysAsync("tenant:{acme}:migrated:*"));

        await _store.GetDatabase(3).StringSetAsync("order:3", "of database 3");
        (code, _) = await RunAsync(
            ["migrate", "--tenant", "acme", "--pattern", "*"],
            ("TENANCY_SOURCE_REDIS", _here.ConnectionString + ",defaultDatabase=3")
        );
        Assert.Equal(0, code);
        Assert.Equal("of database 3", await Store.StringGetAsync("tenant:{acme}:migrated:order:3"));
    }

    private string Url => $"http://127.0.0.1:{_server.Port}";

    private static RedisKey Bytes(string before, byte[] bytes, string after) =>
        (byte[])[.. Encoding.UTF8.GetBytes(before), .. bytes, .. Encoding.UTF8.GetBytes(after)];

    private static void AssertCounts(string shown, int read, params (string Text, int Count)[] counts)
    {
        var lines = shown.Split('\n').SkipWhile(line => !line.EndsWith(" keys were read", StringComparison.Ordinal)).ToArray();
        Assert.Equal(
            [$"{read} keys were read", .. counts.Select(count => $"{count.Count} {count.Text}")],
            lines[..^1].Select(line => line.Trim())
        );
    }

    private static string[] Lines(string all, string text) =>
        [.. all.Split('\n').Where(line => line.Contains(text, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private async Task<string[]> KeysAsync(string pattern)
    {
        var keys = new List<string>();
        await foreach (var key in _store.GetServers()[0].KeysAsync(pattern: pattern))
        {
            keys.Add(key.ToString());
        }

        return [.. keys];
    }

    private async Task<Dictionary<string, string>> ContentAsync(string tenant)
    {
        var content = new Dictionary<string, string>();
        var prefix = $"tenant:{{{tenant}}}:migrated";
        foreach (var key in await KeysAsync(prefix + "*"))
        {
            content[key[prefix.Length..]] = await Store.KeyTypeAsync(key) switch
            {
                RedisType.String => (await Store.StringGetAsync(key)).ToString(),
                RedisType.Hash => string.Join(
                    ',',
                    (await Store.HashGetAllAsync(key)).Select(field => $"{field}").Order(StringComparer.Ordinal)
                ),
                _ => string.Join(',', (await Store.SortedSetRangeByRankWithScoresAsync(key)).Select(entry => $"{entry}")),
            };
        }

        return content;
    }

    private async Task<(MigrationReport Report, int Pages)> RunOnceAsync(string tenant, int pages)
    {
        await using var target = await TargetAsync();
        await using var source = await MigrationSource.ConnectAsync(_there.ConnectionString);
        using var cut = new CancellationTokenSource();
        var (report, done) = (new MigrationReport(null), 0);
        try
        {
            await New(source, target, report)
                .RunAsync(
                    "order:*",
                    Read(tenant),
                    _ =>
                    {
                        if (++done == pages)
                        {
                            cut.Cancel();
                        }
                    },
                    cut.Token
                );
        }
        catch (OperationCanceledException) { }

        return (report, done);
    }

    private static KeyMigration New(MigrationSource source, MigrationTarget target, MigrationReport report) =>
        new(source, target, report, isTrial: false, rate: int.MaxValue, TimeProvider.System);

    private static Func<RedisKey, OldKey?> Read(string tenant) => key => OldKey.ReadSingle(key, TenantId.Parse(tenant), isOther: true);

    private Task<MigrationTarget> TargetAsync() =>
        MigrationTarget.ConnectAsync(
            new(new(Url), TenancyServer.AdminKey),
            _here.ConnectionString,
            isTrial: false,
            new HashSet<TenantId>(),
            Token
        );

    private Task RegisterAsync(string id) => PostAsync("", $$"""{ "id": "{{id}}" }""");

    private async Task PostAsync(string path, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Url}/admin/tenants/{path}".TrimEnd('/'))
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        using var answer = await _server.Client.SendAsync(request, Token);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Token));
    }

    private async Task<List<JsonObject>> ClientsAsync(string tenant)
    {
        using var client = new AdminClient(new(Url), TenancyServer.AdminKey);
        var clients = new List<JsonObject>();
        await foreach (var found in client.ListClientsAsync(tenant, Token))
        {
            clients.Add(found);
        }

        return clients;
    }

    private Task<(int Code, string Output)> RunAsync(params string[] arguments) => RunAsync(arguments, default);

    private Task<(int Code, string Output)> RunAsync(string[] arguments, (string? Name, string? Value) variable) =>
        ToolRun.RunAsync(arguments, name => name == variable.Name
                ? variable.Value
                : name switch
                {
                    "TENANCY_SERVER" => Url,
                    "TENANCY_ADMIN_KEY" => TenancyServer.AdminKey,
                    "ConnectionStrings__Redis" => _here.ConnectionString,
                    "TENANCY_SOURCE_REDIS" => _there.ConnectionString,
                    _ => null,
                });
}

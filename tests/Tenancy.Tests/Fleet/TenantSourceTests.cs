using System.Net;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SqliteTenants;
using Tenancy.Configuration;
using Tenancy.Fleet;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Fleet;

/// <summary>The server follows a source of tenants: here a table in a SQLite file, as the example has it.</summary>
[Tier(Tier.Process)]
public sealed class TenantSourceTests : IAsyncLifetime
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly string _directory = Directory.CreateTempSubdirectory("tenancy-sqlite-").FullName;
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private readonly LogRecorder _log = new();

    private string ConnectionString => $"Data Source={Path.Combine(_directory, "tenants.db")};Pooling=False";

    public async ValueTask InitializeAsync()
    {
        await ExecuteAsync(
            "CREATE TABLE tenants (id TEXT NOT NULL PRIMARY KEY, name TEXT, url TEXT, platform TEXT, settings TEXT, customer TEXT)"
        );
        await InsertAsync("first", "banner");
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return default;
    }

    [Fact]
    public async Task Rows_are_tenants_from_the_start()
    {
        await InsertAsync("second", "shelf");
        await using var server = await StartAsync();
        Assert.Equal("banner", await ProductAsync(server, "first"));
        Assert.Equal("shelf", await ProductAsync(server, "second"));
        Assert.Empty(_log.Errors);
    }

    [Fact]
    public async Task The_principals_that_a_source_gives_are_served_and_nobody_else()
    {
        var source = new Source { Principals = [new() { Name = "one", Token = "third.one" }, new() { Name = "two", Token = "third.two" }] };
        source.Give("third");
        await using var server = await StartAsync(source);
        foreach (var token in new[] { "third.one", "third.two" })
        {
            Assert.Contains(
                "principal:",
                (await server.CallAsync("third", token, "whoami"))["content"]![0]!["text"]!.ToString(),
                StringComparison.Ordinal
            );
        }

        using var request = McpCalls.Post(server.Port, Way.Path, "third", "third.three", McpCalls.Call("whoami"));
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task A_row_that_is_added_appears_and_one_that_is_changed_changes()
    {
        await using var server = await StartAsync();
        Assert.Null(await ProductAsync(server, "second"));
        await InsertAsync("second", "shelf");
        await UntilAsync(async () => await ProductAsync(server, "second") == "shelf");

        await ExecuteAsync("""UPDATE tenants SET settings = '{ "product": "poster" }' WHERE id = 'second'""");
        await UntilAsync(async () => await ProductAsync(server, "second") == "poster");

        await ExecuteAsync("UPDATE tenants SET url = 'https://second.example.com' WHERE id = 'second'");
        await UntilAsync(() =>
            Task.FromResult(server.Services.GetRequiredService<TenantRegistry>().ResolveByHost("second.example.com") is not null)
        );
        Assert.Equal("banner", await ProductAsync(server, "first"));
        Assert.Empty(_log.Errors);
    }

    [Fact]
    public async Task A_row_that_is_removed_takes_its_tenant_out_of_service_and_leaves_its_data_for_the_same_customer()
    {
        await ExecuteAsync("UPDATE tenants SET customer = 'c-1'");
        await using var server = await StartAsync();
        var buy = await server.CallAsync("first", token: null, "create_media_buy", McpCalls.CreateBuy());
        Assert.False((bool)buy["isError"]!);
        await ExecuteAsync("DELETE FROM tenants");
        await UntilAsync(async () => await ProductAsync(server, "first") is null);

        using var registration = await server.AdminAsync(HttpMethod.Post, "", new { id = "first" });
        Assert.Equal(HttpStatusCode.Conflict, registration.StatusCode);

        await InsertAsync("first", "poster", "c-1");
        await UntilAsync(async () => await ProductAsync(server, "first") == "poster");
        var buys = await server.CallAsync(
            "first",
            token: null,
            "get_media_buys",
            new() { ["account"] = new System.Text.Json.Nodes.JsonObject { ["account_id"] = "any" } }
        );
        Assert.Single(buys["structuredContent"]!["media_buys"]!.AsArray());
    }

    [Theory]
    [InlineData("c-1", "c-2")]
    [InlineData("c-1", null)]
    [InlineData(null, "c-1")]
    [InlineData(null, null)]
    public async Task An_id_that_is_not_known_to_be_the_same_customers_gets_nothing_of_the_former_and_not_its_place(
        string? before,
        string? after
    )
    {
        await ExecuteAsync("DELETE FROM tenants");
        await InsertAsync("first", "banner", before);
        await using var server = await StartAsync();
        using var issued = await server.AdminAsync(HttpMethod.Post, "/first/principals", new { name = "alice", token = "first.alice" });
        Assert.Equal(HttpStatusCode.Created, issued.StatusCode);
        await ExecuteAsync("DELETE FROM tenants");
        await UntilAsync(async () => await ProductAsync(server, "first") is null);

        await InsertAsync("first", "poster", after);
        await UntilAsync(() =>
            Task.FromResult(
                _log.Errors.Any(entry =>
                    entry.Event == "SourceTenantFailed" && entry.Text.Contains("left data behind", StringComparison.Ordinal)
                )
            )
        );
        Assert.Null(await ProductAsync(server, "first"));

        // An admin decides: what is deleted is nobody's any more, and the row is tried again by itself.
        using var deleted = await server.AdminAsync(HttpMethod.Delete, "/first");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await UntilAsync(async () => await ProductAsync(server, "first") == "poster");
        using var principals = await server.AdminAsync(HttpMethod.Get, "/first/principals");
        Assert.Empty((await McpCalls.ReadAsync(principals))["principals"]!.AsArray());
    }

    [Fact]
    public async Task A_row_that_becomes_another_customers_between_two_looks_is_not_served_with_what_is_the_formers()
    {
        await ExecuteAsync("UPDATE tenants SET customer = 'c-1'");
        await using var server = await StartAsync();
        Assert.Equal("banner", await ProductAsync(server, "first"));
        await ExecuteAsync("UPDATE tenants SET customer = 'c-2'");
        await UntilAsync(async () => await ProductAsync(server, "first") is null);

        await ExecuteAsync("UPDATE tenants SET customer = 'c-1'");
        await UntilAsync(async () => await ProductAsync(server, "first") == "banner");
    }

    [Fact]
    public async Task A_row_that_cannot_be_applied_is_logged_and_disturbs_no_other()
    {
        await InsertAsync("Bad Id", "a");
        await InsertAsync("bad-platform", "b");
        await ExecuteAsync("UPDATE tenants SET platform = 'blimp' WHERE id = 'bad-platform'");
        await ExecuteAsync("UPDATE tenants SET url = 'https://first.example.com' WHERE id = 'first'");
        await InsertAsync("thief", "c");
        await ExecuteAsync("UPDATE tenants SET url = 'https://FIRST.example.com' WHERE id = 'thief'");
        await InsertAsync("zenith", "shelf");
        await using var server = await StartAsync();

        Assert.Equal("banner", await ProductAsync(server, "first"));
        Assert.Equal("shelf", await ProductAsync(server, "zenith"));
        Assert.Null(await ProductAsync(server, "bad-platform"));
        Assert.Null(await ProductAsync(server, "thief"));
        Assert.Contains(_log.Errors, entry =>
            entry.Event == "SourceTenantFailed" && entry.Text.Contains("'Bad Id' is not a tenant id", StringComparison.Ordinal)
        );
        Assert.Contains(_log.Errors, entry =>
            entry.Event == "SourceTenantFailed" && entry.Text.Contains("'blimp' is no platform", StringComparison.Ordinal)
        );
        Assert.Contains(_log.Errors, entry =>
            entry.Event == "SourceTenantFailed"
            && entry.Text.Contains("thief", StringComparison.Ordinal)
            && entry.Text.Contains("belongs to tenant 'first'", StringComparison.Ordinal)
        );
        Assert.Equal(3, _log.Errors.Count());

        // A change with a mistake leaves its tenant as it was, and those that follow are applied.
        await ExecuteAsync(
            """UPDATE tenants SET platform = 'blimp' WHERE id = 'first'; UPDATE tenants SET settings = '{ "product": "poster" }'"""
                + """ WHERE id = 'zenith'"""
        );
        await UntilAsync(async () => await ProductAsync(server, "zenith") == "poster");
        Assert.Equal("banner", await ProductAsync(server, "first"));
    }

    [Fact]
    public async Task A_tenant_that_an_admin_registered_is_left_alone()
    {
        await using var server = await StartAsync();
        using (
            var registration = await server.AdminAsync(HttpMethod.Post, "", new { id = "manual", settings = new { product = "handmade" } })
        )
        {
            Assert.Equal(HttpStatusCode.Created, registration.StatusCode);
        }

        await InsertAsync("manual", "from-the-table");
        await InsertAsync("witness", "seen");
        await UntilAsync(async () => await ProductAsync(server, "witness") is not null);
        Assert.Equal("handmade", await ProductAsync(server, "manual"));
        Assert.Contains(_log.Errors, entry =>
            entry.Event == "SourceTenantFailed" && entry.Text.Contains("manual", StringComparison.Ordinal)
        );

        await ExecuteAsync("DELETE FROM tenants");
        await UntilAsync(async () => await ProductAsync(server, "witness") is null);
        Assert.Equal("handmade", await ProductAsync(server, "manual"));
    }

    [Fact]
    public async Task A_tenant_that_an_admin_suspended_stays_suspended_and_follows_its_row_meanwhile()
    {
        await using var server = await StartAsync();
        await SetStatusAsync(server, "suspended");
        await ExecuteAsync("""UPDATE tenants SET settings = '{ "product": "poster" }'""");
        await InsertAsync("witness", "seen");
        await UntilAsync(async () => await ProductAsync(server, "witness") is not null);
        Assert.Null(await ProductAsync(server, "first"));

        await SetStatusAsync(server, "active");
        Assert.Equal("poster", await ProductAsync(server, "first"));
    }

    [Fact]
    public async Task A_source_that_fails_at_the_start_does_not_stop_the_server_and_is_asked_again()
    {
        await ExecuteAsync("ALTER TABLE tenants RENAME TO hidden");
        await using var server = await StartAsync();
        Assert.Contains(_log.Errors, entry =>
            entry.Event == "SourceFailed" && entry.Text.Contains("no such table", StringComparison.Ordinal)
        );
        Assert.Null(await ProductAsync(server, "first"));

        await ExecuteAsync("ALTER TABLE hidden RENAME TO tenants");
        await UntilAsync(async () => await ProductAsync(server, "first") == "banner");
    }

    [Fact]
    public async Task While_a_source_fails_its_tenants_stay_as_they_are()
    {
        await using var server = await StartAsync();
        await ExecuteAsync("ALTER TABLE tenants RENAME TO hidden");
        await UntilAsync(() => Task.FromResult(_log.Errors.Any(entry => entry.Event == "SourceFailed")));
        Assert.Equal("banner", await ProductAsync(server, "first"));

        await ExecuteAsync("""UPDATE hidden SET settings = '{ "product": "poster" }'; ALTER TABLE hidden RENAME TO tenants""");
        await UntilAsync(async () => await ProductAsync(server, "first") == "poster");
    }

    [Fact]
    public async Task A_source_that_breaks_off_takes_no_tenant_away()
    {
        var source = new Source();
        source.Give("first", "second");
        await using var server = await StartAsync(source);
        source.BreakOffAfter = 1;
        source.Give("first", "second", "third");
        await UntilAsync(() => Task.FromResult(_log.Errors.Any(entry => entry.Event == "SourceFailed")));
        Assert.NotNull(await ProductAsync(server, "second"));

        source.BreakOffAfter = null;
        await UntilAsync(async () => await ProductAsync(server, "third") is not null);
    }

    [Fact]
    public async Task After_a_restart_the_rows_that_went_meanwhile_are_unregistered()
    {
        await using var redis = await RedisServer.StartAsync();
        await InsertAsync("second", "shelf");
        await using (var before = await StartAsync(redis: redis))
        {
            using var registration = await before.AdminAsync(
                HttpMethod.Post,
                "",
                new { id = "manual", settings = new { product = "handmade" } }
            );
            Assert.Equal(HttpStatusCode.Created, registration.StatusCode);
            Assert.Equal("banner", await ProductAsync(before, "first"));
        }

        await ExecuteAsync(
            """DELETE FROM tenants WHERE id = 'first'; UPDATE tenants SET settings = '{ "product": "poster" }' WHERE id = 'second'"""
        );
        await using var server = await StartAsync(redis: redis);
        Assert.Null(await ProductAsync(server, "first"));
        Assert.Equal("poster", await ProductAsync(server, "second"));
        Assert.Equal("handmade", await ProductAsync(server, "manual"));
    }

    [Fact]
    public async Task A_tenant_that_its_source_suspends_is_suspended_until_the_source_or_an_admin_lifts_it()
    {
        var source = new Source();
        source.Give("first", "second");
        await using var server = await StartAsync(source);
        Assert.NotNull(await ProductAsync(server, "first"));

        source.Suspend("first");
        source.Give("first", "second");
        await UntilAsync(async () => await ProductAsync(server, "first") is null);
        Assert.NotNull(await ProductAsync(server, "second"));

        source.Activate("first");
        source.Give("first", "second");
        await UntilAsync(async () => await ProductAsync(server, "first") is not null);

        source.Suspend("first");
        source.Give("first", "second");
        await UntilAsync(async () => await ProductAsync(server, "first") is null);
        await SetStatusAsync(server, "active");
        Assert.NotNull(await ProductAsync(server, "first"));

        // The source has not changed its mind: it says so again when it is asked the next time.
        source.Give("first", "second");
        await UntilAsync(async () => await ProductAsync(server, "first") is null);
        await SetStatusAsync(server, "active");
        await SetStatusAsync(server, "suspended");
        source.Activate("first");
        source.Give("first", "second", "third");
        await UntilAsync(async () => await ProductAsync(server, "third") is not null);
        Assert.Null(await ProductAsync(server, "first"));
    }

    [Fact]
    public async Task Two_sources_of_one_type_stop_the_start_because_their_tenants_could_not_be_told_apart()
    {
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            TenancyServer.StartAsync(settings: Settings(), services: services =>
                services.AddSingleton<ITenantSource>(new Source()).AddSingleton<ITenantSource>(new Source())
            )
        );
        Assert.Contains(nameof(Source), exception.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, string?> Settings() =>
        new()
        {
            ["Tenancy:BaseDomain"] = "localhost",
            ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
            ["Tenancy:Defaults:Authentication:Kind"] = "none",
        };

    private Task<TenancyServer> StartAsync(ITenantSource? source = null, RedisServer? redis = null) =>
        TenancyServer.StartAsync(settings: Settings(), redis: redis, services: services =>
            services
                .AddSingleton<TimeProvider>(_clock)
                .AddSingleton<ILoggerProvider>(_log)
                .AddSingleton(provider => source ?? new SqliteTenantSource(ConnectionString, provider.GetRequiredService<TimeProvider>()))
        );

    /// <summary>Lets time pass, a second at a time, until something is so.</summary>
    private Task UntilAsync(Func<Task<bool>> condition) =>
        Poll.UntilAsync(() =>
        {
            _clock.Advance(Tick);
            return condition();
        });

    private Task InsertAsync(string id, string product, string? customer = null) =>
        ExecuteAsync(
            $$"""INSERT INTO tenants (id, settings, customer) VALUES ('{{id}}', '{ "product": "{{product}}" }', {{Sql(customer)}})"""
        );

    private static string Sql(string? text) => text is null ? "NULL" : $"'{text}'";

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are this test's own.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static async Task SetStatusAsync(TenancyServer server, string status)
    {
        using var change = await server.AdminAsync(HttpMethod.Patch, "/first", new { status });
        Assert.Equal(HttpStatusCode.OK, change.StatusCode);
    }

    /// <summary>The product that a tenant has; null where there is no such tenant, "pending" where its platform is being built.</summary>
    private static async Task<string?> ProductAsync(TenancyServer server, string tenant)
    {
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            tenant,
            token: null,
            McpCalls.Call("get_products"),
            accept: "application/json"
        );
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.ServiceUnavailable)
        {
            return response.StatusCode == HttpStatusCode.NotFound ? null : "pending";
        }

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await McpCalls.ReadAsync(response))["result"]!["structuredContent"]!["products"]![0]!["product_id"]!.ToString();
    }

    /// <summary>A source as anybody may write one, which can also break off in the middle.</summary>
    private sealed class Source : ITenantSource
    {
        private readonly HashSet<string> _suspended = [];
        private readonly SemaphoreSlim _changed = new(0);
        private string[] _ids = [];

        public int? BreakOffAfter { get; set; }

        public PrincipalRegistration[] Principals { get; init; } = [];

        public void Suspend(string id) => _suspended.Add(id);

        public void Activate(string id) => _suspended.Remove(id);

        public void Give(params string[] ids)
        {
            _ids = ids;
            _changed.Release();
        }

        public async IAsyncEnumerable<TenantRegistration> LoadAsync(
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
        )
        {
            await Task.Yield();
            for (var i = 0; i < _ids.Length; i++)
            {
                if (i == BreakOffAfter)
                {
                    throw new IOException("The source broke off.");
                }

                yield return new()
                {
                    Tenant = new()
                    {
                        Id = _ids[i],
                        Status = _suspended.Contains(_ids[i]) ? TenantAdminStatus.Suspended : TenantAdminStatus.Active,
                        Authentication = Principals.Length > 0 ? new() { Kind = TenantAuthenticationKind.Bearer } : null,
                    },
                    Principals = Principals,
                };
            }
        }

        public Task WaitForChangeAsync(CancellationToken cancellationToken) => _changed.WaitAsync(cancellationToken);
    }
}

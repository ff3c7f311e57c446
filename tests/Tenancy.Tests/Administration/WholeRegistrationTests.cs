using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Administration;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Fleet;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;
using Tenancy.Validation;

namespace Tenancy.Tests.Administration;

/// <summary>A registration happens whole or not at all, a deletion to its end, and an admin sees what is under way.</summary>
[Tier(Tier.Process)]
public sealed class WholeRegistrationTests
{
    private static readonly TenantId Acme = TenantId.Parse("acme");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task Two_principals_with_one_token_are_a_mistake_and_leave_nothing_behind(StoreKind store)
    {
        await using var server = await TenancyServer.StartAsync(store);
        using var refused = await server.AdminAsync(
            HttpMethod.Post,
            "",
            """{"id":"shop","principals":[{"name":"a","token":"shop.one"},{"name":"b","token":"shop.one"}]}"""
        );
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal(["principals[1].token"], (await McpCalls.ReadAsync(refused))["errors"]!.AsObject().Select(error => error.Key));
        var shop = TenantId.Parse("shop");
        Assert.True((await Redis(server).GetAsync(new TenantKeyspace(shop).Principal(TenantKeyspace.Hash("shop.one")))).IsNull);
        Assert.Empty(await Redis(server).GetHashAsync(FleetKeyspace.Metadata(shop)));

        using var mended = await server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            """{"id":"shop","principals":[{"name":"a","token":"shop.one"},{"name":"b","token":"shop.two"}]}"""
        );
        Assert.Equal(HttpStatusCode.Created, mended.StatusCode);
        await server.CallAsync("shop", "shop.one", "whoami");
        await server.CallAsync("shop", "shop.two", "whoami");
    }

    [Fact]
    public async Task A_tenant_whose_client_left_while_it_was_checked_has_its_principals_and_the_same_request_finds_them()
    {
        var validator = new GatedValidator();
        var check = validator.Hold("shop");
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<ITenantValidator>(validator));
        const string Shop = """{"id":"shop","principals":[{"name":"a","token":"shop.one","scopes":["buy"]}]}""";
        using var leaves = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/admin/tenants?wait=true")
        {
            Content = new StringContent(Shop, System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        var sending = server.Client.SendAsync(request, leaves.Token);
        await check.Started;
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        check.End(GatedValidator.Valid);
        await Poll.UntilAsync(() => Task.FromResult(server.Services.GetRequiredService<TenantRegistry>().Get("shop")!.IsServing));

        await server.CallAsync("shop", "shop.one", "whoami");
        using var again = await server.AdminAsync(HttpMethod.Post, "", Shop);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        var principal = Assert.Single((await McpCalls.ReadAsync(again))["principals"]!.AsArray())!;
        Assert.Equal((await PrincipalsAsync(server, "shop")).Single()!["id"]!.ToString(), principal["id"]!.ToString());
        Assert.Equal("shop.one", principal["token"]!.ToString());
    }

    [Theory]
    [InlineData("""{"name":"new"}""")]
    [InlineData("""{"name":"new","token":"shop.other"}""")]
    [InlineData("""{"name":"renamed","token":"shop.one"}""")]
    [InlineData("""{"name":"a","token":"shop.one","scopes":["buy"]}""")]
    public async Task A_request_that_meets_the_same_tenant_without_its_principal_says_so_and_changes_nothing(string principal)
    {
        await using var server = await TenancyServer.StartAsync();
        const string Shop = """{"id":"shop","principals":[{"name":"a","token":"shop.one"}]}""";
        using var created = await server.AdminAsync(HttpMethod.Post, "", Shop);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        using var equal = await server.AdminAsync(HttpMethod.Post, "", Shop);
        Assert.Equal(HttpStatusCode.OK, equal.StatusCode);
        Assert.Equal("a", (await McpCalls.ReadAsync(equal))["principals"]![0]!["name"]!.ToString());

        using var refused = await server.AdminAsync(HttpMethod.Post, "", $$"""{"id":"shop","principals":[{{principal}}]}""");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Equal(["principals[0]"], (await McpCalls.ReadAsync(refused))["errors"]!.AsObject().Select(error => error.Key));
        Assert.Equal("a", (await PrincipalsAsync(server, "shop")).Single()!["name"]!.ToString());
    }

    [Fact]
    public async Task Tenants_whose_own_keys_the_store_refuses_at_the_first_start_are_whole_when_it_takes_them()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.ExecuteAsync("ACL", "SETUSER", "default", "resetkeys", "~{tenants}*");
        await using (var server = await TenancyServer.StartAsync(redis: redis))
        {
            Assert.False(server.Services.GetRequiredService<TenantRegistry>().IsLoaded);
            using var early = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("whoami"));
            using var answer = await server.Client.SendAsync(early, Token);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        }

        await redis.ExecuteAsync("ACL", "SETUSER", "default", "allkeys");
        await using var next = await TenancyServer.StartAsync(redis: redis);
        var registry = next.Services.GetRequiredService<TenantRegistry>();
        await Poll.UntilAsync(() =>
            Task.FromResult(
                registry.IsLoaded && registry.Get("acme") is { IsServing: true } && registry.Get("globex") is { IsServing: true }
            )
        );
        await next.CallAsync("acme", McpCalls.Acme, "whoami");
        await next.CallAsync("globex", "globex.dev-buyer", "whoami");
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task An_adoption_says_what_came_back_and_is_refused_whole_where_a_token_is_in_use(StoreKind store)
    {
        await using var server = await TenancyServer.StartAsync(store);
        await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", McpCalls.CreateBuy());
        using var unregistered = await server.AdminAsync(HttpMethod.Post, "/acme/unregister");
        using var refused = await server.AdminAsync(
            HttpMethod.Post,
            "?adopt=true",
            """{"id":"acme","principals":[{"name":"n","token":"acme.new"},{"name":"twin","token":"acme.dev-buyer"}]}"""
        );
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Equal(["principals[1].token"], (await McpCalls.ReadAsync(refused))["errors"]!.AsObject().Select(error => error.Key));
        Assert.True((await Redis(server).GetAsync(new TenantKeyspace(Acme).Principal(TenantKeyspace.Hash("acme.new")))).IsNull);
        Assert.Null(server.Services.GetRequiredService<TenantRegistry>().Get("acme"));

        using var adopted = await server.AdminAsync(
            HttpMethod.Post,
            "?adopt=true&wait=true",
            """{"id":"acme","principals":[{"name":"n","token":"acme.new"}]}"""
        );
        Assert.Equal(HttpStatusCode.Created, adopted.StatusCode);
        var kept = (await McpCalls.ReadAsync(adopted))["adopted"]!;
        Assert.Equal((1, 0), ((int)kept["principals"]!, (int)kept["clients"]!));
        Assert.InRange((int)kept["documents"]!, 1, 10);
        Assert.InRange((long)kept["documentBytes"]!, 100, 100_000);
        await server.CallAsync("acme", McpCalls.Acme, "whoami");
        await server.CallAsync("acme", "acme.new", "whoami");

        using var fresh = await server.AdminAsync(HttpMethod.Post, "?adopt=true", """{"id":"fresh"}""");
        Assert.Null((await McpCalls.ReadAsync(fresh))["adopted"]);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_deletion_that_was_cut_off_is_shown_and_goes_on_by_the_timer(StoreKind store)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await TenancyServer.StartAsync(store, services: services => services.AddSingleton<TimeProvider>(clock));
        await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", McpCalls.CreateBuy());
        await server
            .Services.GetRequiredService<ITenantStore>()
            .RemoveAsync(Acme, purge: true, AuditEntry.Of(AuditAction.TenantDeleted, "acme"));
        await server.Services.GetRequiredService<TenantRegistry>().Changes.RemoveAsync(Acme, purge: true);
        using var shown = await server.AdminAsync(HttpMethod.Get, "/acme");
        Assert.Equal(HttpStatusCode.NotFound, shown.StatusCode);
        Assert.Equal(0, (int)(await McpCalls.ReadAsync(shown))["purging"]!["deleted"]!);
        Assert.Equal("""[{"id":"acme","deleted":0}]""", await DeletionsAsync());
        using var refused = await server.AdminAsync(HttpMethod.Post, "", """{"id":"acme"}""");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);

        var purge = server.Services.GetRequiredService<TenantPurge>();
        await Poll.UntilAsync(async () =>
        {
            clock.Advance(UnfinishedTenants.Interval);
            return await purge.FindAsync(Acme) is null;
        });
        using var gone = await server.AdminAsync(HttpMethod.Get, "/acme");
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        Assert.Null((await McpCalls.ReadAsync(gone))["purging"]);
        Assert.Equal("[]", await DeletionsAsync());
        using var again = await server.AdminAsync(HttpMethod.Post, "", """{"id":"acme"}""");
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);

        async Task<string> DeletionsAsync()
        {
            using var deletions = await server.AdminAsync(HttpMethod.Get, "/../deletions");
            return (await McpCalls.ReadAsync(deletions))["deletions"]!.ToJsonString();
        }
    }

    [Fact]
    public async Task A_registration_that_another_node_left_unfinished_is_finished_and_served_by_the_timer_of_any()
    {
        await using var own = await OwnStore.StartAsync(StoreKind.Embedded);
        var cut = new CutOff();
        await using (
            var dying = await RegistryHost.CreateAsync(services: services => services.AddSingleton(own.Store.Connect(profiler: cut.Next)))
        )
        {
            // The first registration makes the store know the scripts.
            await dying.Registry.RegisterAsync(RegistryHost.Config("warm"), cancellationToken: Token);

            // Its health is kept in the background, which would use up the one command.
            await dying.Registry.Checks.FlushAsync();
            cut.After(1);
            await Assert.ThrowsAsync<StoreUnavailableException>(() =>
                dying.Registry.RegisterAsync(RegistryHost.Config("acme"), cancellationToken: Token)
            );
            cut.Mend();
        }

        await using var other = await RegistryHost.CreateAsync(services: services => services.AddSingleton(own.Store.Connect()));
        other.Registry.MarkLoaded();
        await other.Services.GetRequiredService<UnfinishedTenants>().CompleteAsync(Token);
        await other.Registry.Checks.RecheckAsync(Acme, Token);
        Assert.True(other.Model("acme").IsServing);
        Assert.Equal(other.Model("acme").Generation, (long)await own.Store.Redis.GetAsync(new TenantKeyspace(Acme).Generation));
    }

    [Fact]
    public async Task After_the_store_lost_everything_what_a_tenant_would_keep_is_refused()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(redis: redis);
        await redis.ExecuteAsync("FLUSHALL");
        using var issued = await server.AdminAsync(HttpMethod.Post, "/acme/principals", """{"name":"n"}""");
        Assert.Equal(HttpStatusCode.NotFound, issued.StatusCode);
        await redis.ExecuteAsync("SCRIPT", "FLUSH");
        await server.Services.GetRequiredService<UnfinishedTenants>().CompleteAsync(Token);
        using var still = await server.AdminAsync(HttpMethod.Post, "/acme/principals", """{"name":"n"}""");
        Assert.Equal(HttpStatusCode.NotFound, still.StatusCode);
        Assert.DoesNotContain("tenant:{acme}:princ", await redis.ReadAllAsync(), StringComparison.Ordinal);
    }

    private static RedisConnection Redis(TenancyServer server) => server.Services.GetRequiredService<RedisConnection>();

    private static async Task<JsonArray> PrincipalsAsync(TenancyServer server, string tenant)
    {
        using var response = await server.AdminAsync(HttpMethod.Get, $"/{tenant}/principals");
        return (await McpCalls.ReadAsync(response))["principals"]!.AsArray();
    }
}

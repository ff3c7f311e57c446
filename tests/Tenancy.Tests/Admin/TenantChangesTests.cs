using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tenancy.Audit;
using Tenancy.Configuration;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>Tenants are changed, rechecked, suspended, unregistered and deleted while the server runs.</summary>
[Tier(Tier.Process)]
public sealed class TenantChangesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_list_shows_health_reason_and_last_check()
    {
        await using var server = await TenancyServer.StartAsync();
        using var created = await server.AdminAsync(HttpMethod.Post, "", """{"id":"broken"}""");
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        using var broken = await server.AdminAsync(HttpMethod.Patch, "/broken?force=true", """{"settings":{"fail":"no ad server"}}""");
        Assert.Equal(HttpStatusCode.OK, broken.StatusCode);
        using var response = await server.AdminAsync(HttpMethod.Get, "");
        var tenants = (await McpCalls.ReadAsync(response))["tenants"]!.AsArray();
        Assert.Equal(
            ["acme healthy ", "broken disabled no ad server", "globex healthy "],
            tenants.Select(tenant => $"{tenant!["id"]} {tenant["health"]} {tenant["reason"]}")
        );
        Assert.All(tenants, tenant =>
            Assert.InRange((DateTimeOffset)tenant!["lastCheckedAt"]!, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow)
        );
    }

    [Fact]
    public async Task An_answer_can_be_changed_and_sent_back_while_nobody_else_has_changed_the_tenant()
    {
        await using var server = await TenancyServer.StartAsync();
        using var read = await server.AdminAsync(HttpMethod.Get, "/acme");
        var tenant = await McpCalls.ReadAsync(read);
        tenant["name"] = "Sent back";
        using var sent = await PatchAsync(server, "acme", tenant.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, sent.StatusCode);
        Assert.Equal("Sent back", (string)(await McpCalls.ReadAsync(sent))["name"]!);

        using var late = await PatchAsync(server, "acme", tenant.ToJsonString());
        Assert.Equal(HttpStatusCode.PreconditionFailed, late.StatusCode);
        using var found = await PatchAsync(server, "acme", """{"health":"disabled"}""");
        Assert.Equal(HttpStatusCode.BadRequest, found.StatusCode);
    }

    [Theory]
    [InlineData("DELETE", "")]
    [InlineData("POST", "/recheck")]
    [InlineData("POST", "/unregister")]
    public async Task A_condition_that_is_not_looked_at_is_refused_and_nothing_is_done(string method, string path)
    {
        await using var server = await TenancyServer.StartAsync();
        using var request = new HttpRequestMessage(new(method), "/admin/tenants/acme" + path);
        request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        request.Headers.TryAddWithoutValidation("If-Match", "\"1\"");
        using var refused = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.NotNull((await McpCalls.ReadAsync(refused))["errors"]!["If-Match"]);
        Assert.NotNull(server.Services.GetRequiredService<TenantRegistry>().Get("acme"));
    }

    [Fact]
    public async Task A_patch_changes_what_it_names_and_applies_with_the_next_request()
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await PatchAsync(
            server,
            "acme",
            """{"name":"ACME 2","settings":{"product":"acme-poster"},"limits":{"maxSessions":7}}"""
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var tenant = await McpCalls.ReadAsync(response);
        Assert.Equal("ACME 2", tenant["name"]!.ToString());
        Assert.Equal(7, (int)tenant["limits"]!["maxSessions"]!);
        Assert.Equal(1000, (int)tenant["limits"]!["rateLimit"]!);
        Assert.Equal("https://acme.example.com", tenant["urls"]![0]!.ToString());
        Assert.Equal($"\"{tenant["version"]}\"", response.Headers.ETag!.ToString());
        Assert.Equal(
            "acme-poster",
            (await server.CallAsync("acme", McpCalls.Acme, "get_products"))["structuredContent"]!["products"]![0]!["product_id"]!.ToString()
        );
    }

    [Theory]
    [InlineData("""{"id":"other"}""", HttpStatusCode.BadRequest, "id")]
    [InlineData("""{"nmae":"x"}""", HttpStatusCode.BadRequest, "nmae")]
    [InlineData("""{"urls":["nonsense"]}""", HttpStatusCode.BadRequest, "urls[0]")]
    [InlineData("""{"urls":["https://globex.localhost"]}""", HttpStatusCode.BadRequest, "urls[0]")]
    [InlineData("""{"urls":["https://shared.example.com/shops/globex"]}""", HttpStatusCode.Conflict, "urls")]
    [InlineData("""{"limits":{"rateLimit":-1}}""", HttpStatusCode.BadRequest, "limits.rateLimit")]
    [InlineData("""{"name":"a","principals":[{"name":"second"}]}""", HttpStatusCode.BadRequest, "principals")]
    [InlineData("""{"name":"a","principals":null}""", HttpStatusCode.BadRequest, "principals")]
    [InlineData("""{"name":"a","nmae":null}""", HttpStatusCode.BadRequest, "nmae")]
    [InlineData("""{"name":"a","domain":null}""", HttpStatusCode.BadRequest, "domain")]
    [InlineData("""{"name":"a","oidc":null}""", HttpStatusCode.BadRequest, "oidc")]
    [InlineData("""{"name":"a","health":null}""", HttpStatusCode.BadRequest, "health")]
    [InlineData("""{"name":"a","limits":{"maxSesions":null}}""", HttpStatusCode.BadRequest, "limits.maxSesions")]
    [InlineData("""{"name":"a","authentication":{"isuer":null}}""", HttpStatusCode.BadRequest, "authentication.isuer")]
    [InlineData("""{"name":"a","name":"b"}""", HttpStatusCode.BadRequest, "")]
    [InlineData("""[]""", HttpStatusCode.BadRequest, "")]
    [InlineData("""{""", HttpStatusCode.BadRequest, "")]
    public async Task A_patch_with_a_mistake_names_the_field_and_changes_nothing(string patch, HttpStatusCode status, string field)
    {
        await using var server = await TenancyServer.StartAsync();
        using var before = await server.AdminAsync(HttpMethod.Get, "/acme");
        using var response = await PatchAsync(server, "acme", patch);
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(field, Assert.Single((await McpCalls.ReadAsync(response))["errors"]!.AsObject()).Key);
        using var after = await server.AdminAsync(HttpMethod.Get, "/acme");
        Assert.Equal(await before.Content.ReadAsStringAsync(Token), await after.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task A_patch_says_where_principals_are_changed()
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await PatchAsync(server, "acme", """{"principals":[{"name":"second"}]}""");
        Assert.Contains(
            "POST /admin/tenants/acme/principals",
            (await McpCalls.ReadAsync(response))["errors"]!["principals"]![0]!.ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Null_takes_out_what_a_tenant_has_or_may_have_and_any_of_its_settings()
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await PatchAsync(
            server,
            "acme",
            """{"name":null,"settings":{"product":null,"fail":null,"nothing":null},"limits":{"maxSessions":null}"""
                + ""","authentication":{"issuer":null}}"""
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var tenant = await McpCalls.ReadAsync(response);
        Assert.Equal("{}", tenant["settings"]!.ToJsonString());
        Assert.Equal(1000, (int)tenant["limits"]!["maxSessions"]!);
    }

    [Fact]
    public async Task A_patch_of_a_version_that_is_gone_is_412()
    {
        await using var server = await TenancyServer.StartAsync();
        using var read = await server.AdminAsync(HttpMethod.Get, "/acme");
        var tag = read.Headers.ETag!.ToString();
        using var first = await PatchAsync(server, "acme", """{"name":"first"}""", tag);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using var second = await PatchAsync(server, "acme", """{"name":"second"}""", tag);
        Assert.Equal(HttpStatusCode.PreconditionFailed, second.StatusCode);
        using var nonsense = await PatchAsync(server, "acme", """{"name":"third"}""", "\"x\"");
        Assert.Equal(HttpStatusCode.BadRequest, nonsense.StatusCode);
    }

    [Fact]
    public async Task A_patch_that_does_not_pass_validation_is_422_and_the_tenant_is_served_as_before()
    {
        await using var server = await TenancyServer.StartAsync();
        using var refused = await PatchAsync(server, "acme", """{"settings":{"fail":"no ad server"}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Contains("no ad server", (await McpCalls.ReadAsync(refused))["detail"]!.ToString(), StringComparison.Ordinal);
        Assert.NotNull(await server.CallAsync("acme", McpCalls.Acme, "get_products"));

        using var forced = await server.AdminAsync(HttpMethod.Patch, "/acme?force=true", """{"settings":{"fail":"no ad server"}}""");
        Assert.Equal("disabled", (await McpCalls.ReadAsync(forced))["health"]!.ToString());
        using var call = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("get_products"));
        using var answer = await server.Client.SendAsync(call, Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        using var mended = await PatchAsync(server, "acme", """{"settings":{"fail":null}}""");
        Assert.Equal("healthy", (await McpCalls.ReadAsync(mended))["health"]!.ToString());
        Assert.NotNull(await server.CallAsync("acme", McpCalls.Acme, "get_products"));
    }

    [Fact]
    public async Task A_recheck_revives_a_disabled_tenant()
    {
        var validator = new Registry.GatedValidator();
        validator.Answer("acme", Registry.GatedValidator.Permanent);
        await using var server = await TenancyServer.StartAsync(services: services =>
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<Tenancy.Validation.ITenantValidator>(
                services,
                validator
            )
        );
        using var first = await server.AdminAsync(HttpMethod.Post, "/acme/recheck");
        Assert.Equal("disabled", (await McpCalls.ReadAsync(first))["health"]!.ToString());
        validator.Answer("acme", Registry.GatedValidator.Valid);
        using var second = await server.AdminAsync(HttpMethod.Post, "/acme/recheck");
        Assert.Equal("healthy", (await McpCalls.ReadAsync(second))["health"]!.ToString());
        using var unknown = await server.AdminAsync(HttpMethod.Post, "/nobody/recheck");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task Unknown_and_suspended_tenants_get_the_same_answer_to_the_byte()
    {
        await using var server = await TenancyServer.StartAsync();
        using var suspended = await PatchAsync(server, "acme", """{"status":"suspended"}""");
        Assert.Equal("suspended", (await McpCalls.ReadAsync(suspended))["status"]!.ToString());
        foreach (var way in Enum.GetValues<Way>())
        {
            foreach (var token in new[] { null, McpCalls.Acme })
            {
                Assert.Equal(await AnswerAsync("nobody", way, token), await AnswerAsync("acme", way, token));
            }
        }

        using var resumed = await PatchAsync(server, "acme", """{"status":"active"}""");
        Assert.NotNull(await server.CallAsync("acme", McpCalls.Acme, "get_products"));

        async Task<string> AnswerAsync(string tenant, Way way, string? token)
        {
            using var request = McpCalls.Post(server.Port, way, tenant, token, McpCalls.Call("get_products"));
            using var response = await server.Client.SendAsync(request, Token);
            response.Headers.Date = null;
            return $"{(int)response.StatusCode} {response.Headers} {response.Content.Headers} "
                + $"{await response.Content.ReadAsStringAsync(Token)}";
        }
    }

    [Theory]
    [InlineData("suspend")]
    [InlineData("delete")]
    public async Task Streams_end_with_what_they_were_begun_with_and_sessions_wait_for_its_return(string change)
    {
        await using var server = await TenancyServer.StartAsync();
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        var other = await server.InitializeAsync("globex", McpCalls.Globex);
        using var stream = await OpenAsync("acme", McpCalls.Acme, session);
        using var otherStream = await OpenAsync("globex", McpCalls.Globex, other);
        var reading = Assert.ThrowsAnyAsync<IOException>(async () => await ReadToEndAsync(stream));

        using var changed = change switch
        {
            "suspend" => await PatchAsync(server, "acme", """{"status":"suspended"}"""),
            _ => await server.AdminAsync(HttpMethod.Delete, "/acme"),
        };
        Assert.True(changed.IsSuccessStatusCode);
        await reading.WaitAsync(TimeSpan.FromSeconds(20), Token);
        if (change == "suspend")
        {
            using var resumed = await PatchAsync(server, "acme", """{"status":"active"}""");
        }

        if (change != "delete")
        {
            using var call = McpCalls.Post(
                server.Port,
                Way.Path,
                "acme",
                McpCalls.Acme,
                McpCalls.Call("whoami"),
                Generation.Sessions,
                session
            );
            using var answered = await server.Client.SendAsync(call, Token);
            Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        }

        Assert.NotNull(await server.CallAsync("globex", McpCalls.Globex, "whoami", sessionId: other));

        async Task<HttpResponseMessage> OpenAsync(string tenant, string token, string sessionId)
        {
            using var get = McpCalls.Bodyless(HttpMethod.Get, server.Port, Way.Path, tenant, token, sessionId);
            get.Headers.Add("MCP-Protocol-Version", "2025-11-25");
            var response = await server.Client.SendAsync(get, HttpCompletionOption.ResponseHeadersRead, Token);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return response;
        }

        static async Task ReadToEndAsync(HttpResponseMessage response)
        {
            await using var stream = await response.Content.ReadAsStreamAsync(Token);
            var buffer = new byte[256];
            while (await stream.ReadAsync(buffer, Token) > 0) { }

            throw new IOException("The stream ended.");
        }
    }

    [Fact]
    public async Task Unregister_keeps_the_data_and_delete_purges_it()
    {
        await using var server = await TenancyServer.StartAsync();
        await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", McpCalls.CreateBuy(7));
        using var unregistered = await server.AdminAsync(HttpMethod.Post, "/acme/unregister");
        Assert.Equal(HttpStatusCode.NoContent, unregistered.StatusCode);
        using var refused = await server.AdminAsync(HttpMethod.Post, "", """{"id":"acme"}""");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("adopt=true", (await McpCalls.ReadAsync(refused))["detail"]!.ToString(), StringComparison.Ordinal);

        using var adopted = await server.AdminAsync(HttpMethod.Post, "?adopt=true", """{"id":"acme"}""");
        Assert.Equal(HttpStatusCode.Created, adopted.StatusCode);
        Assert.Equal(
            7,
            (int)(await server.CallAsync("acme", McpCalls.Acme, "get_media_buys"))["structuredContent"]!["media_buys"]![0]!["total_budget"]!
        );

        using var again = await server.AdminAsync(HttpMethod.Post, "/acme/unregister");
        using var deleted = await server.AdminAsync(HttpMethod.Delete, "/acme");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        using var fresh = await server.AdminAsync(
            HttpMethod.Post,
            "",
            """{"id":"acme","principals":[{"name":"n","token":"acme.fresh"}]}"""
        );
        Assert.Equal(HttpStatusCode.Created, fresh.StatusCode);
        Assert.Empty((await server.CallAsync("acme", "acme.fresh", "get_media_buys"))["structuredContent"]!["media_buys"]!.AsArray());
    }

    [Fact]
    public async Task A_platform_that_fails_when_it_is_disposed_fails_neither_a_delete_nor_the_last_request_and_is_logged_with_its_tenant()
    {
        var log = new LogRecorder();
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<ILoggerProvider>(log));
        var registry = server.Services.GetRequiredService<TenantRegistry>();
        using var broken = await PatchAsync(server, "acme", """{"settings":{"failToEnd":"no way out"}}""");
        Assert.Equal(HttpStatusCode.OK, broken.StatusCode);

        // The registry lets go while a request runs, so that the request is the last to hold it.
        var held = registry.Get("acme")!.Platform!;
        Assert.True(held.TryHold());
        using var changed = await PatchAsync(server, "acme", """{"settings":{"product":"new"}}""");
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        Assert.DoesNotContain(log.Errors, IsOfAcme);
        await held.ReleaseAsync();
        Assert.Contains(log.Errors, IsOfAcme);

        log.Clear();
        using var deleted = await server.AdminAsync(HttpMethod.Delete, "/acme");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Contains(log.Errors, IsOfAcme);
        using var again = await server.AdminAsync(HttpMethod.Post, "", """{"id":"acme"}""");
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);

        static bool IsOfAcme(LogEntry entry) =>
            entry.Event == "PlatformNotDisposed"
            && entry.Text.Contains("acme", StringComparison.Ordinal)
            && entry.Text.Contains("no way out", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StoreKind.Embedded)]
    [InlineData(StoreKind.Redis)]
    public async Task A_delete_whose_answer_was_lost_is_made_good_by_the_next(StoreKind store)
    {
        await using var server = await TenancyServer.StartAsync(store);
        await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", McpCalls.CreateBuy());
        var entry = AuditEntry.Of(AuditAction.TenantDeleted, "acme");
        await server.Services.GetRequiredService<ITenantStore>().RemoveAsync(TenantId.Parse("acme"), purge: true, entry);

        using var deleted = await server.AdminAsync(HttpMethod.Delete, "/acme");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        using var health = await server.Client.GetAsync("/acme/health", Token);
        Assert.Equal(HttpStatusCode.NotFound, health.StatusCode);
        await AssertPurgedAsync(server);
    }

    [Fact]
    public async Task A_delete_goes_on_to_the_end_when_its_client_goes()
    {
        using var client = new CancellationTokenSource();
        using var noticed = new ManualResetEventSlim();
        var removal = new RemovalListener(() =>
        {
            client.Cancel();
            Assert.True(noticed.Wait(TimeSpan.FromSeconds(20)), "The server did not notice that the client went.");
        });
        await using var server = await TenancyServer.StartAsync(
            services: services => services.AddSingleton(new OwnChangeListener(removal)),
            endpoints: app =>
                app.Use(
                    (context, next) =>
                    {
                        if (HttpMethods.IsDelete(context.Request.Method))
                        {
                            context.RequestAborted.Register(noticed.Set);
                        }

                        return next(context);
                    }
                )
        );
        await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", McpCalls.CreateBuy());
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/admin/tenants/acme");
        request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.Client.SendAsync(request, client.Token));

        var purge = server.Services.GetRequiredService<TenantPurge>();
        await Poll.UntilAsync(async () => await purge.FindAsync(TenantId.Parse("acme")) is null);
        Assert.True(noticed.IsSet);
        await AssertPurgedAsync(server);
    }

    [Fact]
    public async Task A_delete_that_the_end_of_the_server_cuts_off_is_503_and_is_finished_by_the_next_start()
    {
        ServingTime? serving = null;
        await using var redis = await RedisServer.StartAsync();
        var removal = new OwnChangeListener(new RemovalListener(() => serving!.End()));
        await using (var server = await TenancyServer.StartAsync(redis: redis, services: services => services.AddSingleton(removal)))
        {
            serving = server.Services.GetRequiredService<ServingTime>();
            await server.CallAsync("acme", McpCalls.Acme, "create_media_buy", McpCalls.CreateBuy());
            using var cut = await server.AdminAsync(HttpMethod.Delete, "/acme");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, cut.StatusCode);
        }

        await using var next = await TenancyServer.StartAsync(redis: redis);
        var purge = next.Services.GetRequiredService<TenantPurge>();
        await Poll.UntilAsync(async () => await purge.FindAsync(TenantId.Parse("acme")) is null);
        await AssertPurgedAsync(next);
    }

    [Fact]
    public async Task With_wait_the_answer_has_the_first_validation()
    {
        var validator = new Registry.GatedValidator();
        await using var server = await TenancyServer.StartAsync(services: services =>
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<Tenancy.Validation.ITenantValidator>(
                services,
                validator
            )
        );
        var call = validator.Hold("initech");
        var waiting = server.AdminAsync(HttpMethod.Post, "?wait=true", """{"id":"initech"}""");
        await call.Started;
        using (var now = await server.AdminAsync(HttpMethod.Get, "/initech"))
        {
            Assert.Equal("pending", (await McpCalls.ReadAsync(now))["health"]!.ToString());
        }

        call.End(Registry.GatedValidator.Valid);
        using var response = await waiting;
        Assert.Equal("healthy", (await McpCalls.ReadAsync(response))["health"]!.ToString());
    }

    [Fact]
    public async Task While_the_store_is_away_changes_are_503_and_tenants_go_on_resolving()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await TenancyServer.StartAsync(redis: redis);
        await redis.StopAsync();
        foreach (
            var (method, path, body) in new[]
            {
                (HttpMethod.Post, "", """{"id":"x"}"""),
                (HttpMethod.Patch, "/acme", """{"name":"x"}"""),
                (HttpMethod.Delete, "/acme", null),
                (HttpMethod.Post, "/acme/unregister", null),
            }
        )
        {
            using var response = await server.AdminAsync(method, path, body);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(2), response.Headers.RetryAfter!.Delta);
        }

        using var health = await server.Client.GetAsync("/acme/health", Token);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        Assert.NotNull(await server.CallAsync("acme", null, "get_products"));
        using var write = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            McpCalls.Call("create_media_buy", McpCalls.CreateBuy())
        );
        using var refused = await server.Client.SendAsync(write, Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(-32027, (int)(await McpCalls.ReadAsync(refused))["error"]!["code"]!);
    }

    /// <summary>Whoever has the id next has nothing of the one before.</summary>
    private static async Task AssertPurgedAsync(TenancyServer server)
    {
        using var fresh = await server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            """{"id":"acme","principals":[{"name":"n","token":"acme.fresh"}]}"""
        );
        Assert.Equal(HttpStatusCode.Created, fresh.StatusCode);
        Assert.Empty((await server.CallAsync("acme", "acme.fresh", "get_media_buys"))["structuredContent"]!["media_buys"]!.AsArray());
    }

    /// <summary>
    /// Does something between the removal of a tenant and the deletion of its data. As one of the library's own it is waited for.
    /// </summary>
    private sealed class RemovalListener(Action removed) : ITenantChangeListener
    {
        public void OnTenantChanged(TenantChange change)
        {
            if (change.Kind == TenantChangeKind.Removed)
            {
                removed();
            }
        }
    }

    private static async Task<HttpResponseMessage> PatchAsync(TenancyServer server, string tenant, string patch, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/admin/tenants/{tenant}")
        {
            Content = new StringContent(patch, System.Text.Encoding.UTF8, "application/merge-patch+json"),
        };
        request.Headers.Add("X-Admin-API-Key", TenancyServer.AdminKey);
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        return await server.Client.SendAsync(request, Token);
    }
}

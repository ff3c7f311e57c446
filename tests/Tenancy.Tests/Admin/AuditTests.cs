using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Configuration;
using Tenancy.Fleet;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;
using Tenancy.Tests.Registry;
using Tenancy.Validation;

namespace Tenancy.Tests.Admin;

/// <summary>Who did what to which tenant, and what was refused, as the admin API shows it.</summary>
[Tier(Tier.Server)]
public sealed class AuditTests
{
    private const string Reader = "a-key-that-reads";
    private const string OfAcme = "a-key-of-acme";
    private const string ReaderOfAcme = "a-key-that-reads-acme";

    private static readonly Dictionary<string, string?> Settings = new(TenancyServer.DefaultSettings)
    {
        ["Tenancy:Admin:ReadKeys:0"] = Reader,
        ["Tenancy:Admin:TenantKeys:0"] = $"acme={OfAcme}",
        ["Tenancy:Admin:TenantReadKeys:0"] = $"acme={ReaderOfAcme}",
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_change_has_an_entry_with_who_did_it_with_which_key_from_where_and_what_it_was_before()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await AdminAsync(server, HttpMethod.Patch, "/acme", new { name = "A", limits = new { rateLimit = 7 } }, OfAcme);
        await AdminAsync(server, HttpMethod.Patch, "/acme", new { status = "suspended" });
        await AdminAsync(server, HttpMethod.Patch, "/acme", new { status = "active" });
        await AdminAsync(server, HttpMethod.Post, "/acme/recheck");
        var issued = await AdminAsync(server, HttpMethod.Post, "/acme/principals", new { name = "second", scopes = new[] { "buy" } });
        var principal = (string)issued!["id"]!;
        await AdminAsync(server, HttpMethod.Post, $"/acme/principals/{principal}/rotate?overlap=60");
        await AdminAsync(server, HttpMethod.Delete, $"/acme/principals/{principal}");
        await server.InitializeAsync("acme", McpCalls.Acme);
        var session = (string)(await AdminAsync(server, HttpMethod.Get, "/acme/sessions"))!["sessions"]![0]!["handle"]!;
        await AdminAsync(server, HttpMethod.Delete, $"/acme/sessions/{session}");
        server.Services.GetRequiredService<TenantScopes>().Open(TenantId.Parse("acme"), "nightly", "account-1");
        await server.Services.GetRequiredService<AuditWriter>().WriteAsync(all: false);

        var entries = await EntriesAsync(server, "/admin/tenants/acme/audit");
        Assert.Equal(
            [
                "scope.opened",
                "session.ended",
                "principal.revoked",
                "principal.rotated",
                "principal.issued",
                "tenant.rechecked",
                "tenant.resumed",
                "tenant.suspended",
                "tenant.changed",
                "tenant.registered",
            ],
            entries.Select(entry => (string)entry["action"]!)
        );
        Assert.All(entries, entry => Assert.Equal("acme", (string)entry["tenant"]!));
        Assert.Equal(["application", .. Enumerable.Repeat("admin", 8), "configuration"], entries.Select(one => (string)one["caller"]!));
        Assert.All(entries[1..9], entry => Assert.Equal("127.0.0.1", (string)entry["address"]!));
        var times = entries.Select(entry => DateTimeOffset.Parse((string)entry["at"]!, CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(times.OrderDescending(), times);
        Assert.InRange(times[0], DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));

        // What was done without a key has none, whoever reads it; what was done with one has that one.
        Assert.All([entries[0], entries[^1]], entry => Assert.Equal((null, null), ((string?)entry["key"], (string?)entry["address"])));
        var readByAnother = await EntriesAsync(server, "/admin/tenants/acme/audit", OfAcme);
        Assert.Equal(entries.Select(entry => entry.ToJsonString()), readByAnother.Select(entry => entry.ToJsonString()));

        // Two keys, which are told apart and not told.
        Assert.NotEqual((string)entries[8]["key"]!, (string)entries[7]["key"]!);
        Assert.Equal(["limits.rateLimit", "name"], entries[8]["changes"]!.AsArray().Select(one => (string)one!["field"]!).Order());
        var limit = entries[8]["changes"]!.AsArray().Single(one => (string)one!["field"]! == "limits.rateLimit")!;
        Assert.Equal((1000, 7), ((int)limit["before"]!, (int)limit["after"]!));
        Assert.Equal("active suspended", $"{entries[7]["changes"]![0]!["before"]} {entries[7]["changes"]![0]!["after"]}");
        Assert.All(entries[2..5], entry => Assert.Equal(principal, (string)entry["subject"]!));
        Assert.Equal("second buy", string.Join(' ', entries[2]["changes"]!.AsArray().Select(one => (string)one!["before"]!)));
        Assert.Equal(session, (string)entries[1]["subject"]!);
        Assert.Equal("account-1 nightly", $"{entries[0]["account"]} {entries[0]["reason"]}");
    }

    [Fact]
    public async Task What_the_application_does_by_itself_while_an_admins_request_has_it_called_is_the_applications()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings, services: services =>
            services.AddSingleton<ITenantValidator, OpeningValidator>()
        );
        await AdminAsync(server, HttpMethod.Post, "/globex/recheck");
        await server.Services.GetRequiredService<AuditWriter>().WriteAsync(all: false);
        var opened = await EntriesAsync(server, "/admin/audit?action=scope.opened&tenant=acme");
        Assert.NotEmpty(opened);
        Assert.All(opened, entry =>
            Assert.Equal(("application", null, null), ((string?)entry["caller"], (string?)entry["key"], (string?)entry["address"]))
        );
    }

    [Fact]
    public async Task A_change_that_is_refused_or_changes_nothing_has_no_entry()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await AdminAsync(server, HttpMethod.Patch, "/acme", new { name = "same" });
        var before = (await EntriesAsync(server, "/admin/audit")).Length;
        foreach (
            var (method, path, body) in new (HttpMethod, string, object?)[]
            {
                (HttpMethod.Patch, "/acme", new { name = "same" }),
                (HttpMethod.Patch, "/acme", new { nam = "x" }),
                (HttpMethod.Patch, "/acme", new { urls = new[] { "https://shared.example.com/shops/globex" } }),
                (HttpMethod.Post, "/acme/principals", new { name = "x", token = McpCalls.Acme }),
                (HttpMethod.Delete, "/acme/principals/none", null),
                (HttpMethod.Delete, $"/acme/sessions/{new string('a', 43)}", null),
                (HttpMethod.Post, "/nobody/unregister", null),
                (HttpMethod.Delete, "/nobody", null),
                (HttpMethod.Post, "/nobody/recheck", null),
            }
        )
        {
            using var response = await server.AdminAsync(method, path, body);
        }

        Assert.Equal(before, (await EntriesAsync(server, "/admin/audit")).Length);
    }

    [Fact]
    public async Task No_secret_is_in_it()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        var secrets = Enumerable.Range(0, 6).Select(i => $"s3cr3t-{i}-{Guid.NewGuid():N}").ToArray();
        await AdminAsync(
            server,
            HttpMethod.Post,
            "",
            new
            {
                id = "initech",
                platform = "publisher",
                settings = new { product = secrets[0] },
                principals = new[] { new { name = "buyer", token = $"initech.{secrets[1]}" } },
            }
        );
        await AdminAsync(server, HttpMethod.Patch, "/initech", new { settings = new { product = secrets[2] } });
        await AdminAsync(server, HttpMethod.Post, "/initech/principals", new { name = "b", token = $"initech.{secrets[3]}" });
        var generated = await AdminAsync(server, HttpMethod.Post, "/initech/principals", new { name = "c" });
        await server.InitializeAsync("initech", $"initech.{secrets[1]}");

        using var all = await GetAsync(server, "/admin/audit");
        var text = await all.Content.ReadAsStringAsync(Token);
        Assert.All([.. secrets, (string)generated!["token"]!, TenancyServer.AdminKey], secret => Assert.DoesNotContain(secret, text));
        var changed = (await EntriesAsync(server, "/admin/audit?action=tenant.changed"))[0]["changes"]![0]!;
        Assert.Equal("settings.product (hidden) (hidden)", $"{changed["field"]} {changed["before"]} {changed["after"]}");
    }

    [Fact]
    public async Task A_key_of_one_tenant_reads_that_tenants_alone_and_a_key_for_reading_reads_all()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        foreach (var key in new[] { OfAcme, ReaderOfAcme })
        {
            foreach (var log in new[] { "audit", "refusals" })
            {
                Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, $"/admin/tenants/acme/{log}", key));
                Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, $"/admin/tenants/globex/{log}", key));
                Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, $"/admin/tenants/nobody/{log}", key));
                Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, $"/admin/{log}", key));
                Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, $"/admin/{log}?tenant=globex", key));
                Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(server, $"/admin/tenants/acme/{log}?tenant=globex", key));
            }
        }

        foreach (var path in new[] { "/admin/audit", "/admin/refusals", "/admin/tenants/globex/audit", "/admin/audit?tenant=globex" })
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, path, Reader));
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, path, "guess"));
        }
    }

    [Fact]
    public async Task A_deleted_tenants_entries_stay_with_the_fleet_and_the_next_one_with_its_id_does_not_see_them()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        await AdminAsync(server, HttpMethod.Post, "", new { id = "initech", name = "Former" });
        await AdminAsync(server, HttpMethod.Post, "/initech/principals", new { name = "theirs" });
        await AdminAsync(server, HttpMethod.Delete, "/initech");
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, "/admin/tenants/initech/audit", Reader));
        string[] former = ["tenant.deleted", "principal.issued", "tenant.registered"];
        Assert.Equal(former, await ActionsAsync(server, "/admin/audit?tenant=initech"));
        var deleted = (await EntriesAsync(server, "/admin/audit?tenant=initech"))[0]["changes"]!.AsArray();
        var name = deleted.Single(change => (string)change!["field"]! == "name")!;
        Assert.Equal(("Former", null), ((string?)name["before"], (string?)name["after"]));

        await AdminAsync(server, HttpMethod.Post, "", new { id = "initech", name = "Later" });
        Assert.Equal(["tenant.registered"], await ActionsAsync(server, "/admin/tenants/initech/audit"));
        Assert.Equal(["tenant.registered"], await ActionsAsync(server, "/admin/tenants/initech/audit?from=2020-01-01T00:00:00Z"));
        string[] all = ["tenant.registered", .. former];
        Assert.Equal(all, await ActionsAsync(server, "/admin/audit?tenant=initech"));
    }

    [Fact]
    public async Task Pages_and_filters_show_each_entry_once_and_what_is_unknown_is_refused()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        for (var i = 0; i < 7; i++)
        {
            await AdminAsync(server, HttpMethod.Patch, $"/{(i % 2 == 0 ? "acme" : "globex")}", new { name = $"name {i}" });
        }

        var all = (await EntriesAsync(server, "/admin/audit")).Select(entry => (string)entry["id"]!).ToArray();
        var ids = new List<string>();
        for (string? cursor = ""; cursor is not null; )
        {
            using var response = await GetAsync(server, $"/admin/audit?take=2{(cursor.Length > 0 ? $"&cursor={cursor}" : "")}");
            var page = JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!;
            ids.AddRange(page["entries"]!.AsArray().Select(entry => (string)entry!["id"]!));
            cursor = (string?)page["nextCursor"];
        }

        Assert.Equal(9, all.Length);
        Assert.Equal(all, ids);
        Assert.Equal(4, (await EntriesAsync(server, "/admin/audit?tenant=acme&action=tenant.changed")).Length);
        Assert.Equal(2, (await EntriesAsync(server, "/admin/audit?caller=configuration")).Length);
        var at = DateTimeOffset.Parse((string)(await EntriesAsync(server, "/admin/audit"))[0]["at"]!, CultureInfo.InvariantCulture);
        var from = Uri.EscapeDataString(at.ToString("O", CultureInfo.InvariantCulture));
        Assert.Single(await EntriesAsync(server, $"/admin/audit?from={from}"));
        Assert.Equal(8, (await EntriesAsync(server, $"/admin/audit?to={from}")).Length);
        foreach (
            var query in new[]
            {
                "take=0",
                "take=1001",
                "cursor=x",
                "cursor=0000000000000000",
                "action=tenant.change",
                "from=yesterday",
                "to=2026-13-01T00:00:00Z",
                "tenant=No%20Tenant",
                "status=active",
                "caller=",
            }
        )
        {
            using var response = await GetAsync(server, $"/admin/audit?{query}");
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Contains($"\"{query.Split('=')[0]}\"", await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Refused_requests_are_counted_by_minute_tenant_and_reason_and_unknown_and_suspended_tenants_look_alike()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await TenancyServer.StartAsync(settings: Settings, services: services =>
            services.AddSingleton<TimeProvider>(time)
        );
        await AdminAsync(server, HttpMethod.Patch, "/globex", new { status = "suspended" });

        // A tenant sees whole minutes of its own: in the one in which it began, another may have had its id.
        time.Advance(TimeSpan.FromMinutes(2));
        for (var i = 0; i < 5; i++)
        {
            await RefuseAsync(server, "acme", "acme.guess");
            await RefuseAsync(server, "nobody", null);
            await RefuseAsync(server, "globex", null);
        }

        await StatusAsync(server, "/admin/tenants/globex/audit", OfAcme);
        await StatusAsync(server, "/admin/audit", "guess");
        var writer = server.Services.GetRequiredService<AuditWriter>();
        await writer.WriteAsync(all: false);
        Assert.Empty(await RefusalsAsync(server, "/admin/refusals"));
        time.Advance(TimeSpan.FromMinutes(2));
        await writer.WriteAsync(all: false);
        Assert.Equal(
            [
                "AdminKeyForbids 404 acme 1 127.0.0.1",
                "BadCredentials 401 acme 5 127.0.0.1",
                "NoAdminKey 401  1 127.0.0.1",
                "UnknownTenant 404  10 127.0.0.1",
            ],
            await RefusalsAsync(server, "/admin/refusals")
        );
        Assert.Equal(["BadCredentials 401 acme 5 127.0.0.1"], await RefusalsAsync(server, "/admin/refusals?reason=BadCredentials"));
        Assert.Equal(2, (await RefusalsAsync(server, "/admin/tenants/acme/refusals", ReaderOfAcme)).Length);
        Assert.Empty(await RefusalsAsync(server, "/admin/tenants/globex/refusals"));
    }

    [Fact]
    public async Task What_a_policy_of_the_applications_refuses_is_counted_as_all_else()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await TenancyServer.StartAsync(
            settings: Settings,
            services: services =>
                services
                    .AddSingleton<TimeProvider>(time)
                    .AddAuthorizationBuilder()
                    .AddPolicy("badge", policy => policy.RequireClaim("badge")),
            mcp: endpoints => endpoints.RequireAuthorization("badge")
        );
        time.Advance(TimeSpan.FromMinutes(2));
        await RefuseAsync(server, "acme", McpCalls.Acme);
        await RefuseAsync(server, "acme", token: null);
        time.Advance(TimeSpan.FromMinutes(2));
        await server.Services.GetRequiredService<AuditWriter>().WriteAsync(all: false);
        Assert.Equal(
            ["NoCredentials 401 acme 1 127.0.0.1", "NotAllowed 403 acme 1 127.0.0.1"],
            await RefusalsAsync(server, "/admin/refusals")
        );
    }

    private static async Task RefuseAsync(TenancyServer server, string tenant, string? token)
    {
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token, McpCalls.Call("whoami"));
        using var response = await server.Client.SendAsync(request, Token);
        Assert.InRange((int)response.StatusCode, 400, 499);
    }

    private static async Task<string[]> RefusalsAsync(TenancyServer server, string path, string key = Reader)
    {
        using var response = await GetAsync(server, path, key);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return
        [
            .. JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!["refusals"]!
                .AsArray()
                .Select(one => $"{one!["reason"]} {one["status"]} {one["tenant"]} {one["count"]} {one["firstAddress"]}")
                .Order(StringComparer.Ordinal),
        ];
    }

    private static async Task<string[]> ActionsAsync(TenancyServer server, string path) =>
        [.. (await EntriesAsync(server, path)).Select(entry => (string)entry["action"]!)];

    private static async Task<JsonNode[]> EntriesAsync(TenancyServer server, string path, string key = Reader)
    {
        using var response = await GetAsync(server, path, key);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return [.. JsonNode.Parse(text)!["entries"]!.AsArray().Select(entry => entry!)];
    }

    private static async Task<HttpStatusCode> StatusAsync(TenancyServer server, string path, string key)
    {
        using var response = await GetAsync(server, path, key);
        return response.StatusCode;
    }

    private static async Task<HttpResponseMessage> GetAsync(TenancyServer server, string path, string key = Reader)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-Admin-API-Key", key);
        return await server.Client.SendAsync(request, Token);
    }

    private static async Task<JsonNode?> AdminAsync(
        TenancyServer server,
        HttpMethod method,
        string path,
        object? body = null,
        string key = TenancyServer.AdminKey
    )
    {
        using var response = await server.AdminAsync(method, path, body, key);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {text}");
        return text.Length == 0 ? null : JsonNode.Parse(text);
    }

    /// <summary>Works in a tenant while it checks another one.</summary>
    private sealed class OpeningValidator(IServiceProvider services) : ITenantValidator
    {
        public async ValueTask<TenantValidation> ValidateAsync(TenantConfig tenant, CancellationToken cancellationToken)
        {
            if (tenant.Id == "globex" && services.GetRequiredService<TenantRegistry>().Get("acme") is { IsServing: true })
            {
                await using var scope = services.GetRequiredService<TenantScopes>().Open(TenantId.Parse("acme"), "to compare");
            }

            return GatedValidator.Valid;
        }
    }
}

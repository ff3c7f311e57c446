using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Server;
using Tenancy.Adcp;
using Tenancy.Authentication;
using Tenancy.Configuration;
using Tenancy.Fleet;
using Tenancy.Mcp;
using Tenancy.Mcp.Platforms;
using Tenancy.Registry;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>What tenants used, as they are billed for it.</summary>
[Tier(Tier.Server)]
public sealed class UsageTests
{
    private const string Reader = "a-key-that-reads";
    private const string OfAcme = "a-key-of-acme";

    private static readonly Dictionary<string, string?> Settings = new(TenancyServer.DefaultSettings)
    {
        ["Tenancy:Admin:ReadKeys:0"] = Reader,
        ["Tenancy:Admin:TenantKeys:0"] = $"acme={OfAcme}",
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Calls_are_counted_by_tool_and_outcome_with_their_time_bytes_and_units_on_both_ways(bool isSdk)
    {
        await using var server = await StartAsync();
        for (var i = 1; i <= 3; i++)
        {
            await CallAsync(server, "acme", "meter", new() { ["units"] = i }, isSdk);
        }

        await CallAsync(server, "acme", "meter", new() { ["units"] = -1 }, isSdk);
        await CallAsync(server, "globex", "meter", new() { ["units"] = 100 }, isSdk);
        await WriteAsync(server);
        var rows = await RowsAsync(server, "/admin/tenants/acme/usage");
        Assert.Equal(["meter failed 1 0", "meter ok 3 6"], rows.Select(Show).Order(StringComparer.Ordinal));
        var ok = rows.Single(row => (string)row["outcome"]! == "ok");
        Assert.Equal(DateTime.UtcNow.ToString("yyyy-MM-dd", null), (string)ok["day"]!);
        Assert.InRange((double)ok["seconds"]!, 0.000_001, 60);

        // Three requests of about a hundred bytes each, and their answers.
        Assert.InRange((long)ok["bytes"]!, 300, 3000);
        await WriteAsync(server);
        Assert.Equal(2, (await RowsAsync(server, "/admin/tenants/acme/usage")).Length);
    }

    [Fact]
    public async Task A_write_is_counted_by_its_commit_and_a_replay_a_conflict_and_a_refused_one_are_none()
    {
        await using var server = await StartAsync();
        var buy = McpCalls.CreateBuy();
        await CallAsync(server, "acme", "metered_buy", buy);

        // Nothing was written by the node yet.
        Assert.Equal(["metered_buy ok 1 7"], (await RowsAsync(server, "/admin/tenants/acme/usage")).Select(Show));
        for (var i = 0; i < 3; i++)
        {
            await CallAsync(server, "acme", "metered_buy", (JsonObject)buy.DeepClone());
        }

        var other = (JsonObject)buy.DeepClone();
        other["packages"]![0]!["budget"] = 5;
        await CallAsync(server, "acme", "metered_buy", other);
        await WriteAsync(server);
        Assert.Equal(["metered_buy ok 1 7"], (await RowsAsync(server, "/admin/tenants/acme/usage")).Select(Show));

        // One whose handler refuses is counted as what it is, each time.
        await CallAsync(server, "acme", "metered_buy", McpCalls.CreateBuy(budget: 666));
        await WriteAsync(server);
        Assert.Equal(
            ["metered_buy error 1 7", "metered_buy ok 1 7"],
            (await RowsAsync(server, "/admin/tenants/acme/usage")).Select(Show).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Others_read_none_of_it_and_csv_has_the_same()
    {
        await using var server = await StartAsync();
        await CallAsync(server, "acme", "meter", new() { ["units"] = 2 });
        await CallAsync(server, "globex", "meter", new() { ["units"] = 3 });
        await WriteAsync(server);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "/admin/tenants/acme/usage", OfAcme));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, "/admin/tenants/globex/usage", OfAcme));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, "/admin/usage", OfAcme));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, "/admin/usage", "guess"));

        using var csv = await GetAsync(server, "/admin/usage?format=csv&take=1");
        Assert.Equal("text/csv", csv.Content.Headers.ContentType!.MediaType);
        var lines = (await csv.Content.ReadAsStringAsync(Token)).Split("\r\n");
        Assert.Equal("tenant,day,tool,outcome,calls,seconds,bytes,units,deleted", lines[0]);
        Assert.Matches($@"^acme,{DateTime.UtcNow:yyyy-MM-dd},meter,ok,1,\d+\.\d+,\d+,2,false\z", lines[1]);
        Assert.Equal(3, lines.Length);
        var cursor = csv.Headers.GetValues("X-Next-Cursor").Single();
        using var rest = await GetAsync(server, $"/admin/usage?format=csv&take=1&cursor={cursor}");
        Assert.StartsWith("globex,", (await rest.Content.ReadAsStringAsync(Token)).Split("\r\n")[1], StringComparison.Ordinal);
        Assert.False(rest.Headers.Contains("X-Next-Cursor"));
        foreach (
            var query in new[]
            {
                "from=today",
                "to=2026-1-1",
                "from=2024-01-01&to=2026-01-01",
                "format=xml",
                "take=0",
                "tool=x",
                "cursor=A B",
            }
        )
        {
            Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(server, $"/admin/usage?{query}", Reader));
        }
    }

    [Fact]
    public async Task What_a_deleted_tenant_used_stays_with_the_fleet_and_the_next_one_with_its_id_does_not_have_it()
    {
        await using var server = await StartAsync();
        await CallAsync(server, "acme", "meter", new() { ["units"] = 2 });
        await CallAsync(server, "acme", "metered_buy", McpCalls.CreateBuy());
        await WriteAsync(server);

        // A call that the node has not written when its tenant goes.
        await CallAsync(server, "acme", "meter", new() { ["units"] = 5 });
        using (await server.AdminAsync(HttpMethod.Delete, "/acme")) { }
        await WriteAsync(server);
        string[] billed = ["meter ok 2 7", "metered_buy ok 1 7"];
        var rows = await RowsAsync(server, "/admin/usage");
        Assert.Equal(billed, rows.Select(Show));
        Assert.All(rows, row => Assert.True((bool)row["deleted"]!));

        using (await server.AdminAsync(HttpMethod.Post, "", new { id = "acme", platform = "publisher" })) { }
        Assert.Empty(await RowsAsync(server, "/admin/tenants/acme/usage"));
        Assert.Equal(billed, (await RowsAsync(server, "/admin/usage")).Select(Show));
    }

    [Fact]
    public async Task What_a_purge_has_copied_and_not_deleted_yet_is_billed_once()
    {
        await using var server = await StartAsync();
        await CallAsync(server, "acme", "meter", new() { ["units"] = 2 });
        await WriteAsync(server);
        using (await server.AdminAsync(HttpMethod.Post, "/acme/unregister")) { }
        await server.Services.GetRequiredService<UsageStore>().KeepAsync(TenantId.Parse("acme"), tombstone: long.MaxValue);
        Assert.Equal(["meter ok 1 2"], (await RowsAsync(server, "/admin/usage")).Select(Show));
    }

    [Fact]
    public async Task What_an_unregistered_tenant_used_is_with_the_fleet_and_who_adopts_its_data_does_not_have_it()
    {
        await using var server = await StartAsync();
        await CallAsync(server, "acme", "meter", new() { ["units"] = 2 });
        await CallAsync(server, "acme", "metered_buy", McpCalls.CreateBuy());
        await WriteAsync(server);
        using (await server.AdminAsync(HttpMethod.Post, "/acme/unregister")) { }
        string[] former = ["meter ok 1 2", "metered_buy ok 1 7"];
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, "/admin/tenants/acme/usage", Reader));
        var rows = await RowsAsync(server, "/admin/usage");
        Assert.Equal(former, rows.Select(Show));
        Assert.All(rows, row => Assert.True((bool)row["deleted"]!));

        var body = new
        {
            id = "acme",
            platform = "publisher",
            principals = new[] { new { name = "later", token = "acme.a-later-buyer" } },
        };
        using (var adopted = await server.AdminAsync(HttpMethod.Post, "?adopt=true&wait=true", body))
        {
            Assert.Equal(HttpStatusCode.Created, adopted.StatusCode);
        }

        Assert.Empty(await RowsAsync(server, "/admin/tenants/acme/usage"));
        await CallAsync(server, "acme", "meter", new() { ["units"] = 5 }, token: "acme.a-later-buyer");
        await WriteAsync(server);
        Assert.Equal(["meter ok 1 5"], (await RowsAsync(server, "/admin/tenants/acme/usage")).Select(Show));
        Assert.Equal([.. former, "meter ok 1 5"], (await RowsAsync(server, "/admin/usage")).Select(Show));

        using (await server.AdminAsync(HttpMethod.Delete, "/acme")) { }
        rows = await RowsAsync(server, "/admin/usage");
        Assert.Equal(["meter ok 2 7", "metered_buy ok 1 7"], rows.Select(Show));
        Assert.All(rows, row => Assert.True((bool)row["deleted"]!));
    }

    [Fact]
    public async Task A_page_of_all_tenants_ends_early_where_it_has_very_many_rows()
    {
        await using var server = await StartAsync();
        var registry = server.Services.GetRequiredService<TenantRegistry>();
        var usage = server.Services.GetRequiredService<UsageStore>();
        foreach (var (id, count) in new[] { ("acme", 20_000), ("globex", 3) })
        {
            var place = new UsagePlace(TenantId.Parse(id), registry.Get(id)!.Generation, UsageDay.Of(DateTimeOffset.UtcNow));
            await usage.AddAsync(place, 1, [.. Enumerable.Range(0, count).Select(i => new UsageRow($"tool{i}", "ok", 1, 0, 0, 0))]);
        }

        var (first, cursor) = await PageAsync("");
        Assert.Equal((20_000, "acme"), (first, cursor));
        Assert.Equal((3, null), await PageAsync("?cursor=acme"));

        async Task<(int Rows, string? Cursor)> PageAsync(string query)
        {
            using var response = await GetAsync(server, $"/admin/usage{query}");
            var page = JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!;
            return (page["usage"]!.AsArray().Count, (string?)page["nextCursor"]);
        }
    }

    [Fact]
    public async Task Units_are_bounded_so_that_no_bill_overflows()
    {
        await using var server = await StartAsync();
        await CallAsync(server, "acme", "meter", new() { ["units"] = 1_000_000_000_000 });
        await CallAsync(server, "acme", "meter", new() { ["units"] = 1_000_000_000_001 });
        await CallAsync(server, "acme", "meter", new() { ["units"] = 600_000_000_000, ["times"] = 2 });
        await CallAsync(server, "acme", "meter", new() { ["units"] = long.MaxValue });
        await WriteAsync(server);
        Assert.Equal(
            ["meter failed 3 600000000000", "meter ok 1 1000000000000"],
            (await RowsAsync(server, "/admin/tenants/acme/usage")).Select(Show).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task A_run_with_an_idempotency_key_whose_answer_is_not_kept_is_counted_once_as_all_others()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await StartAsync(time);
        var keys = server.Services.GetRequiredService<KeyedCalls>();
        var (first, second) = (Begin(), Begin());
        var (hasBegun, mayEnd) = (new TaskCompletionSource(), new TaskCompletionSource());
        var late = keys.RunAsync(
            first,
            Request(),
            async _ =>
            {
                first.Context.AddUnits(3);
                hasBegun.SetResult();
                await mayEnd.Task;
                return "{}"u8.ToArray();
            },
            Token
        );
        await hasBegun.Task;

        // The claim is over, and passes to another try.
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.IsType<KeyedOutcome.TookTooLong>(await late);
        await first.ReleaseAsync();
        Assert.False(Assert.IsType<KeyedOutcome.Done>(await keys.RunAsync(second, Request(), Answer, Token)).IsReplay);
        await second.ReleaseAsync();
        Assert.Equal(["meter ok 1 7"], (await RowsAsync(server, "/admin/tenants/acme/usage")).Select(Show));
        mayEnd.SetResult();
        await Poll.UntilAsync(async () =>
        {
            await WriteAsync(server);
            return (await RowsAsync(server, "/admin/tenants/acme/usage")).Select(Show).SequenceEqual(["meter ok 2 10"]);
        });

        Task<byte[]> Answer(CancellationToken _)
        {
            second.Context.AddUnits(7);
            return Task.FromResult("{}"u8.ToArray());
        }

        static KeyedRequest Request() => new("meter", "key-0123456789abcdef", "hash", TimeSpan.FromSeconds(30));

        Call Begin()
        {
            var model = server.Services.GetRequiredService<TenantRegistry>().Get("acme")!;
            var tool = McpPlatformInstance.Of(model).Kind.FindTool("\"meter\""u8);
            return server
                .Services.GetRequiredService<CallStarter>()
                .TryBegin(model, CallerIdentity.FromPrincipal("buyer")!, tool: tool)
                .Call!;
        }
    }

    private static Task<TenancyServer> StartAsync(TimeProvider? time = null) =>
        TenancyServer.StartAsync(settings: Settings, services: services =>
            services
                .AddSingleton(new CommonHandlers(platform => platform.AddHandlers<MeteredTools>()))
                .AddSingleton(time ?? TimeProvider.System)
        );

    private static string Show(JsonNode row) => $"{row["tool"]} {row["outcome"]} {row["calls"]} {row["units"]}";

    private static Task WriteAsync(TenancyServer server) => server.Services.GetRequiredService<UsageWriter>().WriteAsync();

    private static async Task CallAsync(
        TenancyServer server,
        string tenant,
        string tool,
        JsonObject arguments,
        bool isSdk = false,
        string? token = null
    )
    {
        var parameters = new JsonObject { ["name"] = tool, ["arguments"] = arguments };
        if (isSdk)
        {
            parameters["_meta"] = new JsonObject { ["progressToken"] = 1 };
        }

        var body = McpCalls.Message("tools/call", parameters);
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, token ?? $"{tenant}.dev-buyer", body);
        using var response = await server.Client.SendAsync(request, Token);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
    }

    private static async Task<JsonNode[]> RowsAsync(TenancyServer server, string path)
    {
        using var response = await GetAsync(server, path);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return [.. JsonNode.Parse(text)!["usage"]!.AsArray().Select(row => row!)];
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

    private sealed class MeteredTools
    {
        [McpServerTool(Name = "meter")]
        public static string Meter(long units, ToolContext context, int times = 1)
        {
            for (var i = 0; i < times; i++)
            {
                context.AddUnits(units);
            }

            return "done";
        }

        [AdcpTool("metered_buy")]
        public async Task<CreateMediaBuyResponse> BuyAsync(
            CreateMediaBuyRequest request,
            ToolContext context,
            CancellationToken cancellationToken
        )
        {
            context.AddUnits(7);
            if (request.Packages[0].Budget == 666)
            {
                throw new AdcpException(AdcpError.PolicyViolation, "Not that much.");
            }

            var buy = await context
                .Documents<TestBuy>()
                .CreateAsync(new() { Seller = "x", Budget = request.Packages[0].Budget }, cancellationToken: cancellationToken);
            return new()
            {
                MediaBuyId = buy.Id,
                Status = MediaBuyStatus.Active,
                Packages = [],
            };
        }
    }
}

using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Adcp;
using Tenancy.Fleet;
using Tenancy.Mcp;
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

    private static Task<TenancyServer> StartAsync() =>
        TenancyServer.StartAsync(settings: Settings, services: services =>
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<MeteredTools>()))
        );

    private static string Show(JsonNode row) => $"{row["tool"]} {row["outcome"]} {row["calls"]} {row["units"]}";

    private static Task WriteAsync(TenancyServer server) => server.Services.GetRequiredService<UsageWriter>().WriteAsync();

    private static async Task CallAsync(TenancyServer server, string tenant, string tool, JsonObject arguments, bool isSdk = false)
    {
        var parameters = new JsonObject { ["name"] = tool, ["arguments"] = arguments };
        if (isSdk)
        {
            parameters["_meta"] = new JsonObject { ["progressToken"] = 1 };
        }

        var body = McpCalls.Message("tools/call", parameters);
        using var request = McpCalls.Post(server.Port, Way.Path, tenant, $"{tenant}.dev-buyer", body);
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
        public static string Meter(int units, ToolContext context)
        {
            context.AddUnits(units);
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

using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Adcp_TenantServer.Handlers;
using Adcp_TenantServer.Selling;
using Tenancy.Adcp;
using Tenancy.Testing;

namespace Adcp_TenantServer.Tests;

/// <summary>Every field of an order changes what is sold, or the order is refused. None is dropped.</summary>
public sealed class EveryFieldTests(SellerServer server)
{
    // Fields that change nothing of what is kept, each with its reason.
    private static readonly Dictionary<string, string> Unkept = new()
    {
        ["idempotency_key"] = "names the request",
        ["account"] = "says in which account it lies: resolved before the handler runs",
        ["adcp_major_version"] = "another one is refused before the handler runs",
        ["adcp_version"] = "another one is refused before the handler runs",
        ["context"] = "comes back with the answer as it was",
        ["context_id"] = "belongs to a conversation, which a seller has not",
        ["revision"] = "refuses the change where it is not the last one",
        ["media_buy_id"] = "says what is changed",
        ["packages[0].package_id"] = "says what is changed",
        ["packages[0].bid_price"] = "counts where the price is an auction's, and the sample's is fixed: the package has no bid",
    };

    public static TheoryData<string, string> Order =>
        new()
        {
            { "brand", """{"domain":"other.example"}""" },
            { "start_time", "\"2098-01-01T00:00:00Z\"" },
            { "end_time", "\"2099-06-01T00:00:00Z\"" },
            { "po_number", "\"PO-7\"" },
            { "plan_id", "\"plan\"" },
            { "governance_context", "\"token\"" },
            { "push_notification_config", """{"url":"https://buyer.example"}""" },
            { "ext", """{"x":1}""" },
            { "packages[0].product_id", "\"run_of_site_display\"" },
            { "packages[0].pricing_option_id", "\"another\"" },
            { "packages[0].budget", "777" },
            { "packages[0].paused", "true" },
            { "packages[0].creative_assignments", """[{"creative_id":"field-banner","weight":40}]""" },
            { "packages[0].targeting_overlay", """{"property_list":{"agent_url":"https://a.example","list_id":"l"}}""" },
            { "packages[0].measurement_terms", """{"billing_measurement":{"measurement_window":"c7"}}""" },
            { "packages[0].context", """{"line":1}""" },
            { "packages[0].ext", """{"line":2}""" },
        };

    public static TheoryData<string, string> Change =>
        new()
        {
            { "paused", "true" },
            { "canceled", "true" },
            { "start_time", "\"2098-01-01T00:00:00Z\"" },
            { "end_time", "\"2099-06-01T00:00:00Z\"" },
            { "governance_context", "\"token\"" },
            { "push_notification_config", """{"url":"https://buyer.example"}""" },
            { "ext", """{"x":1}""" },
            { "packages[0].budget", "777" },
            { "packages[0].paused", "true" },
            { "packages[0].canceled", "true" },
            { "packages[0].creative_assignments", """[{"creative_id":"field-banner","weight":40}]""" },
            { "packages[0].targeting_overlay", """{"property_list":{"agent_url":"https://a.example","list_id":"l"}}""" },
            { "packages[0].context", """{"line":1}""" },
            { "packages[0].ext", """{"line":2}""" },
        };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Order))]
    public async Task A_field_of_an_order_changes_what_is_kept_or_refuses_it(string field, string value)
    {
        var plain = await OrderAsync(field: null, value);

        Assert.NotEqual(plain, await OrderAsync(field, value));
        Assert.Equal(plain, await OrderAsync(field: null, value));
    }

    [Theory]
    [MemberData(nameof(Change))]
    public async Task A_field_of_a_change_changes_what_is_kept_or_refuses_it(string field, string value)
    {
        var plain = await ChangeAsync(field: null, value);

        Assert.NotEqual(plain, await ChangeAsync(field, value));
        Assert.Equal(plain, await ChangeAsync(field: null, value));
    }

    [Fact]
    public void No_field_is_forgotten_here()
    {
        AssertAll<CreateMediaBuyRequest, PackageRequest>(Order.Select(row => row.Data.Item1));

        // A reason is kept where something is canceled.
        AssertAll<UpdateMediaBuyRequest, PackageUpdate>(
            Change.Select(row => row.Data.Item1).Concat(["cancellation_reason", "packages[0].cancellation_reason"])
        );

        static void AssertAll<TRequest, TPackage>(IEnumerable<string> tested)
        {
            var all = Names<TRequest>().Where(name => name != "packages").Concat(Names<TPackage>().Select(name => $"packages[0].{name}"));
            Assert.Empty(all.Except(tested).Except(Unkept.Keys));
        }

        static IEnumerable<string> Names<T>() =>
            typeof(T)
                .GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property => property.Name != nameof(AdcpObject.Extensions))
                .Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
    }

    private async Task<TestToolContext> BeginAsync()
    {
        var call = await server.BeginCallAsync("acme", Guid.NewGuid().ToString());
        await server.Create<Creatives>().SyncAsync(Buys.Creative("field-banner"), call.Context, Token);
        await call.CommitAsync(Token);
        return call;
    }

    // What is kept of an order, or the code with which it is refused.
    private async Task<string> OrderAsync(string? field, string value)
    {
        using var call = await BeginAsync();
        var order = JsonSerializer.SerializeToNode(Buys.OfAcme())!;
        Set(order, field, value);
        try
        {
            var request = order.Deserialize<CreateMediaBuyRequest>(AdcpJsonOptions.Default)!;
            var made = await server.Create<MediaBuys>().CreateAsync(request, call.Context, Token);
            await call.CommitAsync(Token);
            return await KeptAsync(call, made.MediaBuyId);
        }
        catch (AdcpException refusal)
        {
            call.Discard();
            return refusal.Error.Code;
        }
    }

    private async Task<string> ChangeAsync(string? field, string value)
    {
        using var call = await BeginAsync();
        var handlers = server.Create<MediaBuys>();
        var request = JsonSerializer.SerializeToNode(Buys.OfAcme())!.Deserialize<CreateMediaBuyRequest>(AdcpJsonOptions.Default)!;
        var made = await handlers.CreateAsync(request, call.Context, Token);
        await call.CommitAsync(Token);
        var change = new JsonObject
        {
            ["idempotency_key"] = Guid.NewGuid().ToString(),
            ["account"] = new JsonObject { ["account_id"] = "tester" },
            ["media_buy_id"] = made.MediaBuyId,
            ["packages"] = new JsonArray(new JsonObject { ["package_id"] = made.Packages[0].PackageId }),
        };
        Set(change, field, value);
        try
        {
            await handlers.UpdateAsync(change.Deserialize<UpdateMediaBuyRequest>(AdcpJsonOptions.Default)!, call.Context, Token);
            await call.CommitAsync(Token);
            return await KeptAsync(call, made.MediaBuyId);
        }
        catch (AdcpException refusal)
        {
            call.Discard();
            return refusal.Error.Code;
        }
    }

    private static void Set(JsonNode request, string? field, string value)
    {
        if (field is null)
        {
            return;
        }

        var inPackage = field.StartsWith("packages[0].", StringComparison.Ordinal);
        var target = inPackage ? request["packages"]![0]! : request;
        target[inPackage ? field["packages[0].".Length..] : field] = JsonNode.Parse(value);
    }

    // Without what differs between two equal orders.
    private static async Task<string> KeptAsync(TestToolContext call, string id)
    {
        var buy = (await call.Context.Documents<MediaBuy>().GetAsync(id, Token))!;
        var kept = JsonSerializer.SerializeToNode(buy with { CreatedAt = default, StartTime = Rounded(buy.StartTime) })!.AsObject();
        foreach (var name in new[] { "Id", "Revision", "id", "revision" })
        {
            kept.Remove(name);
        }

        return kept.ToJsonString().Replace(buy.Packages[0].PackageId, "package", StringComparison.Ordinal);

        // "As soon as possible" is now.
        static DateTimeOffset Rounded(DateTimeOffset time) => time < DateTimeOffset.UtcNow.AddDays(1) ? default : time;
    }
}

using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Adcp_TenantServer.Handlers;
using Adcp_TenantServer.Selling;
using Tenancy.Adcp;
using Tenancy.State;
using Tenancy.Testing;

namespace Adcp_TenantServer.Tests;

/// <summary>Every field of a request changes what is kept or answered, or the request is refused. None is dropped.</summary>
public sealed class EveryFieldTests(SellerServer server)
{
    // Fields that change nothing of what is kept, each with its reason.
    private static readonly Dictionary<string, string> OfEveryRequest = new()
    {
        ["idempotency_key"] = "names the request",
        ["account"] = "says in which account it lies: resolved before the handler runs",
        ["adcp_major_version"] = "another one is refused before the handler runs",
        ["adcp_version"] = "another one is refused before the handler runs",
        ["context"] = "comes back with the answer as it was",
        ["context_id"] = "belongs to a conversation, which a seller has not",
    };

    private static readonly Dictionary<string, string> UnkeptOfOrders = new(OfEveryRequest)
    {
        ["revision"] = "refuses the change where it is not the last one",
        ["media_buy_id"] = "says what is changed",
        ["packages[0].package_id"] = "says what is changed",
        ["cancellation_reason"] = "is kept where something is canceled",
        ["packages[0].cancellation_reason"] = "is kept where something is canceled",
    };

    private static readonly Dictionary<string, string> UnkeptOfSyncs = new(OfEveryRequest)
    {
        ["governance_context"] = "is about what is spent, and nothing is",
        ["ext"] = "is the request's own, and nobody has said what it means",
        ["validation_mode"] = "says what becomes of mistakes: MoneyTests has them",
    };

    private static readonly Dictionary<string, string> UnkeptOfReads = new(UnkeptOfSyncs)
    {
        ["push_notification_config"] = "nothing that was read changes by it",
        ["buying_mode"] = "says whether there is a brief: the brief counts",
        ["brand"] = "prices are the same for all brands",
        ["time_budget"] = "all there is is answered at once",
        ["preferred_delivery_types"] = "puts products in order, and the sample's are of one kind: ProductSearchTests has others",
        ["filters.countries"] = "the sample is seen in all of them",
        ["filters.standard_formats_only"] = "the sample's formats are all the IAB's: ProductSearchTests has others",
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
            { "packages[0].bid_price", "3" },
            { "packages[0].paused", "true" },
            { "packages[0].creative_assignments", """[{"creative_id":"field-banner","weight":40}]""" },
            { "packages[0].targeting_overlay", """{"property_list":{"agent_url":"https://a.example","list_id":"l"}}""" },
            {
                "packages[0].measurement_terms",
                """{"billing_measurement":{"vendor":{"domain":"news.acme.example"},"max_variance_percent":7}}"""
            },
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
            { "packages[0].bid_price", "3" },
            { "packages[0].paused", "true" },
            { "packages[0].canceled", "true" },
            { "packages[0].creative_assignments", """[{"creative_id":"field-banner","weight":40}]""" },
            { "packages[0].targeting_overlay", """{"property_list":{"agent_url":"https://a.example","list_id":"l"}}""" },
            { "packages[0].context", """{"line":1}""" },
            { "packages[0].ext", """{"line":2}""" },
        };

    public static TheoryData<string, string> SentCreatives =>
        new()
        {
            { "creatives[0].creative_id", "\"another\"" },
            { "creatives[0].name", "\"Another\"" },
            { "creatives[0].format_id", """{"agent_url":"https://creative.adcontextprotocol.org","id":"another"}""" },
            { "creatives[0].assets", """{"image":{"asset_type":"image"}}""" },
            { "creatives[0].tags", """["tag"]""" },
            { "creative_ids", """["another"]""" },
            { "assignments", """[{"creative_id":"field-banner","package_id":"none"}]""" },
            { "delete_missing", "true" },
            { "dry_run", "true" },
            { "push_notification_config", """{"url":"https://buyer.example"}""" },
        };

    public static TheoryData<string, string> SentAccounts =>
        new()
        {
            { "accounts[0].brand", """{"domain":"other.example"}""" },
            { "accounts[0].operator", "\"other.example\"" },
            { "accounts[0].billing", "\"agent\"" },
            { "accounts[0].payment_terms", "\"net_60\"" },
            { "accounts[0].sandbox", "true" },
            { "dry_run", "true" },
            { "push_notification_config", """{"url":"https://buyer.example"}""" },
        };

    public static TheoryData<string, string> ListOfBuys =>
        new()
        {
            { "media_buy_ids", """["none"]""" },
            { "status_filter", """["canceled"]""" },
            { "include_snapshot", "true" },
            { "pagination", """{"max_results":1}""" },
        };

    public static TheoryData<string, string> Report =>
        new()
        {
            { "media_buy_ids", """["none"]""" },
            { "status_filter", "\"canceled\"" },
            { "start_date", "\"2026-01-01\"" },
            { "end_date", "\"2026-01-01\"" },
            { "include_package_daily_breakdown", "true" },
        };

    public static TheoryData<string, string> Search =>
        new()
        {
            { "brief", "\"Boxes on article pages\"" },
            { "refine", """[{"scope":"product","product_id":"homepage_display","action":"omit"}]""" },
            { "property_list", """{"agent_url":"https://a.example","list_id":"l"}""" },
            { "catalog", """{"type":"job"}""" },
            { "required_policies", """["policy"]""" },
            { "pagination", """{"max_results":1}""" },
            { "filters.delivery_type", "\"guaranteed\"" },
            { "filters.is_fixed_price", "false" },
            { "filters.channels", """["olv"]""" },
            { "filters.format_ids", """[{"agent_url":"https://a.example","id":"none"}]""" },
            { "filters.budget_range", """{"currency":"EUR","max":1}""" },
            { "filters.start_date", "\"tomorrow\"" },
            { "filters.end_date", "\"tomorrow\"" },
            { "filters.exclusivity", "\"exclusive\"" },
            { "filters.min_exposures", "1000" },
            { "filters.regions", """["DE-BE"]""" },
            { "filters.metros", """[{"system":"nielsen_dma","code":"501"}]""" },
            { "filters.postal_areas", """[{"system":"us_zip","values":["10001"]}]""" },
            { "filters.geo_proximity", """[{"lat":1,"lng":1}]""" },
            { "filters.required_geo_targeting", """[{"level":"country"}]""" },
            { "filters.keywords", """[{"keyword":"shoes"}]""" },
            { "filters.signal_targeting", "[{}]" },
            { "filters.required_axe_integrations", """["https://axe.example"]""" },
            { "filters.trusted_match", "{}" },
            { "filters.required_features", """{"catalog_management":true}""" },
            { "filters.required_performance_standards", "[{}]" },
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

    [Theory]
    [MemberData(nameof(SentCreatives))]
    public async Task A_field_of_sent_creatives_changes_what_is_kept_or_refuses_it(string field, string value)
    {
        var plain = await SendAsync(field: null, value);

        Assert.NotEqual(plain, await SendAsync(field, value));
        Assert.Equal(plain, await SendAsync(field: null, value));

        async Task<string> SendAsync(string? field, string value)
        {
            using var call = await BeginAsync();
            await server.Create<Creatives>().SyncAsync(Buys.Creative("there-before"), call.Context, Token);
            await call.CommitAsync(Token);
            return await OutcomeAsync<SyncCreativesRequest>(
                Buys.Creative("field-banner"),
                field,
                value,
                call,
                async request => await server.Create<Creatives>().SyncAsync(request, call.Context, Token),
                async () => (await call.Context.Documents<Creative>().ListAsync(cancellationToken: Token)).Items
            );
        }
    }

    [Theory]
    [MemberData(nameof(SentAccounts))]
    public async Task A_field_of_sent_accounts_changes_what_is_kept_or_refuses_it(string field, string value)
    {
        var plain = await SendAsync(field: null, value);

        Assert.NotEqual(plain, await SendAsync(field, value));
        Assert.Equal(plain, await SendAsync(field: null, value));

        async Task<string> SendAsync(string? field, string value)
        {
            using var call = await BeginAsync();
            return await OutcomeAsync<SyncAccountsRequest>(
                Buys.Account("operator"),
                field,
                value,
                call,
                async request => await server.Create<Accounts>().SyncAsync(request, call.Context, Token),
                async () => (await call.Context.CallerDocuments<AccountDocument>().ListAsync(cancellationToken: Token)).Items
            );
        }
    }

    [Theory]
    [MemberData(nameof(ListOfBuys))]
    public Task A_field_of_a_list_of_media_buys_changes_the_answer_or_refuses_it(string field, string value) =>
        AssertReadAsync<GetMediaBuysRequest>(field, value, async (request, call) =>
            await server.Create<MediaBuys>().GetAsync(request, call.Context, Token)
        );

    [Theory]
    [MemberData(nameof(Report))]
    public Task A_field_of_a_report_changes_the_answer_or_refuses_it(string field, string value) =>
        AssertReadAsync<GetMediaBuyDeliveryRequest>(field, value, async (request, call) =>
            await server.Create<Delivery>().GetAsync(request, call.Context, Token)
        );

    [Theory]
    [MemberData(nameof(Search))]
    public Task A_field_of_a_search_for_products_changes_the_answer_or_refuses_it(string field, string value) =>
        AssertReadAsync<GetProductsRequest>(field, value, async (request, call) =>
            await server.Create<Products>().GetAsync(request, call.Context, Token)
        );

    [Fact]
    public void No_field_is_forgotten_here()
    {
        AssertAll<CreateMediaBuyRequest, PackageRequest>("packages[0]", Order, UnkeptOfOrders);
        AssertAll<UpdateMediaBuyRequest, PackageUpdate>("packages[0]", Change, UnkeptOfOrders);
        AssertAll<SyncCreativesRequest, CreativeAsset>("creatives[0]", SentCreatives, UnkeptOfSyncs);
        AssertAll<SyncAccountsRequest, AccountSync>("accounts[0]", SentAccounts, UnkeptOfSyncs);
        AssertAll<GetMediaBuysRequest, object>("", ListOfBuys, UnkeptOfReads);
        AssertAll<GetMediaBuyDeliveryRequest, object>("", Report, UnkeptOfReads);
        AssertAll<GetProductsRequest, ProductFilters>("filters", Search, UnkeptOfReads);

        static void AssertAll<TRequest, TInside>(string inside, TheoryData<string, string> tested, Dictionary<string, string> unkept)
        {
            var all = Names<TRequest>()
                .Where(name => name != inside.Replace("[0]", "", StringComparison.Ordinal))
                .Concat(Names<TInside>().Select(name => $"{inside}.{name}"));
            Assert.Empty(all.Except(tested.Select(row => row.Data.Item1)).Except(unkept.Keys));
        }

        static IEnumerable<string> Names<T>() =>
            typeof(T)
                .GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property =>
                    property.Name != nameof(AdcpObject.Extensions) && property.GetCustomAttribute<JsonIgnoreAttribute>() is null
                )
                .Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
    }

    // A buyer with two media buys that run, one of which has delivered something.
    private async Task AssertReadAsync<TRequest>(string field, string value, Func<TRequest, TestToolContext, Task<AdcpResponse>> read)
        where TRequest : AdcpRequest, new()
    {
        using var call = await BeginAsync();
        var order = Buys.Request();
        order = order with { Packages = [order.Packages[0] with { CreativeAssignments = [new() { CreativeId = "field-banner" }] }] };
        var handlers = server.Create<MediaBuys>();
        await handlers.CreateAsync(order, call.Context, Token);
        await call.CommitAsync(Token);
        using var second = await server.BeginCallAsync("acme", call.Context.Caller.Value["principal:".Length..]);
        var made = await handlers.CreateAsync(order, second.Context, Token);
        await second.CommitAsync(Token);
        var buy = (await call.Context.Documents<MediaBuy>().GetAsync(made.MediaBuyId, Token))!;
        var record = new DeliveryRecord().Add(new() { Date = new(2026, 1, 1), Spend = 5 });
        await call.Context.Documents<DeliveryRecord>().Of(buy).CreateWithIdAsync(buy.Id, record, Token);
        await call.CommitAsync(Token);

        var plain = await AnswerAsync(null);

        Assert.NotEqual(plain, await AnswerAsync(field));
        Assert.Equal(plain, await AnswerAsync(null));

        Task<string> AnswerAsync(string? changed) =>
            OutcomeAsync<TRequest>(
                new(),
                changed,
                value,
                call,
                request => read(request, call),
                () => Task.FromResult<IReadOnlyList<TenantDocument>>([])
            );
    }

    // What is answered and kept, without what differs between two equal requests; or the code with which the request is refused.
    private static async Task<string> OutcomeAsync<TRequest>(
        TRequest request,
        string? field,
        string value,
        TestToolContext call,
        Func<TRequest, Task<AdcpResponse>> handle,
        Func<Task<IReadOnlyList<TenantDocument>>> find
    )
        where TRequest : AdcpRequest
    {
        var json = JsonSerializer.SerializeToNode(request, AdcpJsonOptions.Default)!;
        Set(json, field, value);
        try
        {
            var answer = await handle(json.Deserialize<TRequest>(AdcpJsonOptions.Default)!);
            await call.CommitAsync(Token);
            var kept = new JsonArray([
                .. (await find()).Select(one => JsonSerializer.SerializeToNode(one, one.GetType(), AdcpJsonOptions.Default)),
            ]);
            return Without(JsonSerializer.SerializeToNode(answer, answer.GetType(), AdcpJsonOptions.Default))!.ToJsonString()
                + Without(kept)!.ToJsonString();
        }
        catch (AdcpException refusal)
        {
            call.Discard();
            return refusal.Error.Code;
        }

        static JsonNode? Without(JsonNode? node)
        {
            foreach (var inside in (node as JsonArray ?? []).Concat((node as JsonObject ?? []).Select(member => member.Value)))
            {
                Without(inside);
            }

            foreach (var name in new[] { "id", "account_id", "created_at", "updated_at", "reporting_period" })
            {
                if (node is JsonObject && node["agent_url"] is null)
                {
                    node.AsObject().Remove(name);
                }
            }

            return node;
        }
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

        var path = field.Split('.');
        var target = path is [var outer, _]
            ? outer.EndsWith("[0]", StringComparison.Ordinal)
                ? request[outer[..^3]]![0]!
                : request[outer] ??= new JsonObject()
            : request;
        target[path[^1]] = JsonNode.Parse(value);
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

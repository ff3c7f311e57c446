using System.Text.Json;
using Adcp_TenantServer.Handlers;
using Adcp_TenantServer.Selling;
using Tenancy.Adcp;
using Tenancy.Testing;

namespace Adcp_TenantServer.Tests;

/// <summary>What a buyer's money hangs on: nothing is sold otherwise than it was ordered.</summary>
public sealed class MoneyTests(SellerServer server)
{
    private readonly MediaBuys _mediaBuys = server.Create<MediaBuys>();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_ordered_is_what_is_kept_and_listed()
    {
        using var call = await BeginAsync();
        var order = Buys.Request();
        order = order with
        {
            PoNumber = "PO-1",
            PlanId = "plan",
            GovernanceContext = "token",
            PushNotificationConfig = Json(
                """{"url":"https://buyer.example","authentication":{"schemes":["Bearer"],"credentials":"secret"}}"""
            ),
            Packages =
            [
                order.Packages[0] with
                {
                    Paused = true,
                    Context = Json("""{"line":7}"""),
                    Ext = Json("""{"x":1}"""),
                    MeasurementTerms = new() { BillingMeasurement = new() { MeasurementWindow = "c7" } },
                },
            ],
        };

        var made = await CreateAsync(call, order);
        var kept = await call.Context.Documents<MediaBuy>().GetAsync(made.MediaBuyId, Token);
        var package = Assert.Single((await ListAsync(call, made.MediaBuyId)).Packages);

        Assert.True(package.Paused);
        Assert.Equal((7, 1), (package.Context!.Value.GetProperty("line").GetInt32(), package.Ext!.Value.GetProperty("x").GetInt32()));
        Assert.Equal("c7", package.MeasurementTerms!.BillingMeasurement!.MeasurementWindow);
        Assert.Equal(("PO-1", "plan", "token", "brand.example"), (kept!.PoNumber, kept.PlanId, kept.GovernanceContext, kept.Brand!.Domain));
        Assert.Contains("buyer.example", kept.Notify!.Value.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", JsonSerializer.Serialize(kept), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_media_buy_is_canceled_whatever_else_the_request_says()
    {
        using var call = await BeginAsync();
        await SendAsync(call, "canceled-banner");
        var made = await CreateAsync(call, With(Buys.Request(), new CreativeAssignment { CreativeId = "canceled-banner" }));

        var canceled = await ChangeAsync(
            call,
            Buys.Change(made.MediaBuyId) with
            {
                Canceled = true,
                CancellationReason = "enough",
                Revision = 77,
                StartTime = "2001-01-01T00:00:00Z",
                EndTime = DateTimeOffset.UnixEpoch,
                Packages = [new() { PackageId = "none", Budget = 0 }],
            }
        );
        var buy = await ListAsync(call, made.MediaBuyId);
        var assigned = await AssignAsync(call, "canceled-banner", made.Packages[0].PackageId);
        var again = await RefusedAsync(() => ChangeAsync(call, Buys.Change(made.MediaBuyId) with { Canceled = true }));

        Assert.Equal(MediaBuyStatus.Canceled, canceled.Status);
        Assert.Equal(("enough", "buyer"), (buy.Cancellation!.Reason, buy.Cancellation.CanceledBy));
        Assert.Null(buy.Packages[0].CreativeAssignments);
        Assert.Contains("over", Assert.Single(assigned.AssignmentErrors!).Value, StringComparison.Ordinal);
        Assert.Equal(AdcpError.NotCancellable, again.Error);
    }

    [Fact]
    public async Task A_media_buy_is_canceled_by_a_request_in_which_nothing_else_is_right()
    {
        await server.OpenAccountAsync("acme");
        var made = await server.CallAsync("acme", "create_media_buy", Buys.OfAcme());

        var canceled = await server.CallAsync(
            "acme",
            "update_media_buy",
            new
            {
                idempotency_key = Guid.NewGuid().ToString(),
                account = new { brand = new { domain = "brand.example" }, @operator = "agency.example" },
                media_buy_id = (string?)made["media_buy_id"],
                canceled = true,
                start_time = 7,
                end_time = "yesterday",
                revision = -1,
                packages = new object[] { new { budget = "much" }, 5 },
                new_packages = new[] { new { product_id = "homepage_display" } },
            }
        );

        Assert.Equal("canceled", (string?)canceled["status"]);
    }

    [Fact]
    public async Task A_package_that_was_canceled_changes_no_more()
    {
        using var call = await BeginAsync();
        await SendAsync(call, "package-banner");
        var made = await CreateAsync(call, With(Buys.Request(), new CreativeAssignment { CreativeId = "package-banner" }));
        var id = made.Packages[0].PackageId;

        await ChangeAsync(
            call,
            Update(
                made,
                new()
                {
                    PackageId = id,
                    Canceled = true,
                    CancellationReason = "no",
                }
            )
        );
        var refusal = await RefusedAsync(() => ChangeAsync(call, Update(made, new() { PackageId = id, Budget = 1 })));
        var package = Assert.Single((await ListAsync(call, made.MediaBuyId)).Packages);
        var assigned = await AssignAsync(call, "package-banner", id);

        Assert.Equal((AdcpError.InvalidState, "packages[0].package_id"), (refusal.Error, refusal.Field));
        Assert.Equal((true, "no"), (package.Canceled, package.Cancellation!.Reason));
        Assert.Null(package.CreativeAssignments);
        Assert.NotNull(assigned.AssignmentErrors);
    }

    [Fact]
    public void Prices_floors_minimum_spends_and_currencies_are_checked_and_all_mistakes_are_named()
    {
        var product = Product();
        PackageRequest[] packages =
        [
            Package("fixed", 100),
            Package("fixed", 5),
            Package("fixed", 100, bid: 1),
            Package("auction", 100),
            Package("auction", 100, bid: 1),
            Package("euros", 100),
            Package("none", 100),
            Package("fixed", 0),
        ];

        var refusal = Assert.Throws<AdcpException>(() => OrderRules.Price(packages, [product]));

        Assert.Equal(
            [
                "BUDGET_TOO_LOW packages[1].budget",
                "INVALID_REQUEST packages[3].bid_price",
                "BUDGET_TOO_LOW packages[4].bid_price",
                "VALIDATION_ERROR packages[5].pricing_option_id",
                "VALIDATION_ERROR packages[6].pricing_option_id",
                "BUDGET_TOO_LOW packages[7].budget",
            ],
            refusal.Mistakes.Select(mistake => $"{mistake.Error} {mistake.Field}")
        );
        Assert.Equal("""{"minimum_budget":10,"currency":"USD"}""", refusal.Details!.ToJsonString());
    }

    [Fact]
    public async Task A_change_keeps_to_the_price_too()
    {
        using var call = await BeginAsync();
        var made = await CreateAsync(call, Buys.Request());
        var package = made.Packages[0].PackageId;

        var refusal = await RefusedAsync(() =>
            ChangeAsync(
                call,
                Update(
                    made,
                    new()
                    {
                        PackageId = package,
                        Budget = 0,
                        BidPrice = 1,
                    }
                )
            )
        );

        Assert.Equal(["BUDGET_TOO_LOW packages[0].budget"], refusal.Mistakes.Select(mistake => $"{mistake.Error} {mistake.Field}"));
    }

    [Theory]
    [InlineData("2099-01-01T00:00:00")]
    [InlineData("05/06/2099")]
    [InlineData("2099-01-01")]
    [InlineData("2099-01-01 00:00:00Z")]
    public async Task A_time_without_an_offset_is_refused(string start)
    {
        using var call = await BeginAsync();
        var order = Buys.Request() with { StartTime = start };

        var refusal = await RefusedAsync(() => CreateAsync(call, order));
        var json = JsonSerializer.SerializeToNode(Buys.OfAcme())!.AsObject();
        json["end_time"] = start;
        using var response = await server.SendAsync("acme", "acme.dev-buyer", "create_media_buy", json);

        Assert.Equal((AdcpError.InvalidRequest, "start_time"), (refusal.Error, refusal.Field));
        var body = await response.Content.ReadAsStringAsync(Token);
        Assert.Contains("INVALID_REQUEST", body, StringComparison.Ordinal);
        Assert.Contains("end_time", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delivery_is_that_of_the_days_that_were_asked_for()
    {
        using var call = await BeginAsync();
        var made = await CreateAsync(call, Buys.Request());
        var buy = (await call.Context.Documents<MediaBuy>().GetAsync(made.MediaBuyId, Token))!;
        var record = new DeliveryRecord().Add(Day(1, 100)).Add(Day(2, 20)).Add(Day(2, 3)).Add(Day(3, 1000));
        await call.Context.Documents<DeliveryRecord>().Of(buy).CreateWithIdAsync(buy.Id, record, Token);
        await call.CommitAsync(Token);

        var one = await ReportAsync(
            new()
            {
                StartDate = "2026-01-02",
                EndDate = "2026-01-03",
                IncludePackageDailyBreakdown = true,
            }
        );
        var two = await ReportAsync(new() { StartDate = "2026-01-01", EndDate = "2026-01-03" });
        var all = await ReportAsync(new() { MediaBuyIds = [made.MediaBuyId, "mb_of_nobody"] });
        var half = await RefusedAsync(() => ReportAsync(new() { StartDate = "2026-01-01" }));
        var turned = await RefusedAsync(() => ReportAsync(new() { StartDate = "2026-01-02", EndDate = "2026-01-02" }));

        Assert.Equal(23, one.MediaBuyDeliveries[0].Totals.Spend);
        Assert.Equal(
            ("2026-01-02", 23m),
            Assert.Single(one.MediaBuyDeliveries[0].ByPackage[0].DailyBreakdown!.Select(day => (day.Date, day.Spend)))
        );
        Assert.Equal(new DateTimeOffset(2026, 1, 3, 0, 0, 0, TimeSpan.Zero), one.ReportingPeriod.End);
        Assert.Equal(123, two.MediaBuyDeliveries[0].Totals.Spend);
        Assert.Null(two.MediaBuyDeliveries[0].ByPackage[0].DailyBreakdown);
        Assert.Equal(1123, all.MediaBuyDeliveries[0].Totals.Spend);
        Assert.Equal(("MEDIA_BUY_NOT_FOUND", "media_buy_ids[1]"), Assert.Single(all.Errors!.Select(error => (error.Code, error.Field))));
        Assert.Equal((AdcpError.InvalidRequest, "end_date"), (half.Error, half.Field));
        Assert.Equal((AdcpError.InvalidRequest, "end_date"), (turned.Error, turned.Field));

        static DayOfDelivery Day(int day, decimal spend) =>
            new()
            {
                Date = new(2026, 1, day),
                Spend = spend,
                Impressions = spend,
            };

        Task<GetMediaBuyDeliveryResponse> ReportAsync(GetMediaBuyDeliveryRequest request) =>
            server.Create<Delivery>().GetAsync(request, call.Context, Token);
    }

    [Fact]
    public async Task A_creative_that_is_not_there_or_was_rejected_is_not_sold_and_one_that_waits_does_not_run()
    {
        using var call = await BeginAsync("globex");
        await SendAsync(call, "waiting");
        await SendAsync(call, "bad");
        var library = server.Create<CreativeLibrary>();
        await ReviewAsync("bad", CreativeStatus.Rejected);
        var order = Buys.Request("sponsored_products", "cpc_usd");

        var refusal = await RefusedAsync(() =>
            CreateAsync(call, With(order, new() { CreativeId = "bad" }, new() { CreativeId = "waiting" }, new() { CreativeId = "none" }))
        );
        var made = await CreateAsync(call, With(order, new CreativeAssignment { CreativeId = "waiting" }));
        await ReviewAsync("waiting", CreativeStatus.Approved);

        Assert.Equal(
            [
                "CREATIVE_REJECTED packages[0].creative_assignments[0].creative_id",
                "CREATIVE_NOT_FOUND packages[0].creative_assignments[2].creative_id",
            ],
            refusal.Mistakes.Select(mistake => $"{mistake.Error} {mistake.Field}")
        );
        Assert.Equal(MediaBuyStatus.PendingStart, made.Status);
        Assert.Equal(MediaBuyStatus.Active, (await ListAsync(call, made.MediaBuyId)).Status);

        async Task ReviewAsync(string id, CreativeStatus status)
        {
            var creative = await call.Context.Documents<Creative>().GetAsync(id, Token);
            await library.ReviewAsync(creative!, status, call.Context, Token);
            await call.CommitAsync(Token);
        }
    }

    [Fact]
    public async Task An_account_is_opened_with_the_billing_that_was_asked_for_or_not_at_all()
    {
        using var call = await BeginAsync();
        var book = server.Create<Accounts>();
        var good = Buys.Account("operator", "good.example").Accounts[0];
        var request = Buys.Account("agent", "agent.example");
        request = request with { Accounts = [good, .. request.Accounts, good with { Operator = "test.example", Sandbox = true }] };

        var answer = await book.SyncAsync(request, call.Context, Token);
        await call.CommitAsync(Token);
        var listed = await book.ListAsync(new(), call.Context, Token);

        Assert.Equal(["created", "failed", "created"], answer.Accounts.Select(account => account.Action));
        Assert.Equal(
            "BILLING_NOT_SUPPORTED accounts[1].billing",
            Assert.Single(answer.Accounts[1].Errors!.Select(error => $"{error.Code} {error.Field}"))
        );
        Assert.Equal(["good.example", "test.example"], listed.Accounts.Select(account => account.Operator));
        Assert.Equal(2, listed.Accounts.Select(account => account.AccountId).Distinct().Count());
    }

    [Fact]
    public async Task An_answer_for_an_account_for_tests_says_so()
    {
        var buy = JsonSerializer.SerializeToNode(Buys.OfAcme("sandbox.example"))!.AsObject();
        buy["account"]!["sandbox"] = true;

        var made = await server.CallAsync("acme", "create_media_buy", buy);
        var real = await server.CallAsync("acme", "create_media_buy", Buys.OfAcme("no-sandbox.example"));

        Assert.True((bool?)made["sandbox"]);
        Assert.Null(real["sandbox"]);
    }

    private static JsonElement Json(string text) => JsonElement.Parse(text);

    private static CreateMediaBuyRequest With(CreateMediaBuyRequest order, params CreativeAssignment[] creatives) =>
        order with
        {
            Packages = [order.Packages[0] with { CreativeAssignments = creatives }],
        };

    private static UpdateMediaBuyRequest Update(CreateMediaBuyResponse made, PackageUpdate change) =>
        Buys.Change(made.MediaBuyId) with
        {
            Packages = [change],
        };

    private static Product Product() =>
        new()
        {
            ProductId = "product",
            Name = "Product",
            Description = "A product.",
            PublisherProperties = [new() { PublisherDomain = "publisher.example" }],
            FormatIds = [],
            DeliveryType = DeliveryType.NonGuaranteed,
            ReportingCapabilities = new(),
            PricingOptions =
            [
                Price("fixed", "USD") with
                {
                    FixedPrice = 2,
                    MinSpendPerPackage = 10,
                },
                Price("auction", "USD") with
                {
                    FloorPrice = 2,
                },
                Price("euros", "EUR") with
                {
                    FixedPrice = 2,
                },
            ],
        };

    private static PricingOption Price(string id, string currency) =>
        new()
        {
            PricingOptionId = id,
            PricingModel = "cpm",
            Currency = currency,
        };

    private static PackageRequest Package(string price, decimal budget, decimal? bid = null) =>
        new()
        {
            ProductId = "product",
            PricingOptionId = price,
            Budget = budget,
            BidPrice = bid,
        };

    private static Task<AdcpException> RefusedAsync(Func<Task> act) => Assert.ThrowsAsync<AdcpException>(act);

    private Task<TestToolContext> BeginAsync(string tenant = "acme") => server.BeginCallAsync(tenant, Guid.NewGuid().ToString());

    private async Task<CreateMediaBuyResponse> CreateAsync(TestToolContext call, CreateMediaBuyRequest request)
    {
        var made = await _mediaBuys.CreateAsync(request, call.Context, Token);
        await call.CommitAsync(Token);
        return made;
    }

    private async Task<UpdateMediaBuyResponse> ChangeAsync(TestToolContext call, UpdateMediaBuyRequest request)
    {
        var changed = await _mediaBuys.UpdateAsync(request, call.Context, Token);
        await call.CommitAsync(Token);
        return changed;
    }

    private async Task<MediaBuySummary> ListAsync(TestToolContext call, string id) =>
        Assert.Single((await _mediaBuys.GetAsync(new() { MediaBuyIds = [id] }, call.Context, Token)).MediaBuys);

    private async Task SendAsync(TestToolContext call, string id)
    {
        await server.Create<Creatives>().SyncAsync(Buys.Creative(id), call.Context, Token);
        await call.CommitAsync(Token);
    }

    private async Task<CreativeResult> AssignAsync(TestToolContext call, string id, string package)
    {
        var request = Buys.Creative(id) with { Assignments = [new() { CreativeId = id, PackageId = package }] };
        var answer = await server.Create<Creatives>().SyncAsync(request, call.Context, Token);
        await call.CommitAsync(Token);
        return Assert.Single(answer.Creatives);
    }
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Adcp_TenantServer.Handlers;
using Adcp_TenantServer.Selling;
using Tenancy.Adcp;
using Tenancy.State;
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
                    MeasurementTerms = new()
                    {
                        BillingMeasurement = new() { Vendor = Own(call), MaxVariancePercent = 7 },
                    },
                },
            ],
        };

        var made = await CreateAsync(call, order);
        var kept = await call.Context.Documents<MediaBuy>().GetAsync(made.MediaBuyId, Token);
        var package = Assert.Single((await ListAsync(call, made.MediaBuyId)).Packages);

        Assert.True(package.Paused);
        Assert.Equal((7, 1), (package.Context!.Value.GetProperty("line").GetInt32(), package.Ext!.Value.GetProperty("x").GetInt32()));
        Assert.Equal(7, package.MeasurementTerms!.BillingMeasurement!.MaxVariancePercent);
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

        var refusal = Assert.Throws<AdcpException>(() => OrderRules.Price(packages, [product], DateTimeOffset.UtcNow));

        Assert.Equal(
            [
                "BUDGET_TOO_LOW packages[1].budget",
                "INVALID_REQUEST packages[2].bid_price",
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

        Assert.Equal(
            ["BUDGET_TOO_LOW packages[0].budget", "INVALID_REQUEST packages[0].bid_price"],
            refusal.Mistakes.Select(mistake => $"{mistake.Error} {mistake.Field}")
        );
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
        await DeliverAsync(call, made, Day(1, 100, 0, 100), Day(2, 20, 0, 20), Day(2, 3, 0, 3), Day(3, 1000, 0, 1000));

        var one = await ReportAsync(
            call,
            new()
            {
                StartDate = "2026-01-02",
                EndDate = "2026-01-03",
                IncludePackageDailyBreakdown = true,
            }
        );
        var two = await ReportAsync(call, new() { StartDate = "2026-01-01", EndDate = "2026-01-03" });
        var all = await ReportAsync(call, new() { MediaBuyIds = [made.MediaBuyId, "mb_of_nobody"] });
        var half = await RefusedAsync(() => ReportAsync(call, new() { StartDate = "2026-01-01" }));
        var turned = await RefusedAsync(() => ReportAsync(call, new() { StartDate = "2026-01-02", EndDate = "2026-01-02" }));

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
    }

    [Fact]
    public async Task Packages_and_days_add_up_to_what_the_media_buy_delivered()
    {
        using var call = await BeginAsync();
        var order = Buys.Request(budget: 100);
        var made = await CreateAsync(call, order with { Packages = [.. Enumerable.Repeat(order.Packages[0], 3)] });
        await DeliverAsync(
            call,
            made,
            Day(1, impressions: 100, clicks: 1, spend: 10.01m),
            Day(2, impressions: 2, clicks: 0, spend: 0.005m)
        );

        var report = Assert.Single((await ReportAsync(call, new() { IncludePackageDailyBreakdown = true })).MediaBuyDeliveries);
        var packages = report.ByPackage;

        Assert.Equal((102m, 1m, 10.015m), (report.Totals.Impressions, report.Totals.Clicks, report.Totals.Spend));
        Assert.Equal(102, packages.Sum(package => package.Impressions));
        Assert.Equal(1, packages.Sum(package => package.Clicks));
        Assert.Equal(10.015m, packages.Sum(package => package.Spend));
        Assert.All(packages, package => Assert.Equal(package.Impressions, package.DailyBreakdown!.Sum(day => day.Impressions)));
        Assert.All(packages, package => Assert.Equal(package.Spend, package.DailyBreakdown!.Sum(day => day.Spend)));
        Assert.Equal([34, 33, 33], packages.Select(package => package.DailyBreakdown![0].Impressions));
    }

    [Theory]
    [InlineData("0 0", "50 50")]
    [InlineData("300 100", "75 25")]
    [InlineData("0 100", "0 100")]
    [InlineData("1 1 1", "34 33 33")]
    [InlineData("1 2 2 1", "17 33 33 17")]
    public void What_is_divided_adds_up_whatever_the_budgets_are(string budgets, string parts)
    {
        decimal[] weights = [.. budgets.Split(' ').Select(budget => decimal.Parse(budget, CultureInfo.InvariantCulture))];

        Assert.Equal(parts, string.Join(' ', Shares.Of(100, weights, unit: 1).Select(part => (int)part)));
        Assert.Equal(0, Shares.Of(0, weights, unit: 1).Sum());
        Assert.Equal(0.07m, Shares.Of(0.07m, weights, unit: 0.01m).Sum());
    }

    [Fact]
    public async Task A_media_buy_without_days_impressions_or_a_budget_has_a_report()
    {
        using var call = await BeginAsync();
        var made = await CreateAsync(call, Buys.Request());
        var buy = (await call.Context.Documents<MediaBuy>().GetAsync(made.MediaBuyId, Token))!;
        await call.Context.Documents<MediaBuy>().ReplaceAsync(buy with { Packages = [buy.Packages[0] with { Budget = 0 }] }, Token);
        await call.CommitAsync(Token);

        Assert.Equal(0, (await ReportAsync(call, new())).MediaBuyDeliveries[0].ByPackage[0].Spend);

        await DeliverAsync(call, made, Day(1, impressions: 0, clicks: 0, spend: 5));

        Assert.Equal(5, (await ReportAsync(call, new())).MediaBuyDeliveries[0].ByPackage[0].Spend);
    }

    [Fact]
    public async Task A_report_is_in_one_currency_and_one_of_nothing_in_that_of_the_seller()
    {
        var buyer = Guid.NewGuid().ToString();
        using var call = await server.BeginCallAsync("acme", buyer);
        using var another = await server.BeginCallAsync("acme", buyer);
        Assert.Equal("USD", (await ReportAsync(call, new())).Currency);

        var dollars = await CreateAsync(call, Buys.Request());
        var euros = await CreateAsync(another, Buys.Request());
        var buy = (await call.Context.Documents<MediaBuy>().GetAsync(euros.MediaBuyId, Token))!;
        await call.Context.Documents<MediaBuy>().ReplaceAsync(buy with { Currency = "EUR" }, Token);
        await call.CommitAsync(Token);

        var both = await ReportAsync(call, new() { MediaBuyIds = [dollars.MediaBuyId, euros.MediaBuyId] });
        var one = await ReportAsync(call, new() { MediaBuyIds = [euros.MediaBuyId] });

        Assert.Equal("USD", both.Currency);
        Assert.Equal(dollars.MediaBuyId, Assert.Single(both.MediaBuyDeliveries).MediaBuyId);
        Assert.Equal(("VALIDATION_ERROR", "media_buy_ids"), Assert.Single(both.Errors!.Select(error => (error.Code, error.Field))));
        Assert.Contains(euros.MediaBuyId, both.Errors![0].Message, StringComparison.Ordinal);
        Assert.Equal(("EUR", "EUR"), (one.Currency, one.MediaBuyDeliveries[0].ByPackage[0].Currency));
    }

    [Fact]
    public void A_product_that_is_reported_for_all_of_its_time_takes_no_days()
    {
        var product = Product() with { ReportingCapabilities = new() { DateRangeSupport = "lifetime_only" } };
        var days = ReportingDays.Of(new() { StartDate = "2026-01-01", EndDate = "2026-01-02" });

        var refusal = Assert.Throws<AdcpException>(() => ReportingDays.Check(days, product));

        Assert.Equal((AdcpError.UnsupportedFeature, "start_date"), (refusal.Error, refusal.Field));
        ReportingDays.Check(null, product);
        ReportingDays.Check(days, Product());
    }

    [Fact]
    public async Task A_package_without_a_snapshot_says_so_where_one_is_asked_for()
    {
        using var call = await BeginAsync();
        var made = await CreateAsync(call, Buys.Request());

        Assert.Equal("SNAPSHOT_UNSUPPORTED", await ReasonAsync(true));
        Assert.Null(await ReasonAsync(null));

        async Task<string?> ReasonAsync(bool? asks)
        {
            var request = new GetMediaBuysRequest { MediaBuyIds = [made.MediaBuyId], IncludeSnapshot = asks };
            var answer = await _mediaBuys.GetAsync(request, call.Context, Token);
            return answer.MediaBuys[0].Packages[0].SnapshotUnavailableReason;
        }
    }

    [Fact]
    public async Task A_package_whose_product_is_gone_can_be_made_smaller_or_stopped_and_nothing_else_of_it_changed()
    {
        using var call = await BeginAsync();
        var made = await CreateAsync(call, Buys.Request());
        var buy = (await call.Context.Documents<MediaBuy>().GetAsync(made.MediaBuyId, Token))!;
        var gone = buy.Packages[0] with { ProductId = "gone" };
        await call.Context.Documents<MediaBuy>().ReplaceAsync(buy with { Packages = [gone] }, Token);
        await call.CommitAsync(Token);
        PackageUpdate change = new() { PackageId = gone.PackageId };
        PackageUpdate[] changes = [change with { Budget = 7000 }, change with { Paused = false }, change with { TargetingOverlay = new() }];

        foreach (var refused in changes)
        {
            var refusal = await RefusedAsync(() => ChangeAsync(call, Update(made, refused)));
            Assert.Equal((AdcpError.ProductUnavailable, "packages[0].package_id"), (refusal.Error, refusal.Field));
        }

        await ChangeAsync(call, Update(made, change with { Budget = 7, Paused = true, CreativeAssignments = [] }));
        await ChangeAsync(call, Update(made, change with { Canceled = true }));
        var package = (await ListAsync(call, made.MediaBuyId)).Packages[0];
        Assert.Equal((true, 7), (package.Canceled, package.Budget));
    }

    [Fact]
    public async Task What_has_expired_is_sold_no_more_and_what_was_sold_of_it_grows_no_more()
    {
        using var call = await BeginAsync();
        var made = await CreateAsync(call, Buys.Request());
        var buy = (await call.Context.Documents<MediaBuy>().GetAsync(made.MediaBuyId, Token))!;
        Product[] expired = [.. Products(call).Select(product => product with { ExpiresAt = DateTimeOffset.UnixEpoch })];

        var refusal = await RefusedAsync(() => server.Create<Order>().CreateAsync(Buys.Request(), expired, call.Context, Token));
        var more = await RefusedAsync(() => ApplyAsync(new() { PackageId = made.Packages[0].PackageId, Budget = 9000 }));
        var less = await ApplyAsync(new() { PackageId = made.Packages[0].PackageId, Budget = 100 });

        Assert.Equal("PRODUCT_EXPIRED packages[0].product_id", Told(refusal));
        Assert.Equal("PRODUCT_EXPIRED packages[0].package_id", Told(more));
        Assert.Equal(100, less.Packages[0].Budget);

        Task<MediaBuy> ApplyAsync(PackageUpdate update) =>
            server.Create<Change>().ApplyAsync(Update(made, update), buy, expired, call.Context, Token);
    }

    [Fact]
    public async Task Whoever_is_to_count_what_is_billed_is_agreed_to_or_refused()
    {
        using var call = await BeginAsync();
        var agreed = Products(call)[0] with
        {
            MeasurementTerms = new() { BillingMeasurement = new() { Vendor = new() { Domain = "counter.example" } } },
            ReportingCapabilities = new() { MeasurementWindows = [new() { WindowId = "c3", DurationDays = 3 }] },
        };
        BillingMeasurement stranger = new()
        {
            Vendor = new() { Domain = "stranger.example" },
            MeasurementWindow = "c7",
            MaxVariancePercent = 1,
        };

        var bySeller = await RefusedAsync(() => OrderAsync(Products(call)[0], stranger));
        var byProduct = await RefusedAsync(() => OrderAsync(agreed, stranger));
        var taken = await OrderAsync(
            agreed,
            new()
            {
                Vendor = new() { Domain = "counter.example" },
                MeasurementWindow = "c3",
            }
        );
        var left = await OrderAsync(agreed, null);

        const string Field = "packages[0].measurement_terms.billing_measurement";
        Assert.Equal(
            $"TERMS_REJECTED {Field}.vendor, TERMS_REJECTED {Field}.measurement_window, TERMS_REJECTED {Field}.max_variance_percent",
            Told(bySeller)
        );
        Assert.Equal(
            """{"term":"vendor","supported_vendors":["counter.example"]}{"term":"measurement_window","acceptable":["c3"]}"""
                + """{"term":"max_variance_percent","minimum":5}""",
            string.Concat(byProduct.Mistakes.Select(mistake => mistake.Details!.ToJsonString()))
        );
        Assert.Equal("c3", taken.Packages[0].MeasurementTerms!.BillingMeasurement!.MeasurementWindow);
        Assert.Equal("counter.example", left.Packages[0].MeasurementTerms!.BillingMeasurement!.Vendor.Domain);

        async Task<MediaBuy> OrderAsync(Product product, BillingMeasurement? billing)
        {
            var order = Buys.Request();
            var terms = billing is null ? null : new MeasurementTerms { BillingMeasurement = billing };
            order = order with { Packages = [order.Packages[0] with { MeasurementTerms = terms }] };
            return (await server.Create<Order>().CreateAsync(order, [product], call.Context, Token)).Buy;
        }
    }

    [Fact]
    public async Task All_mistakes_of_an_order_and_of_a_change_are_told_at_once()
    {
        using var call = await BeginAsync();
        var made = await CreateAsync(call, Buys.Request());
        CreativeAssignment none = new() { CreativeId = "none" };
        var order = With(Buys.Request(), none) with { StartTime = "soon", EndTime = DateTimeOffset.UnixEpoch };
        var first = order.Packages[0] with { MeasurementTerms = new() { MakegoodPolicy = new() { AvailableRemedies = ["apology"] } } };
        order = order with { Packages = [first, first with { ProductId = "none" }, first with { Budget = 0 }] };
        PackageUpdate change = new()
        {
            PackageId = made.Packages[0].PackageId,
            Budget = 0,
            CreativeAssignments = [none],
        };

        var ordered = await RefusedAsync(() => CreateAsync(call, order));
        var changed = await RefusedAsync(() =>
            ChangeAsync(
                call,
                Buys.Change(made.MediaBuyId) with
                {
                    Paused = false,
                    StartTime = "soon",
                    EndTime = DateTimeOffset.UnixEpoch,
                    Packages = [change, change, change with { PackageId = "none" }],
                }
            )
        );

        Assert.Equal(
            [
                "TERMS_REJECTED packages[0].measurement_terms.makegood_policy.available_remedies",
                "TERMS_REJECTED packages[2].measurement_terms.makegood_policy.available_remedies",
                "INVALID_REQUEST start_time",
                "INVALID_REQUEST end_time",
                "PRODUCT_NOT_FOUND packages[1].product_id",
                "BUDGET_TOO_LOW packages[2].budget",
                "CREATIVE_NOT_FOUND packages[0].creative_assignments[0].creative_id",
                "CREATIVE_NOT_FOUND packages[1].creative_assignments[0].creative_id",
                "CREATIVE_NOT_FOUND packages[2].creative_assignments[0].creative_id",
            ],
            Told(ordered).Split(", ")
        );
        Assert.Equal(
            [
                "CREATIVE_NOT_FOUND packages[0].creative_assignments[0].creative_id",
                "CREATIVE_NOT_FOUND packages[1].creative_assignments[0].creative_id",
                "CREATIVE_NOT_FOUND packages[2].creative_assignments[0].creative_id",
                "INVALID_REQUEST start_time",
                "BUDGET_TOO_LOW packages[0].budget",
                "INVALID_REQUEST packages[1].package_id",
                "PACKAGE_NOT_FOUND packages[2].package_id",
                "INVALID_REQUEST end_time",
                "INVALID_STATE paused",
            ],
            Told(changed).Split(", ")
        );
    }

    [Fact]
    public async Task The_price_that_was_agreed_to_counts_whatever_the_catalog_says_later()
    {
        using var call = await BeginAsync();
        var made = await CreateAsync(call, Buys.Request());
        var buy = (await call.Context.Documents<MediaBuy>().GetAsync(made.MediaBuyId, Token))!;
        var now = Products(call)[0];
        now = now with { PricingOptions = [now.PricingOptions[0] with { Currency = "EUR", FixedPrice = 99, MinSpendPerPackage = 4000 }] };

        var update = Update(made, new() { PackageId = made.Packages[0].PackageId, Budget = 300 });
        var changed = await server.Create<Change>().ApplyAsync(update, buy, [now], call.Context, Token);
        var gone = await server.Create<Change>().ApplyAsync(update, buy, [now with { PricingOptions = [] }], call.Context, Token);
        var report = (await ReportAsync(call, new())).MediaBuyDeliveries[0].ByPackage[0];

        Assert.Equal((300, 300), (changed.Packages[0].Budget, gone.Packages[0].Budget));
        Assert.Equal(("cpm", 9m, "USD"), (report.PricingModel, report.Rate, report.Currency));
    }

    [Theory]
    [InlineData("cpm", 2000, 10, 5, "2.5")]
    [InlineData("cpc", 2000, 10, 5, "0.5")]
    [InlineData("cpm", 0, 0, 0, "4")]
    public void The_rate_of_an_auction_is_what_was_paid(string model, int impressions, int clicks, int spend, string rate)
    {
        var price = Price("auction", "USD") with { PricingModel = model, FloorPrice = 1 };
        Package package = new()
        {
            PackageId = "package",
            ProductId = "product",
            PricingOptionId = "auction",
            Budget = 100,
            BidPrice = 4,
        };
        MediaBuy buy = new()
        {
            Currency = "USD",
            Status = MediaBuyStatus.Active,
            StartTime = default,
            EndTime = default,
            CreatedAt = default,
            Packages = [package],
            Prices = new Dictionary<string, PricingOption> { ["package"] = price },
        };

        var report = DeliveryRecord.Report(buy, [Day(1, impressions, clicks, spend)], withDays: false);

        Assert.Equal(rate, report.ByPackage[0].Rate.ToString("0.##", CultureInfo.InvariantCulture));
    }

    [Fact]
    public void A_flat_rate_is_bought_as_a_whole()
    {
        var product = Product() with { PricingOptions = [Price("flat", "USD") with { PricingModel = "flat_rate", FixedPrice = 5000 }] };

        var refusal = Assert.Throws<AdcpException>(() => OrderRules.Price([Package("flat", 100)], [product], DateTimeOffset.UtcNow));

        Assert.Equal("BUDGET_TOO_LOW packages[0].budget", Told(refusal));
        Assert.Equal("""{"minimum_budget":5000,"currency":"USD"}""", refusal.Details!.ToJsonString());
        Assert.Single(OrderRules.Price([Package("flat", 5000)], [product], DateTimeOffset.UtcNow));
    }

    [Fact]
    public async Task What_has_begun_has_no_other_beginning_and_its_own_may_be_said_again()
    {
        using var call = await BeginAsync();
        await SendAsync(call, "begun");
        var made = await CreateAsync(call, With(Buys.Request(), new CreativeAssignment { CreativeId = "begun" }));
        var buy = (await call.Context.Documents<MediaBuy>().GetAsync(made.MediaBuyId, Token))!;
        buy = buy with { StartTime = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero) };

        var refusal = await RefusedAsync(() => ApplyAsync("2098-01-01T00:00:00Z"));
        var same = await ApplyAsync("2020-01-01T01:00:00+01:00");
        var soon = await ApplyAsync("asap");
        var waiting = await RefusedAsync(() => ApplyAsync("2020-01-02T00:00:00Z"));

        Assert.Equal(MediaBuyStatus.Active, buy.Status);
        Assert.Equal("INVALID_STATE start_time", Told(refusal));
        Assert.Equal((buy.StartTime, buy.StartTime), (same.StartTime, soon.StartTime));
        Assert.Equal("INVALID_REQUEST start_time", Told(waiting));

        Task<MediaBuy> ApplyAsync(string start)
        {
            var request = Buys.Change(made.MediaBuyId) with { StartTime = start, EndTime = buy.EndTime.AddDays(-1) };
            return server.Create<Change>().ApplyAsync(request, buy, Products(call), call.Context, Token);
        }
    }

    [Fact]
    public async Task Nothing_is_said_twice_of_the_same_thing()
    {
        using var call = await BeginAsync();
        await SendAsync(call, "twice");
        CreativeAssignment creative = new() { CreativeId = "twice", Weight = 10 };
        var made = await CreateAsync(call, Buys.Request());
        PackageAssignment assignment = new() { CreativeId = "twice", PackageId = made.Packages[0].PackageId };
        var sent = Buys.Creative("other", FormatOf(call)) with { Assignments = [assignment, assignment with { Weight = 5 }] };

        var ordered = await RefusedAsync(() => CreateAsync(call, With(Buys.Request(), creative, creative with { Weight = 20 })));
        var strict = await RefusedAsync(() => SyncAsync(call, sent));
        var lenient = await SyncAsync(call, sent with { ValidationMode = "lenient" });

        Assert.Equal("INVALID_REQUEST packages[0].creative_assignments[1].creative_id", Told(ordered));
        Assert.Equal("INVALID_REQUEST assignments[1].package_id", Told(strict));
        var refused = lenient.Creatives.Single(one => one.CreativeId == "twice");
        Assert.Equal((0, 1), (refused.AssignedTo!.Count, refused.AssignmentErrors!.Count));
        Assert.Null((await ListAsync(call, made.MediaBuyId)).Packages[0].CreativeAssignments);
    }

    [Fact]
    public async Task A_creative_runs_where_its_format_fits_and_it_has_a_share()
    {
        using var call = await BeginAsync();
        await SendAsync(call, "fits");
        var other = Products(call)[0] with { FormatIds = [new() { AgentUrl = "https://formats.example", Id = "audio" }] };
        var order = With(Buys.Request(), new CreativeAssignment { CreativeId = "fits" });

        var refusal = await RefusedAsync(() => server.Create<Order>().CreateAsync(order, [other], call.Context, Token));
        var halted = await CreateAsync(call, With(Buys.Request(), new CreativeAssignment { CreativeId = "fits", Weight = 0 }));
        var runs = await ChangeAsync(
            call,
            Update(halted, new() { PackageId = halted.Packages[0].PackageId, CreativeAssignments = [new() { CreativeId = "fits" }] })
        );

        Assert.Equal("VALIDATION_ERROR packages[0].creative_assignments[0].creative_id", Told(refusal));
        Assert.Contains("audio", refusal.Message, StringComparison.Ordinal);
        Assert.Equal((MediaBuyStatus.PendingCreatives, MediaBuyStatus.Active), (halted.Status, runs.Status));
    }

    [Fact]
    public async Task Why_a_creative_is_not_shown_is_told()
    {
        using var call = await BeginAsync();
        await SendAsync(call, "bad");
        await SendAsync(call, "away");
        var bad = (await call.Context.Documents<Creative>().GetAsync("bad", Token))!;
        var away = (await call.Context.Documents<Creative>().GetAsync("away", Token))!;
        var library = server.Create<CreativeLibrary>();
        Rejection why = new(["It blinks."], "calm", "https://publisher.example/calm");
        await library.ReviewAsync(bad, CreativeStatus.Rejected, call.Context, Token, why);
        await library.ReviewAsync(away, CreativeStatus.Archived, call.Context, Token);
        await call.CommitAsync(Token);

        var order = With(Buys.Request(), new CreativeAssignment { CreativeId = "bad" }, new CreativeAssignment { CreativeId = "away" });
        var refusal = await RefusedAsync(() => CreateAsync(call, order));

        // Content policy alone rejects.
        Assert.Equal(["CREATIVE_REJECTED", "INVALID_STATE"], refusal.Mistakes.Select(mistake => mistake.Error.Code));
        Assert.Equal(
            """{"reasons":["It blinks."],"policy_id":"calm","policy_url":"https://publisher.example/calm"}""",
            refusal.Details!.ToJsonString()
        );
    }
#if (!OnePlatform)

    [Fact]
    public async Task A_creative_whose_content_changes_is_reviewed_again_before_it_runs()
    {
        using var call = await BeginAsync("globex");
        await SendAsync(call, "changing");
        await ReviewAsync(call, "changing", CreativeStatus.Approved);
        var order = With(Buys.Request("sponsored_products", "cpc_usd"), new CreativeAssignment { CreativeId = "changing" });
        var made = await CreateAsync(call, order with { StartTime = "2098-01-01T00:00:00Z" });
        var sent = Buys.Creative("changing", FormatOf(call));

        Assert.Equal("unchanged", (await SyncAsync(call, sent)).Creatives[0].Action);
        Assert.Equal(["changing"], await ApprovedAsync());

        var changed = await SyncAsync(call, sent with { Creatives = [sent.Creatives[0] with { Name = "Another" }] });

        Assert.Equal(("updated", CreativeStatus.PendingReview), (changed.Creatives[0].Action, changed.Creatives[0].Status!.Value));
        Assert.Empty(await ApprovedAsync());
        var waits = await ChangeAsync(call, Buys.Change(made.MediaBuyId) with { StartTime = "asap" });
        Assert.Equal(MediaBuyStatus.PendingStart, waits.Status);

        await ReviewAsync(call, "changing", CreativeStatus.Approved);
        Assert.Equal(MediaBuyStatus.Active, (await ListAsync(call, made.MediaBuyId)).Status);

        async Task<IReadOnlyList<string>> ApprovedAsync() =>
            (await call.Context.Documents<MediaBuy>().GetAsync(made.MediaBuyId, Token))!.ApprovedCreatives;
    }
#endif

    [Theory]
    [InlineData(null)]
    [InlineData("strict")]
    [InlineData("lenient")]
    public async Task One_bad_creative_refuses_all_or_itself_alone(string? mode)
    {
        using var call = await BeginAsync();
        var made = await CreateAsync(call, Buys.Request());
        var (good, bad, twice) = (Buys.Creative("good"), Buys.Creative("bad", "no_such_format"), Buys.Creative("twice"));
        var request = good with
        {
            ValidationMode = mode,
            Creatives = [good.Creatives[0], bad.Creatives[0], twice.Creatives[0], twice.Creatives[0]],
            Assignments =
            [
                new() { CreativeId = "good", PackageId = made.Packages[0].PackageId },
                new() { CreativeId = "good", PackageId = "none" },
                new() { CreativeId = "unknown", PackageId = made.Packages[0].PackageId },
            ],
        };

        if (mode == "lenient")
        {
            var answer = await SyncAsync(call, request);
            Assert.Equal(
                ["bad failed VALIDATION_ERROR", "good created ", "twice failed INVALID_REQUEST", "unknown failed CREATIVE_NOT_FOUND"],
                answer.Creatives.Select(one => $"{one.CreativeId} {one.Action} {one.Errors?[0].Code}").Order()
            );
            var kept = answer.Creatives.Single(one => one.CreativeId == "good");
            Assert.Equal(made.Packages[0].PackageId, Assert.Single(kept.AssignedTo!));
            Assert.Equal("none", Assert.Single(kept.AssignmentErrors!).Key);
        }
        else
        {
            var refusal = await RefusedAsync(() => SyncAsync(call, request));
            Assert.Equal(
                [
                    "VALIDATION_ERROR creatives[1].format_id",
                    "INVALID_REQUEST creatives[3].creative_id",
                    "PACKAGE_NOT_FOUND assignments[1].package_id",
                    "CREATIVE_NOT_FOUND assignments[2].creative_id",
                ],
                refusal.Mistakes.Select(mistake => $"{mistake.Error} {mistake.Field}")
            );
        }

        Assert.Equal(mode == "lenient" ? "good" : "", await CreativesAsync(call));
    }

    [Fact]
    public async Task What_is_missing_is_archived_where_that_is_asked_for_unless_it_runs()
    {
        using var call = await BeginAsync();
        foreach (var id in new[] { "runs", "idle", "sent" })
        {
            await SendAsync(call, id);
        }

        await CreateAsync(call, With(Buys.Request(), new CreativeAssignment { CreativeId = "runs" }));
        var request = Buys.Creative("sent");

        var both = await RefusedAsync(() => SyncAsync(call, request with { DeleteMissing = true, CreativeIds = ["sent"] }));
        await SyncAsync(call, request with { DeleteMissing = true, DryRun = true });
        Assert.Equal("idle runs sent", await CreativesAsync(call));
        var answer = await SyncAsync(call, request with { DeleteMissing = true });

        Assert.Equal((AdcpError.InvalidRequest, "delete_missing"), (both.Error, both.Field));
        Assert.Equal(
            ["idle deleted", "runs failed", "sent unchanged"],
            answer.Creatives.Select(one => $"{one.CreativeId} {one.Action}").Order()
        );
        Assert.Equal("runs sent", await CreativesAsync(call));

        // What was archived comes back when it is sent again.
        await SendAsync(call, "idle");
        Assert.Equal("idle runs sent", await CreativesAsync(call));
    }

    [Fact]
    public async Task Where_a_buyer_wants_to_be_told_is_kept_without_its_secrets()
    {
        using var call = await BeginAsync();
        var config = Json(
            """{"url":"https://buyer.example","token":"secret","authentication":{"schemes":["Bearer"],"credentials":"secret"}}"""
        );

        await SyncAsync(call, Buys.Creative("told") with { PushNotificationConfig = config });
        await server.Create<Accounts>().SyncAsync(Buys.Account("operator") with { PushNotificationConfig = config }, call.Context, Token);
        await call.CommitAsync(Token);

        var creative = await call.Context.Documents<Creative>().GetAsync("told", Token);
        var account = Assert.Single((await call.Context.CallerDocuments<AccountDocument>().ListAsync(cancellationToken: Token)).Items);
        foreach (var kept in new JsonElement?[] { creative!.Notify, Assert.Single(account.Notify).Value })
        {
            Assert.Equal("https://buyer.example", kept!.Value.GetProperty("url").GetString());
            Assert.DoesNotContain("secret", kept.Value.GetRawText(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Feedback_is_for_an_account_that_may_be_used()
    {
        using var call = await BeginAsync();
        await server.Create<Accounts>().SyncAsync(Buys.Account("operator"), call.Context, Token);
        await call.CommitAsync(Token);
        var brand = new BrandReference { Domain = "brand.example" };
        var made = await CreateAsync(
            call,
            Buys.Request() with
            {
                Account = new() { Brand = brand, Operator = "agency.example" },
            }
        );
        var feedback = new ProvidePerformanceFeedbackRequest
        {
            IdempotencyKey = Guid.NewGuid().ToString(),
            MediaBuyId = made.MediaBuyId,
            MeasurementPeriod = new() { Start = DateTimeOffset.UnixEpoch, End = DateTimeOffset.UnixEpoch.AddDays(1) },
            PerformanceIndex = 1.5m,
        };

        Assert.True((await _mediaBuys.ProvideFeedbackAsync(feedback, call.Context, Token)).Success);
        await call.CommitAsync(Token);
        var accounts = call.Context.CallerDocuments<AccountDocument>();
        var account = Assert.Single((await accounts.ListAsync(cancellationToken: Token)).Items);
        await accounts.ReplaceAsync(account with { Account = account.Account with { Status = AccountStatus.Suspended } }, Token);
        await call.CommitAsync(Token);
        var refusal = await RefusedAsync(() => _mediaBuys.ProvideFeedbackAsync(feedback, call.Context, Token));

        Assert.Equal(AdcpError.AccountSuspended, refusal.Error);
    }
#if (!OnePlatform)

    [Fact]
    public async Task A_creative_that_is_not_there_or_was_rejected_is_not_sold_and_one_that_waits_does_not_run()
    {
        using var call = await BeginAsync("globex");
        await SendAsync(call, "waiting");
        await SendAsync(call, "bad");
        await ReviewAsync(call, "bad", CreativeStatus.Rejected);
        var order = Buys.Request("sponsored_products", "cpc_usd");

        var refusal = await RefusedAsync(() =>
            CreateAsync(call, With(order, new() { CreativeId = "bad" }, new() { CreativeId = "waiting" }, new() { CreativeId = "none" }))
        );
        var made = await CreateAsync(call, With(order, new CreativeAssignment { CreativeId = "waiting" }));
        await ReviewAsync(call, "waiting", CreativeStatus.Approved);

        Assert.Equal(
            [
                "CREATIVE_REJECTED packages[0].creative_assignments[0].creative_id",
                "CREATIVE_NOT_FOUND packages[0].creative_assignments[2].creative_id",
            ],
            refusal.Mistakes.Select(mistake => $"{mistake.Error} {mistake.Field}")
        );
        Assert.Equal(MediaBuyStatus.PendingStart, made.Status);
        Assert.Equal(MediaBuyStatus.Active, (await ListAsync(call, made.MediaBuyId)).Status);
    }
#endif

    [Fact]
    public async Task A_rejected_creative_that_is_sent_again_as_it_is_refuses_all_and_another_content_is_reviewed_anew()
    {
        using var call = await BeginAsync();
        var made = await CreateAsync(call, Buys.Request());
        await SendAsync(call, "bad");
        await ReviewAsync(call, "bad", CreativeStatus.Rejected);
        var (bad, other) = (Buys.Creative("bad", FormatOf(call)), Buys.Creative("other", FormatOf(call)));
        var request = bad with
        {
            Creatives = [other.Creatives[0], bad.Creatives[0]],
            Assignments = [new() { CreativeId = "bad", PackageId = made.Packages[0].PackageId }],
        };

        var refusal = await RefusedAsync(() => SyncAsync(call, request));
        var kept = await CreativesAsync(call);
        var answer = await SyncAsync(call, request with { Creatives = [other.Creatives[0], bad.Creatives[0] with { Name = "Better" }] });

        Assert.Equal("CREATIVE_REJECTED assignments[0].creative_id", $"{refusal.Error} {refusal.Field}");
        Assert.Equal("bad", kept);
        Assert.Equal(["created", "updated"], answer.Creatives.Select(one => one.Action));
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
    public async Task An_account_orders_for_its_credit_limit_and_no_more()
    {
        var buyer = Guid.NewGuid().ToString();
        using var call = await server.BeginCallAsync("acme", buyer);
        using var other = await server.BeginCallAsync("acme", buyer);
        await server.Create<Accounts>().SyncAsync(Buys.Account("operator"), call.Context, Token);
        await call.CommitAsync(Token);
        var accounts = call.Context.CallerDocuments<AccountDocument>();
        var account = Assert.Single((await accounts.ListAsync(cancellationToken: Token)).Items);
        var limit = new Money { Amount = 100, Currency = "USD" };
        await accounts.ReplaceAsync(account with { Account = account.Account with { CreditLimit = limit } }, Token);
        await call.CommitAsync(Token);
        var order = Buys.Request(budget: 60) with { Account = new() { AccountId = account.Id } };

        var made = await CreateAsync(call, order);
        var over = await RefusedAsync(() => CreateAsync(call, order));
        await RaiseAsync(100);
        var raised = await RefusedAsync(() => RaiseAsync(101));
        await ChangeAsync(call, Buys.Change(made.MediaBuyId) with { Canceled = true });
        await CreateAsync(call, order);

        // Of two at once the later one counts the other.
        await _mediaBuys.CreateAsync(Buys.Request(budget: 30) with { Account = order.Account }, call.Context, Token);
        await _mediaBuys.CreateAsync(Buys.Request(budget: 30) with { Account = order.Account }, other.Context, Token);
        await call.CommitAsync(Token);
        await Assert.ThrowsAsync<DocumentChangedException>(() => other.CommitAsync(Token));

        Assert.Equal("BUDGET_EXCEEDED packages[0].budget", Told(over));
        Assert.Equal("""{"limit":100,"committed":60,"currency":"USD"}""", over.Details!.ToJsonString());
        Assert.Equal("BUDGET_EXCEEDED packages[0].budget", Told(raised));

        Task<UpdateMediaBuyResponse> RaiseAsync(decimal budget) =>
            ChangeAsync(call, Update(made, new() { PackageId = made.Packages[0].PackageId, Budget = budget }));
    }

    [Fact]
    public async Task What_was_agreed_for_an_account_changes_for_those_alone_who_ask_for_it()
    {
        using var call = await BeginAsync();
        var book = server.Create<Accounts>();
        await SyncAsync("net_30", "https://one.example");
        var kept = await SyncAsync(null);
        var refused = Assert.Single((await book.SyncAsync(Buys.Account("agent"), call.Context, Token)).Accounts);

        await SetAsync(account => account with { AccountScope = AccountScope.Operator });
        var shared = await SyncAsync("net_60");
        var silent = await SyncAsync(null, "https://two.example");
        await SetAsync(account => account with { AccountScope = null, Status = AccountStatus.Suspended });
        var halted = await SyncAsync("net_60");
        var same = await SyncAsync("net_30");

        Assert.Equal(("unchanged", "net_30"), (kept.Action, kept.PaymentTerms));
        Assert.Equal("failed Active BILLING_NOT_SUPPORTED accounts[0].billing", Told(refused));
        Assert.Equal("failed Active PAYMENT_TERMS_NOT_SUPPORTED accounts[0].payment_terms", Told(shared));
        Assert.Equal("updated", silent.Action);
        Assert.Equal("failed Suspended ACCOUNT_SUSPENDED accounts[0]", Told(halted));
        Assert.Equal(("unchanged", AccountStatus.Suspended), (same.Action, same.Status));
        Assert.All([refused, shared, halted], failed => Assert.Equal(kept.AccountId, failed.AccountId));

        async Task<AccountResult> SyncAsync(string? terms, string? url = null)
        {
            var request = Buys.Account("operator");
            request = request with
            {
                Accounts = [request.Accounts[0] with { PaymentTerms = terms }],
                PushNotificationConfig = url is null ? null : Json($$"""{"url":"{{url}}"}"""),
            };
            var answer = await book.SyncAsync(request, call.Context, Token);
            await call.CommitAsync(Token);
            return Assert.Single(answer.Accounts);
        }

        async Task SetAsync(Func<Account, Account> change)
        {
            var accounts = call.Context.CallerDocuments<AccountDocument>();
            var found = Assert.Single((await accounts.ListAsync(cancellationToken: Token)).Items);
            await accounts.ReplaceAsync(found with { Account = change(found.Account) }, Token);
            await call.CommitAsync(Token);
        }

        static string Told(AccountResult result) => $"{result.Action} {result.Status} {result.Errors![0].Code} {result.Errors[0].Field}";
    }

    [Theory]
    [InlineData("\"https://buyer.example\"", "push_notification_config")]
    [InlineData("[]", "push_notification_config")]
    [InlineData("{}", "push_notification_config.url")]
    [InlineData("""{"url":7}""", "push_notification_config.url")]
    public async Task A_place_to_be_told_at_that_is_none_is_refused(string config, string field)
    {
        var order = JsonSerializer.SerializeToNode(Buys.OfAcme("told.example"))!;
        order["push_notification_config"] = JsonNode.Parse(config);

        var error = await ErrorAsync("create_media_buy", order);

        Assert.Equal(("INVALID_REQUEST", field), ((string?)error["code"], (string?)error["field"]));
    }

    [Theory]
    [InlineData("\"ext\":{\"a\":1,\"a\":2}")]
    [InlineData("\"packages\":[{\"budget\":1e999}]")]
    [InlineData("\"push_notification_config\":7")]
    [InlineData("\"governance_context\":7")]
    public async Task What_is_ignored_of_a_cancellation_cannot_refuse_it(string ignored)
    {
        await server.OpenAccountAsync("acme");
        var made = await server.CallAsync("acme", "create_media_buy", Buys.OfAcme());
        const string Account = """{"brand":{"domain":"brand.example"},"operator":"agency.example"}""";
        var names = $"\"idempotency_key\":\"{Guid.NewGuid()}\",\"media_buy_id\":\"{made["media_buy_id"]}\",\"account\":{Account}";
        var request = $"{{{names},\"canceled\":true,{ignored}}}";

        var canceled = await server.CallAsync("acme", "update_media_buy", Json(request));

        Assert.Equal("canceled", (string?)canceled["status"]);
    }

    [Fact]
    public async Task What_was_bought_for_tests_is_not_among_what_is_real()
    {
        var order = JsonSerializer.SerializeToNode(Buys.OfAcme("apart.example"))!.AsObject();
        order["account"]!["sandbox"] = true;
        var made = await server.CallAsync("acme", "create_media_buy", order);
        string[] ids = [(string)made["media_buy_id"]!];

        var all = await server.CallAsync("acme", "get_media_buys", new { media_buy_ids = ids });
        var delivery = await server.CallAsync("acme", "get_media_buy_delivery", new { media_buy_ids = ids });
        var named = await server.CallAsync("acme", "get_media_buys", new { media_buy_ids = ids, account = order["account"] });
        var formats = await server.CallAsync("acme", "list_creative_formats", new { account = order["account"] });

        Assert.Empty(all["media_buys"]!.AsArray());
        Assert.Empty(delivery["media_buy_deliveries"]!.AsArray());
        Assert.Single(named["media_buys"]!.AsArray());
        Assert.True((bool?)named["sandbox"]);
        Assert.True((bool?)formats["sandbox"]);
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

    private async Task ReviewAsync(TestToolContext call, string id, CreativeStatus status)
    {
        var creative = await call.Context.Documents<Creative>().GetAsync(id, Token);
        await server.Create<CreativeLibrary>().ReviewAsync(creative!, status, call.Context, Token);
        await call.CommitAsync(Token);
    }

    private async Task<string> CreativesAsync(TestToolContext call)
    {
        var listed = await server.Create<Creatives>().ListAsync(new(), call.Context, Token);
        return string.Join(' ', listed.Creatives.Select(creative => creative.CreativeId).Order());
    }

    private static async Task DeliverAsync(TestToolContext call, CreateMediaBuyResponse made, params DayOfDelivery[] days)
    {
        var buy = (await call.Context.Documents<MediaBuy>().GetAsync(made.MediaBuyId, Token))!;
        var record = days.Aggregate(new DeliveryRecord(), (sum, day) => sum.Add(day));
        await call.Context.Documents<DeliveryRecord>().Of(buy).CreateWithIdAsync(buy.Id, record, Token);
        await call.CommitAsync(Token);
    }

    private static DayOfDelivery Day(int day, decimal impressions, decimal clicks, decimal spend) =>
        new()
        {
            Date = new(2026, 1, day),
            Impressions = impressions,
            Clicks = clicks,
            Spend = spend,
        };

    private Task<GetMediaBuyDeliveryResponse> ReportAsync(TestToolContext call, GetMediaBuyDeliveryRequest request) =>
        server.Create<Delivery>().GetAsync(request, call.Context, Token);

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

    private async Task<JsonNode> ErrorAsync(string tool, object arguments)
    {
        using var response = await server.SendAsync("acme", "acme.dev-buyer", tool, arguments);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!;
        return answer["result"]!["structuredContent"]!["adcp_error"]!;
    }

    private static IReadOnlyList<Product> Products(TestToolContext call) => call.Context.Platform<ISeller>().Products;

    // The seller itself, which counts unless a product says who else does.
    private static BrandReference Own(TestToolContext call) => new() { Domain = Products(call)[0].PublisherProperties[0].PublisherDomain };

    private static string Told(AdcpException refusal) =>
        string.Join(", ", refusal.Mistakes.Select(mistake => $"{mistake.Error} {mistake.Field}"));

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
        await SyncAsync(call, Buys.Creative(id, FormatOf(call)));
    }

    private async Task<SyncCreativesResponse> SyncAsync(TestToolContext call, SyncCreativesRequest request)
    {
        var answer = await server.Create<Creatives>().SyncAsync(request, call.Context, Token);
        await call.CommitAsync(Token);
        return answer;
    }

    private static string FormatOf(TestToolContext call) => call.Context.Platform<ISeller>().Formats[0].FormatId.Id;

    private async Task<CreativeResult> AssignAsync(TestToolContext call, string id, string package)
    {
        var request = Buys.Creative(id, FormatOf(call)) with
        {
            ValidationMode = "lenient",
            Assignments = [new() { CreativeId = id, PackageId = package }],
        };
        return Assert.Single((await SyncAsync(call, request)).Creatives);
    }
}

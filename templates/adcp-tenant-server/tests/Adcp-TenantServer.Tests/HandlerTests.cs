using System.Globalization;
using System.Text.Json;
using Adcp_TenantServer.Handlers;
using Adcp_TenantServer.Selling;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Adcp;
using Tenancy.Administration;
using Tenancy.Configuration;
using Tenancy.Mcp;
using Tenancy.State;
using Tenancy.Testing;

namespace Adcp_TenantServer.Tests;

/// <summary>Each handler by itself: what your own are tested like.</summary>
public sealed class HandlerTests(SellerServer server)
{
    private readonly MediaBuys _mediaBuys = server.Create<MediaBuys>();
#if (!OnePlatform)

    [Fact]
    public async Task Get_products_lists_what_the_tenants_platform_sells()
    {
        using var call = await server.BeginCallAsync("globex");

        var answer = await server.Create<Products>().GetAsync(new(), call.Context, TestContext.Current.CancellationToken);

        var product = Assert.Single(answer.Products);
        Assert.Equal("sponsored_products", product.ProductId);
        Assert.Equal(0.80m, Assert.Single(product.PricingOptions).FixedPrice);
    }
#endif

    [Fact]
    public async Task Create_media_buy_keeps_what_was_bought()
    {
        using var call = await server.BeginCallAsync("acme");

        var answer = await _mediaBuys.CreateAsync(Buys.Request(budget: 250), call.Context, TestContext.Current.CancellationToken);

        // A server does this when a handler has returned: what it wrote is kept.
        await call.CommitAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("mb_", answer.MediaBuyId, StringComparison.Ordinal);
        Assert.Equal(MediaBuyStatus.PendingCreatives, answer.Status);
        Assert.Equal(250, Assert.Single(answer.Packages).Budget);
    }

    [Fact]
    public async Task Get_products_applies_filters_and_promises_nothing_that_it_does_not_know()
    {
        using var call = await server.BeginCallAsync("acme");

        Assert.Equal(2, (await FindAsync(new() { Countries = ["DE"] })).Count);
        Assert.Empty(await FindAsync(new() { Countries = ["DE"], MinExposures = 1000 }));
        Assert.Empty(await FindAsync(new() { Regions = ["DE-BE"] }));
        Assert.Empty(await FindAsync(new() { Exclusivity = "exclusive" }));

        async Task<IReadOnlyList<Product>> FindAsync(ProductFilters filters) =>
            (
                await server.Create<Products>().GetAsync(new() { Filters = filters }, call.Context, TestContext.Current.CancellationToken)
            ).Products;
    }

    [Fact]
    public async Task List_creatives_filters_by_where_creatives_run()
    {
        using var call = await server.BeginCallAsync("acme", Guid.NewGuid().ToString());
        foreach (var id in new[] { "runs", "waits" })
        {
            await server.Create<Creatives>().SyncAsync(Buys.Creative(id), call.Context, TestContext.Current.CancellationToken);
        }

        await call.CommitAsync(TestContext.Current.CancellationToken);
        var order = Buys.Request();
        var made = await _mediaBuys.CreateAsync(
            order with
            {
                Packages = [order.Packages[0] with { CreativeAssignments = [new() { CreativeId = "runs" }] }],
            },
            call.Context,
            TestContext.Current.CancellationToken
        );
        await call.CommitAsync(TestContext.Current.CancellationToken);

        Assert.Equal("runs", await FindAsync(new() { Unassigned = false }));
        Assert.Equal("waits", await FindAsync(new() { Unassigned = true }));
        Assert.Equal("runs", await FindAsync(new() { MediaBuyIds = [made.MediaBuyId, "mb_of_nobody"] }));
        Assert.Equal("runs", await FindAsync(new() { AssignedToPackages = [made.Packages[0].PackageId] }));
        Assert.Equal("", await FindAsync(new() { MediaBuyIds = [made.MediaBuyId], AssignedToPackages = ["pkg_of_nobody"] }));
        Assert.Equal("runs waits", await FindAsync(new() { HasServed = false, HasVariables = false }));
        Assert.Equal("", await FindAsync(new() { ConceptIds = ["concept"] }));

        var buy = (await call.Context.Documents<MediaBuy>().GetAsync(made.MediaBuyId, TestContext.Current.CancellationToken))!;
        await call
            .Context.Documents<DeliveryRecord>()
            .Of(buy)
            .CreateWithIdAsync(
                buy.Id,
                new DeliveryRecord().Add(new() { Date = new(2026, 1, 1), Impressions = 1 }),
                TestContext.Current.CancellationToken
            );
        await call.CommitAsync(TestContext.Current.CancellationToken);

        Assert.Equal("runs", await FindAsync(new() { HasServed = true }));
        Assert.Equal("waits", await FindAsync(new() { HasServed = false }));

        async Task<string> FindAsync(CreativeFilters filters)
        {
            var answer = await server
                .Create<Creatives>()
                .ListAsync(new() { Filters = filters }, call.Context, TestContext.Current.CancellationToken);
            return string.Join(' ', answer.Creatives.Select(creative => creative.CreativeId).Order());
        }
    }

    [Fact]
    public async Task Create_media_buy_refuses_a_product_that_another_tenant_sells()
    {
        using var call = await server.BeginCallAsync("acme");

        var refusal = await Assert.ThrowsAsync<AdcpException>(() =>
            _mediaBuys.CreateAsync(Buys.Request("sponsored_products", "cpc_usd"), call.Context, TestContext.Current.CancellationToken)
        );

        Assert.Equal(AdcpError.ProductNotFound, refusal.Error);
        Assert.Equal("packages[0].product_id", refusal.Field);
    }

    [Fact]
    public async Task A_media_buy_that_was_ended_does_not_come_back()
    {
        using var call = await server.BeginCallAsync("acme");
        var made = await _mediaBuys.CreateAsync(Buys.Request(), call.Context, TestContext.Current.CancellationToken);
        await call.CommitAsync(TestContext.Current.CancellationToken);
        await _mediaBuys.UpdateAsync(
            Buys.Change(made.MediaBuyId) with
            {
                Canceled = true,
            },
            call.Context,
            TestContext.Current.CancellationToken
        );
        await call.CommitAsync(TestContext.Current.CancellationToken);

        var resumed = await Assert.ThrowsAsync<AdcpException>(() =>
            _mediaBuys.UpdateAsync(
                Buys.Change(made.MediaBuyId) with
                {
                    Paused = false,
                },
                call.Context,
                TestContext.Current.CancellationToken
            )
        );
        var ended = await Assert.ThrowsAsync<AdcpException>(() =>
            _mediaBuys.UpdateAsync(
                Buys.Change(made.MediaBuyId) with
                {
                    Canceled = true,
                },
                call.Context,
                TestContext.Current.CancellationToken
            )
        );

        Assert.Equal(AdcpError.InvalidState, resumed.Error);
        Assert.Equal(AdcpError.NotCancellable, ended.Error);
    }

    [Fact]
    public async Task A_media_buy_that_waits_is_not_active_because_it_was_halted_and_goes_on()
    {
        using var call = await server.BeginCallAsync("acme");
        var made = await _mediaBuys.CreateAsync(Buys.Request(), call.Context, TestContext.Current.CancellationToken);
        await call.CommitAsync(TestContext.Current.CancellationToken);
        var tomorrow = DateTimeOffset.UtcNow.AddDays(1).ToString("O", CultureInfo.InvariantCulture);

        Assert.Equal(MediaBuyStatus.PendingCreatives, await PauseAsync(call, made, true));
        Assert.Equal(MediaBuyStatus.PendingCreatives, await PauseAsync(call, made, false));

        await SendCreativeAsync("acme", "banner");

        // Halted while it waits, it does not run when its creatives and its first day are there.
        await PauseAsync(call, made, true);
        var waits = await ChangeAsync(call, made, change =>
            change with
            {
                StartTime = tomorrow,
                Packages = [new() { PackageId = made.Packages[0].PackageId, CreativeAssignments = [new() { CreativeId = "banner" }] }],
            }
        );
        Assert.Equal(MediaBuyStatus.PendingStart, waits.Status);
        Assert.Equal(MediaBuyStatus.Paused, (await ChangeAsync(call, made, change => change with { StartTime = "asap" })).Status);
        Assert.Equal(MediaBuyStatus.Active, await PauseAsync(call, made, false));
        Assert.Equal(MediaBuyStatus.Paused, await PauseAsync(call, made, true));
        Assert.Equal(MediaBuyStatus.Active, await PauseAsync(call, made, false));
    }

    [Fact]
    public async Task A_media_buy_takes_the_actions_that_it_lists_and_no_other()
    {
        using var call = await server.BeginCallAsync("acme");
        var made = await _mediaBuys.CreateAsync(Buys.Request(), call.Context, TestContext.Current.CancellationToken);
        await call.CommitAsync(TestContext.Current.CancellationToken);

        await AssertRefusedAsync(false);
        Assert.Contains(MediaBuyAction.Pause, made.ValidActions!);
        var paused = await ChangeAsync(call, made, change => change with { Paused = true });
        await AssertRefusedAsync(true);
        Assert.Contains(MediaBuyAction.Resume, paused.ValidActions!);
        Assert.DoesNotContain(MediaBuyAction.Pause, paused.ValidActions!);

        async Task AssertRefusedAsync(bool pause)
        {
            var refusal = await Assert.ThrowsAsync<AdcpException>(() => PauseAsync(call, made, pause));
            Assert.Equal((AdcpError.InvalidState, "paused"), (refusal.Error, refusal.Field));
        }
    }
#if (!OnePlatform)

    [Fact]
    public async Task A_creative_of_the_publisher_runs_at_once_and_one_of_the_retailer_is_reviewed_first()
    {
        Assert.Equal(CreativeStatus.Approved, await SendCreativeAsync("acme"));
        Assert.Equal(CreativeStatus.PendingReview, await SendCreativeAsync("globex"));
    }
#endif

    [Fact]
    public async Task Of_two_that_send_a_new_creative_at_once_the_one_that_is_told_so_last_is_kept()
    {
        var library = server.Create<CreativeLibrary>();
        for (var round = 0; round < 10; round++)
        {
            using var first = await server.BeginCallAsync("acme");
            using var second = await server.BeginCallAsync("acme");
            CreativeAsset one = Buys.Creative().Creatives[0],
                two = one with { Name = "Another banner" };

            var answers = await Task.WhenAll(
                RunAsync(first, context =>
                    library.KeepAsync(one, notify: null, isDryRun: false, context, TestContext.Current.CancellationToken)
                ),
                RunAsync(second, context =>
                    library.KeepAsync(two, notify: null, isDryRun: false, context, TestContext.Current.CancellationToken)
                )
            );

            Assert.Equal(["created", "updated"], answers.Select(answer => answer.Action).Order());
            var kept = await first.Context.Documents<Creative>().GetAsync(one.CreativeId, TestContext.Current.CancellationToken);
            Assert.Equal(answers[0].Action == "updated" ? one.Name : two.Name, kept!.Asset.Name);
        }
    }

    [Fact]
    public async Task Of_two_that_open_an_account_at_once_the_one_that_is_told_so_last_is_kept()
    {
        for (var round = 0; round < 10; round++)
        {
            var buyer = Guid.NewGuid().ToString();
            using var first = await server.BeginCallAsync("acme", buyer);
            using var second = await server.BeginCallAsync("acme", buyer);

            var answers = await Task.WhenAll(OpenAsync(first, "net_30"), OpenAsync(second, "net_60"));

            Assert.Equal(["created", "updated"], answers.Select(answer => answer.Action).Order());
            var listed = await server.Create<Accounts>().ListAsync(new(), first.Context, TestContext.Current.CancellationToken);
            Assert.Equal(answers.Single(answer => answer.Action == "updated").PaymentTerms, Assert.Single(listed.Accounts).PaymentTerms);
        }

        async Task<AccountResult> OpenAsync(TestToolContext call, string terms)
        {
            var answer = await RunAsync(call, context =>
                server.Create<Accounts>().SyncAsync(With(Buys.Account("operator"), terms), context, TestContext.Current.CancellationToken)
            );
            return Assert.Single(answer.Accounts);
        }

        static SyncAccountsRequest With(SyncAccountsRequest request, string terms) =>
            request with
            {
                Accounts = [request.Accounts[0] with { PaymentTerms = terms }],
            };
    }

    [Fact]
    public async Task A_buyer_has_so_many_accounts_and_no_more()
    {
        using var call = await server.BeginCallAsync("acme", Guid.NewGuid().ToString());
        string[] most = [.. Enumerable.Range(1, AccountDocument.MaxPerCaller).Select(number => $"agency-{number}.example")];

        Assert.All(await OpenAsync([.. most, most[0]]), (account, index) =>
            Assert.Equal(index < most.Length ? "created" : "unchanged", account.Action)
        );
        var refusal = await Assert.ThrowsAsync<AdcpException>(() => OpenAsync(most[0], "one-more.example"));
        Assert.Equal((AdcpError.PolicyViolation, "accounts"), (refusal.Error, refusal.Field));
        Assert.Equal("unchanged", Assert.Single(await OpenAsync(most[0])).Action);

        async Task<IReadOnlyList<AccountResult>> OpenAsync(params string[] operators) =>
            (
                await RunAsync(call, context =>
                    server.Create<Accounts>().SyncAsync(Buys.Account("operator", operators), context, TestContext.Current.CancellationToken)
                )
            ).Accounts;
    }

    [Fact]
    public async Task What_could_not_be_listed_again_is_not_taken()
    {
        var buyer = Guid.NewGuid().ToString();
        using (var first = await server.BeginCallAsync("acme", buyer))
        {
            await _mediaBuys.CreateAsync(WithContext(depth: 40), first.Context, TestContext.Current.CancellationToken);
            await first.CommitAsync(TestContext.Current.CancellationToken);
        }

        using var call = await server.BeginCallAsync("acme", buyer);
        var refusal = await Assert.ThrowsAsync<DocumentTooLargeException>(() =>
            _mediaBuys.CreateAsync(WithContext(depth: 59), call.Context, TestContext.Current.CancellationToken)
        );
        call.Discard();

        Assert.Contains("nested too deeply", refusal.CallerMessage, StringComparison.Ordinal);
        var listed = await _mediaBuys.GetAsync(
            new() { StatusFilter = [MediaBuyStatus.PendingCreatives] },
            call.Context,
            TestContext.Current.CancellationToken
        );
        Assert.NotNull(Assert.Single(Assert.Single(listed.MediaBuys).Packages).Context);

        static CreateMediaBuyRequest WithContext(int depth)
        {
            var request = Buys.Request();
            var context = JsonElement.Parse(new string('[', depth) + new string(']', depth));
            return request with { Packages = [request.Packages[0] with { Context = context }] };
        }
    }

    [Fact]
    public async Task Two_requests_at_once_open_no_account_too_many()
    {
        var buyer = Guid.NewGuid().ToString();
        using var first = await server.BeginCallAsync("acme", buyer);
        using var second = await server.BeginCallAsync("acme", buyer);
        await OpenAsync(first, [.. Enumerable.Range(1, AccountDocument.MaxPerCaller - 1).Select(number => $"agency-{number}.example")]);

        var opened = await Task.WhenAll(TryAsync(first, "one.example"), TryAsync(second, "other.example"));

        Assert.Single(opened, isOpen => isOpen);

        async Task<bool> TryAsync(TestToolContext call, string name)
        {
            try
            {
                await OpenAsync(call, name);
                return true;
            }
            catch (AdcpException refusal) when (refusal.Error == AdcpError.PolicyViolation)
            {
                call.Discard();
                return false;
            }
        }

        Task<SyncAccountsResponse> OpenAsync(TestToolContext call, params string[] operators) =>
            RunAsync(call, context =>
                server.Create<Accounts>().SyncAsync(Buys.Account("operator", operators), context, TestContext.Current.CancellationToken)
            );
    }

    [Fact]
    public async Task A_creative_is_put_into_as_many_media_buys_as_a_request_may_name()
    {
        var buyer = Guid.NewGuid().ToString();
        List<string> packages = [];
        for (var i = 0; i < 130; i++)
        {
            packages.Add((await CreateAsync(buyer)).Packages[0].PackageId);
        }

        using var call = await server.BeginCallAsync("acme", buyer);
        var request = Buys.Creative();
        request = request with
        {
            ValidationMode = "lenient",
            Assignments =
            [
                .. packages
                    .Append("none")
                    .Select(package => new PackageAssignment { CreativeId = request.Creatives[0].CreativeId, PackageId = package }),
            ],
        };
        var creatives = server.Create<Creatives>();
        var answer = await RunAsync(call, context => creatives.SyncAsync(request, context, TestContext.Current.CancellationToken));

        var result = Assert.Single(answer.Creatives);
        Assert.Equal(packages, result.AssignedTo);
        Assert.Equal("none", Assert.Single(result.AssignmentErrors!).Key);
        var listed = await _mediaBuys.GetAsync(
            new()
            {
                StatusFilter = [MediaBuyStatus.Active],
                Pagination = new() { MaxResults = 100 },
            },
            call.Context,
            TestContext.Current.CancellationToken
        );
        Assert.Equal(100, listed.MediaBuys.Count);
    }

    [Fact]
    public async Task Creatives_as_large_as_a_tenant_can_allow_are_kept_a_part_at_a_time()
    {
        await server
            .Services.GetRequiredService<ITenantAdministration>()
            .UpdateAsync(
                TenantId.Parse("acme"),
                tenant => tenant with { Limits = (tenant.Limits ?? new()) with { MaxDocumentSize = 1024 * 1024 } },
                cancellationToken: TestContext.Current.CancellationToken
            );
        using var call = await server.BeginCallAsync("acme", Guid.NewGuid().ToString());
        var large = JsonSerializer.SerializeToElement(new string('x', 1_040_000));
        var request = Buys.Creative() with
        {
            Creatives =
            [
                .. Enumerable
                    .Range(0, 9)
                    .Select(_ => Buys.Creative().Creatives[0] with { Assets = new Dictionary<string, JsonElement> { ["text"] = large } }),
            ],
        };

        var creatives = server.Create<Creatives>();
        var answer = await RunAsync(call, context => creatives.SyncAsync(request, context, TestContext.Current.CancellationToken));

        Assert.All(answer.Creatives, creative => Assert.Equal("created", creative.Action));
    }

    [Fact]
    public async Task A_media_buy_that_has_not_run_has_delivered_nothing()
    {
        using var call = await server.BeginCallAsync("acme", Guid.NewGuid().ToString());
        var made = await _mediaBuys.CreateAsync(Buys.Request(), call.Context, TestContext.Current.CancellationToken);
        await call.CommitAsync(TestContext.Current.CancellationToken);

        var report = await server
            .Create<Delivery>()
            .GetAsync(new() { MediaBuyIds = [made.MediaBuyId] }, call.Context, TestContext.Current.CancellationToken);

        Assert.Equal(0, Assert.Single(report.MediaBuyDeliveries).Totals.Impressions);
    }

    [Fact]
    public async Task Get_media_buys_lists_the_buyers_own()
    {
        var buyer = Guid.NewGuid().ToString();
        var made = await CreateAsync(buyer);
        await CreateAsync("another buyer");
        using var call = await server.BeginCallAsync("acme", buyer);

        var answer = await _mediaBuys.GetAsync(
            new() { StatusFilter = [MediaBuyStatus.PendingCreatives] },
            call.Context,
            TestContext.Current.CancellationToken
        );
        var active = await _mediaBuys.GetAsync(new(), call.Context, TestContext.Current.CancellationToken);

        Assert.Equal(made.MediaBuyId, Assert.Single(answer.MediaBuys).MediaBuyId);
        Assert.Empty(active.MediaBuys);
    }

    [Fact]
    public async Task Long_lists_of_media_buys_are_paged_and_their_delivery_is_whole()
    {
        var buyer = Guid.NewGuid().ToString();
        for (var i = 0; i < 103; i++)
        {
            await CreateAsync(buyer);
        }

        using var call = await server.BeginCallAsync("acme", buyer);
        HashSet<string> seen = [];
        PaginationResponse? next = null;
        do
        {
            var request = new GetMediaBuysRequest
            {
                StatusFilter = [MediaBuyStatus.PendingCreatives],
                Pagination = new() { MaxResults = 40, Cursor = next?.Cursor },
            };
            var page = await _mediaBuys.GetAsync(request, call.Context, TestContext.Current.CancellationToken);
            Assert.InRange(page.MediaBuys.Count, 1, 40);
            Assert.All(page.MediaBuys, buy => Assert.True(seen.Add(buy.MediaBuyId)));
            next = page.Pagination;
        } while (next!.HasMore);
        Assert.Equal(103, seen.Count);

        var report = await server.Create<Delivery>().GetAsync(new(), call.Context, TestContext.Current.CancellationToken);
        Assert.Equal(103, report.MediaBuyDeliveries.Count);
    }

    // As the server runs a handler whose request has an idempotency key: again, where somebody else was faster.
    private static async Task<T> RunAsync<T>(TestToolContext call, Func<ToolContext, Task<T>> handle)
    {
        while (true)
        {
            try
            {
                var answer = await handle(call.Context);
                await call.CommitAsync(TestContext.Current.CancellationToken);
                return answer;
            }
            catch (DocumentChangedException) { }
        }
    }

    private async Task<MediaBuyStatus> PauseAsync(TestToolContext call, CreateMediaBuyResponse made, bool pause) =>
        (await ChangeAsync(call, made, change => change with { Paused = pause })).Status;

    private async Task<UpdateMediaBuyResponse> ChangeAsync(
        TestToolContext call,
        CreateMediaBuyResponse made,
        Func<UpdateMediaBuyRequest, UpdateMediaBuyRequest> change
    )
    {
        var request = change(Buys.Change(made.MediaBuyId));
        var answer = await _mediaBuys.UpdateAsync(request, call.Context, TestContext.Current.CancellationToken);
        await call.CommitAsync(TestContext.Current.CancellationToken);
        return answer;
    }

    private async Task<CreateMediaBuyResponse> CreateAsync(string buyer)
    {
        using var call = await server.BeginCallAsync("acme", buyer);
        return await RunAsync(call, context => _mediaBuys.CreateAsync(Buys.Request(), context, TestContext.Current.CancellationToken));
    }

    private async Task<CreativeStatus?> SendCreativeAsync(string tenant, string? id = null)
    {
        using var call = await server.BeginCallAsync(tenant);
        var creatives = server.Create<Creatives>();
        var answer = await RunAsync(call, context =>
            creatives.SyncAsync(
                Buys.Creative(id, tenant == "globex" ? "native_standard" : "display_300x250"),
                context,
                TestContext.Current.CancellationToken
            )
        );
        return Assert.Single(answer.Creatives).Status;
    }
}

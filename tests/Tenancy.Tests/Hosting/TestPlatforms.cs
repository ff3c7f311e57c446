using System.Collections.Concurrent;
using System.ComponentModel;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Tests.Hosting;

internal interface ITestSeller
{
    string Product { get; }
}

internal sealed record TestSettings
{
    /// <summary>What README's example sets of a publisher.</summary>
    public decimal CpmFloor { get; init; }

    /// <summary>Whatever JSON a test sets.</summary>
    public JsonElement Anything { get; init; }

    public string Product { get; init; } = "house-ad";

    public string? Fail { get; init; }

    public string? FailToEnd { get; init; }
}

internal abstract class TestPlatform(TestSettings settings, string? secret = null) : ITestSeller, IDisposable
{
    private int _disposals;

    public string Product =>
        Volatile.Read(ref _disposals) == 0 ? secret ?? settings.Product : throw new ObjectDisposedException(nameof(TestPlatform));

    public int Disposals => Volatile.Read(ref _disposals);

    public void Dispose()
    {
        Interlocked.Increment(ref _disposals);
        if (settings.FailToEnd is { } reason)
        {
            throw new InvalidOperationException(reason);
        }
    }

    protected static TestSettings Read(TenantSetup tenant)
    {
        var settings = tenant.GetSettings<TestSettings>();
        return settings.Fail is { } reason ? throw new InvalidOperationException(reason) : settings;
    }
}

internal sealed class TestPublisher(TestSettings settings, string? secret) : TestPlatform(settings, secret), ITenantPlatform<TestPublisher>
{
    public static void Define(IPlatformBuilder platform) => platform.AddHandlers<TestSelling>().AddHandlers<TestTools>();

    public static async Task<TestPublisher> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken)
    {
        await (tenant.Services.GetService<HangingPlatforms>()?.WaitAsync() ?? Task.CompletedTask);
        return Build(tenant);
    }

    private static TestPublisher Build(TenantSetup tenant)
    {
        // A test sees that the secret arrived by what is sold.
        var built = new TestPublisher(Read(tenant), tenant.FindSecret("product"));
        tenant.Services.GetService<BuiltPlatforms>()?.Add(built);
        return built;
    }
}

/// <summary>Keeps publishers from being built, where a test adds it to the services.</summary>
internal sealed class HangingPlatforms
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool Hangs { get; set; }

    public void End() => _end.SetResult();

    public Task WaitAsync() => Hangs ? _end.Task : Task.CompletedTask;
}

/// <summary>Has every publisher that was built, where a test adds it to the services.</summary>
internal sealed class BuiltPlatforms : ConcurrentBag<TestPlatform>;

internal sealed class TestRetailer(TestSettings settings) : TestPlatform(settings), ITenantPlatform<TestRetailer>
{
    public static void Define(IPlatformBuilder platform) => platform.AddHandlers<TestSelling>().AddHandlers<TestTools>();

    public static Task<TestRetailer> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
        Task.FromResult(new TestRetailer(Read(tenant)));
}

[Document("test_buys", IdPrefix = "mb_")]
internal sealed record TestBuy : TenantDocument
{
    public required string Seller { get; init; }

    public required decimal Budget { get; init; }
}

internal sealed class TestSelling
{
    [AdcpTool("get_products")]
    public Task<GetProductsResponse> GetProductsAsync(
        GetProductsRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    ) => Task.FromResult(new GetProductsResponse { Products = [Product(context.Platform<ITestSeller>().Product)] });

    [AdcpTool("create_media_buy")]
    public async Task<CreateMediaBuyResponse> CreateAsync(
        CreateMediaBuyRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var buy = await context
            .Documents<TestBuy>()
            .CreateAsync(
                new() { Seller = context.TenantId.Value, Budget = request.Packages[0].Budget },
                cancellationToken: cancellationToken
            );
        return new()
        {
            MediaBuyId = buy.Id,
            Status = MediaBuyStatus.Active,
            Packages = [],
        };
    }

    [AdcpTool("get_media_buys")]
    public async Task<GetMediaBuysResponse> GetAsync(GetMediaBuysRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        var documents = context.Documents<TestBuy>();
        var buys = request.MediaBuyIds is { } ids
            ? await documents.GetAllAsync(ids, cancellationToken)
            : (await documents.ListAsync(cancellationToken: cancellationToken)).Items;
        return new()
        {
            MediaBuys =
            [
                .. buys.Select(buy => new MediaBuySummary
                {
                    MediaBuyId = buy.Id,
                    Status = MediaBuyStatus.Active,
                    Currency = "USD",
                    TotalBudget = buy.Budget,
                    Packages = [],
                }),
            ],
        };
    }

    private static Product Product(string id) =>
        new()
        {
            ProductId = id,
            Name = id,
            Description = id,
            PublisherProperties = [new() { PublisherDomain = "example.com" }],
            FormatIds = [],
            DeliveryType = DeliveryType.NonGuaranteed,
            PricingOptions =
            [
                new()
                {
                    PricingOptionId = "cpm",
                    PricingModel = "cpm",
                    Currency = "USD",
                    FixedPrice = 3,
                },
            ],
            ReportingCapabilities = new(),
        };
}

/// <summary>Tools of the MCP SDK's own form, and some that misbehave.</summary>
internal sealed class TestTools
{
    [McpServerTool(Name = "whoami"), Description("Says who calls whom.")]
    public static string WhoAmI(ToolContext context) => $"{context.TenantId}|{context.Caller}|{context.AccountId}";

    [McpServerTool(Name = "fail")]
    public static string Fail(string secret) => throw new InvalidOperationException($"the secret is {secret}");
}

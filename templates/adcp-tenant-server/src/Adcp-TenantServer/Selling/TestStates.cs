using System.Text.Json;
using Adcp_TenantServer.Handlers;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Selling;

/// <summary>Plays for a checker what takes days in life: reviews, first days, delivery. Lifecycles hold here too.</summary>
public sealed class TestStates(CreativeLibrary library, TimeProvider time)
{
    private static readonly TestControllerResponse NotFound = TestController.Refuse("NOT_FOUND", "You have nothing of that id.");
    private static readonly TestControllerResponse BadStatus = TestController.Refuse(
        "INVALID_PARAMS",
        "An id and a known status are needed."
    );

    public async Task<TestControllerResponse> AddCreativeAsync(
        TestParameters wanted,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (wanted.CreativeId is not { Length: > 0 } id)
        {
            return BadStatus;
        }

        var format = context.Platform<ISeller>().Formats[0].FormatId;
        var asset = new CreativeAsset
        {
            CreativeId = id,
            Name = Text(wanted.Fixture, "name") ?? id,
            FormatId = Text(wanted.Fixture, "format_id", "id") is { } formatId ? format with { Id = formatId } : format,
            Assets = new Dictionary<string, JsonElement>(),
        };
        var creatives = context.Documents<Creative>();
        if (await creatives.GetAsync(id, cancellationToken) is { } there)
        {
            return (there.Asset.Name, there.Asset.FormatId.Id) == (asset.Name, asset.FormatId.Id)
                ? TestController.Existing(id)
                : TestController.Diverging(id);
        }

        await creatives.CreateWithIdAsync(
            id,
            new()
            {
                Asset = asset,
                Status = Read<CreativeStatus>(Text(wanted.Fixture, "status")) ?? CreativeStatus.Approved,
                CreatedAt = time.GetUtcNow(),
                UpdatedAt = time.GetUtcNow(),
            },
            cancellationToken
        );
        return new() { Success = true, Message = $"The creative {id} is there." };
    }

    public async Task<TestControllerResponse> AddMediaBuyAsync(
        TestParameters wanted,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (wanted.MediaBuyId is not { Length: > 0 } id)
        {
            return BadStatus;
        }

        var now = time.GetUtcNow();
        if (await context.Documents<MediaBuy>().GetAsync(id, cancellationToken) is not null)
        {
            return TestController.Existing(id);
        }

        var product = context.Platform<ISeller>().Products[0];
        var package = new Package
        {
            PackageId = $"pkg_{id}",
            ProductId = product.ProductId,
            PricingOptionId = product.PricingOptions[0].PricingOptionId,
            Budget = 1000,
        };
        await context
            .Documents<MediaBuy>()
            .CreateWithIdAsync(
                id,
                new()
                {
                    Currency = Text(wanted.Fixture, "currency") ?? product.PricingOptions[0].Currency,
                    Status = Read<MediaBuyStatus>(Text(wanted.Fixture, "status")) ?? MediaBuyStatus.Active,
                    StartTime = now,
                    EndTime = now.AddDays(30),
                    CreatedAt = now,
                    Packages = [package],
                    Prices = new Dictionary<string, PricingOption> { [package.PackageId] = product.PricingOptions[0] },
                },
                cancellationToken
            );
        return new() { Success = true, Message = $"The media buy {id} is there." };
    }

    public async Task<TestControllerResponse> SetAccountAsync(
        TestParameters wanted,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (wanted.AccountId is not { } id || Read<AccountStatus>(wanted.Status) is not { } status)
        {
            return BadStatus;
        }

        var accounts = context.CallerDocuments<AccountDocument>();
        if (await accounts.GetAsync(id, cancellationToken) is not { } found)
        {
            return NotFound;
        }

        await accounts.ReplaceAsync(found with { Account = found.Account with { Status = status } }, cancellationToken);
        return Moved(found.Account.Status, status);
    }

    public async Task<TestControllerResponse> SetCreativeAsync(
        TestParameters wanted,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (wanted.CreativeId is not { } id || Read<CreativeStatus>(wanted.Status) is not { } status)
        {
            return BadStatus;
        }

        var creatives = context.Documents<Creative>();
        if (await creatives.GetAsync(id, cancellationToken) is not { } found)
        {
            return NotFound;
        }

        if (!found.CanBecome(status))
        {
            return Refused(found.Status);
        }

        var rejection = wanted.RejectionReason is { } reason ? new Rejection([reason]) : null;
        await library.ReviewAsync(found, status, context, cancellationToken, rejection);
        return Moved(found.Status, status);
    }

    public async Task<TestControllerResponse> SetMediaBuyAsync(
        TestParameters wanted,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (wanted.MediaBuyId is not { } id || Read<MediaBuyStatus>(wanted.Status) is not { } status)
        {
            return BadStatus;
        }

        var buys = context.Documents<MediaBuy>();
        if ((await buys.GetAsync(id, cancellationToken))?.At(time.GetUtcNow()) is not { } found)
        {
            return NotFound;
        }

        if (!Lifecycle.CanBecome(found.Status, status))
        {
            return Refused(found.Status);
        }

        await buys.Of(found).ReplaceAsync(found with { Status = status, IsPaused = status is MediaBuyStatus.Paused }, cancellationToken);
        return Moved(found.Status, status);
    }

    public async Task<TestControllerResponse> DeliverAsync(
        TestParameters wanted,
        ToolContext context,
        CancellationToken cancellationToken
    ) =>
        wanted.MediaBuyId is { } id && await context.Documents<MediaBuy>().GetAsync(id, cancellationToken) is { } buy
            ? await AddAsync(
                buy,
                new()
                {
                    Date = Today,
                    Impressions = wanted.Impressions ?? 0,
                    Clicks = wanted.Clicks ?? 0,
                    Spend = wanted.ReportedSpend?.Amount ?? 0,
                },
                context,
                cancellationToken
            )
            : NotFound;

    public async Task<TestControllerResponse> SpendAsync(TestParameters wanted, ToolContext context, CancellationToken cancellationToken) =>
        wanted.MediaBuyId is { } id && await context.Documents<MediaBuy>().GetAsync(id, cancellationToken) is { } buy
            ? await AddAsync(
                buy,
                new() { Date = Today, Spend = buy.Packages.Sum(package => package.Budget) * (wanted.SpendPercentage ?? 0) / 100 },
                context,
                cancellationToken
            )
            : NotFound;

    private DateOnly Today => DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);

    private static async Task<TestControllerResponse> AddAsync(
        MediaBuy buy,
        DayOfDelivery more,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var deliveries = context.Documents<DeliveryRecord>().Of(buy);
        var first = new DeliveryRecord().Add(more);
        var found = await deliveries.GetAsync(buy.Id, cancellationToken)
            ?? await deliveries.CreateUnlessThereAsync(buy.Id, first, cancellationToken);
        var record = found is null ? first : await deliveries.ReplaceAsync(found.Add(more), cancellationToken);
        var sum = DeliveryRecord.Sum(record.Days);
        return new()
        {
            Success = true,
            Simulated = new Dictionary<string, JsonElement>
            {
                ["impressions"] = JsonSerializer.SerializeToElement(sum.Impressions),
                ["spend"] = JsonSerializer.SerializeToElement(sum.Spend),
            },
        };
    }

    private static TestControllerResponse Moved<T>(T from, T to)
        where T : struct, Enum =>
        new()
        {
            Success = true,
            PreviousState = Write(from),
            CurrentState = Write(to),
        };

    private static TestControllerResponse Refused<T>(T state)
        where T : struct, Enum => TestController.Refuse("INVALID_TRANSITION", "Its lifecycle does not allow that.", Write(state));

    private static string? Text(JsonElement? fixture, params string[] path)
    {
        var value = fixture;
        foreach (var name in path)
        {
            value = value is { ValueKind: JsonValueKind.Object } given && given.TryGetProperty(name, out var inside) ? inside : null;
        }

        return value is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
    }

    private static string Write<T>(T status) => JsonSerializer.SerializeToElement(status).GetString()!;

    private static T? Read<T>(string? status)
        where T : struct, Enum => Enum.GetValues<T>().Where(value => Write(value) == status).Select(value => (T?)value).FirstOrDefault();
}

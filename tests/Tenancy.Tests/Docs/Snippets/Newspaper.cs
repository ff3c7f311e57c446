using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class Newspaper : ITenantPlatform<Newspaper>, ISellerProfile
{
    // What get_adcp_capabilities answers; all but Billing only where the platform has the tools with which media is sold.
    public SellerProfile Profile { get; } =
        new()
        {
            PublisherDomains = ["paper.example"],
            Channels = ["print"],
            PricingModels = ["flat_rate"],
            Billing = ["advertiser"],
        };

    public static void Define(IPlatformBuilder platform) => platform.AddHandlers<AdPages>();

    public static Task<Newspaper> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) => Task.FromResult(new Newspaper());
}

internal sealed class AdPages
{
    [AdcpTool("book_page")]
    public async Task<BookPageResponse> BookAsync(BookPageRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        // Requests for one page make one id, so that the store refuses the second, also where both come at once.
        var id = "page_" + StableId.Of(request.Section, request.Day.ToString(CultureInfo.InvariantCulture))[..22];
        _ = await context.Documents<PageBooking>().CreateWithIdAsync(id, new(), cancellationToken)
            ?? throw new AdcpException(AdcpError.Conflict, "The page is booked.", "day");
        return new()
        {
            BookingId = id,
            Price = new() { Amount = 1200, Currency = "EUR" },
        };
    }
}

// The account is resolved before the handler runs. A request that comes again with its key is answered with the first one's answer.
internal sealed record BookPageRequest : AdcpRequest, IAccountRequest, IIdempotentRequest
{
    public required AccountReference Account { get; init; }

    public required string IdempotencyKey { get; init; }

    [StringLength(20)]
    public required string Section { get; init; }

    [Range(1, 366)]
    public required int Day { get; init; }
}

internal sealed record BookPageResponse : AdcpResponse, IPricedResponse
{
    public required string BookingId { get; init; }

    public PagePrice? Price { get; set; }

    // Callers without credentials see no prices.
    public void RemovePrices() => Price = null;
}

internal sealed record PagePrice : AdcpObject
{
    public required decimal Amount { get; init; }

    public required string Currency { get; init; }
}

[Document("pages")]
internal sealed record PageBooking : TenantDocument;

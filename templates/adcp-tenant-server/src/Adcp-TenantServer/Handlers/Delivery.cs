using System.ComponentModel;
using Adcp_TenantServer.Inventory;
using Adcp_TenantServer.Selling;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Reports what media buys have delivered.</summary>
public sealed class Delivery(Catalog catalog, TimeProvider time)
{
    // The answer has no pages.
    private const int MaxReports = 1000;

    [AdcpTool("get_media_buy_delivery")]
    [Description("Reports what your media buys have delivered: impressions, clicks and cost, in all and by package.")]
    public async Task<GetMediaBuyDeliveryResponse> GetAsync(
        GetMediaBuyDeliveryRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        var days = ReportingDays.Of(request);
        var products = await catalog.GetProductsAsync(context, cancellationToken);
        var documents = context.Documents<MediaBuy>();
        var all = request.MediaBuyIds is { } ids
            ? (await documents.GetAllAsync(ids, cancellationToken)).ToAsyncEnumerable()
            : documents.ReadAllAsync(cancellationToken);
        var start = now;
        string? currency = null;
        List<MediaBuyDelivery> reports = [];
        List<ErrorEntry> errors = [];
        HashSet<string> found = [];

        // All at once would be as many reads as the buyer has media buys.
        await foreach (var few in all.Select(buy => buy.At(now)).Chunk(16))
        {
            found.UnionWith(few.Select(buy => buy.Id));
            currency ??= few.FirstOrDefault(buy => request.Wants(buy.Status))?.Currency;
            var wanted = few.Where(buy => request.Wants(buy.Status) && buy.Currency == currency).ToArray();

            // A report is in one currency.
            errors.AddRange(few.Where(buy => request.Wants(buy.Status) && buy.Currency != currency).Select(InOtherCurrency));
            if (reports.Count + wanted.Length > MaxReports)
            {
                throw new AdcpException(
                    AdcpError.ValidationError,
                    $"You have more than {MaxReports} of these media buys: name those that you mean.",
                    "media_buy_ids"
                );
            }

            foreach (
                var product in products.IntersectBy(wanted.SelectMany(buy => buy.Packages).Select(sold => sold.ProductId), sold =>
                    sold.ProductId
                )
            )
            {
                ReportingDays.Check(days, product);
            }

            var records = await Task.WhenAll(
                wanted.Select(buy => context.Documents<DeliveryRecord>().Of(buy).GetAsync(buy.Id, cancellationToken))
            );
            start = wanted.Select(buy => buy.CreatedAt).Append(start).Min();
            reports.AddRange(wanted.Zip(records, (buy, record) => DeliveryRecord.Report(buy, Within(days, record), WithDays(request))));
        }

        errors.AddRange(MediaBuys.NotFound(request.MediaBuyIds, found));
        return new()
        {
            ReportingPeriod = days is null
                ? new() { Start = start, End = now }
                : new() { Start = Midnight(days.Start), End = Midnight(days.End) },
            Currency = currency ?? CurrencyOf(products),
            MediaBuyDeliveries = reports,
            Errors = errors.Count > 0 ? errors : null,
        };
    }

    // A report of nothing has a currency, too: the one that the seller sells in.
    private static string CurrencyOf(IReadOnlyList<Product> products) =>
        products is [{ PricingOptions: [var price, ..] }, ..]
            ? price.Currency
            : throw new AdcpException(AdcpError.ProductUnavailable, "This seller sells nothing now: there is nothing to report of.");

    private static bool WithDays(GetMediaBuyDeliveryRequest request) => request.IncludePackageDailyBreakdown is true;

    private static IReadOnlyList<DayOfDelivery> Within(ReportingDays? days, DeliveryRecord? record) =>
        record is null ? []
        : days is null ? record.Days
        : [.. record.Days.Where(day => days.Contain(day.Date))];

    private static DateTimeOffset Midnight(DateOnly day) => new(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);

    private static ErrorEntry InOtherCurrency(MediaBuy buy) =>
        ErrorEntry.Of(
            new(
                AdcpError.ValidationError,
                $"{buy.Id} is in {buy.Currency}, and a report in one currency: ask for it by itself.",
                "media_buy_ids"
            )
        );
}

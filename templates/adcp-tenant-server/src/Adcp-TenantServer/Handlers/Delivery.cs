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
        var products = await catalog.GetProductsAsync(context, cancellationToken);
        var documents = context.Documents<MediaBuy>();
        var all = request.MediaBuyIds is { } ids
            ? (await documents.GetAllAsync(ids, cancellationToken)).ToAsyncEnumerable()
            : documents.ReadAllAsync(cancellationToken);
        var (start, currency) = (now, "USD");
        List<MediaBuyDelivery> reports = [];

        // All at once would be as many reads as the buyer has media buys.
        await foreach (var few in all.Select(buy => buy.At(now)).Where(buy => request.Wants(buy.Status)).Chunk(16))
        {
            if (reports.Count + few.Length > MaxReports)
            {
                throw new AdcpException(
                    AdcpError.ValidationError,
                    $"You have more than {MaxReports} of these media buys: name those that you mean.",
                    "/media_buy_ids"
                );
            }

            var records = await Task.WhenAll(
                few.Select(buy => context.Documents<DeliveryRecord>().Of(buy).GetAsync(buy.Id, cancellationToken))
            );
            start = few.Select(buy => buy.CreatedAt).Append(start).Min();
            currency = reports.Count == 0 ? few[0].Currency : currency;
            reports.AddRange(few.Zip(records, (buy, record) => DeliveryRecord.Report(buy, record, products)));
        }

        return new()
        {
            ReportingPeriod = new() { Start = start, End = now },
            Currency = currency,
            MediaBuyDeliveries = reports,
        };
    }
}

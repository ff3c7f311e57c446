using System.ComponentModel;
using Adcp_TenantServer.Inventory;
using Adcp_TenantServer.Selling;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Reports what media buys have delivered.</summary>
public sealed class Delivery(Catalog catalog, TimeProvider time)
{
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
            ? await documents.GetAllAsync(ids, cancellationToken)
            : await documents.ReadAllAsync(cancellationToken);
        MediaBuy[] buys = [.. all.Select(buy => buy.At(now)).Where(buy => request.Wants(buy.Status))];
        List<MediaBuyDelivery> reports = [];
        foreach (var few in buys.Chunk(32))
        {
            // All at once would be as many reads as the buyer has media buys.
            var records = await Task.WhenAll(
                few.Select(buy => context.Documents<DeliveryRecord>().Of(buy).GetAsync(buy.Id, cancellationToken))
            );
            reports.AddRange(few.Zip(records, (buy, record) => DeliveryRecord.Report(buy, record, products)));
        }

        return new()
        {
            ReportingPeriod = new() { Start = buys.Select(buy => buy.CreatedAt).DefaultIfEmpty(now).Min(), End = now },
            Currency = buys.Length > 0 ? buys[0].Currency : "USD",
            MediaBuyDeliveries = reports,
        };
    }
}

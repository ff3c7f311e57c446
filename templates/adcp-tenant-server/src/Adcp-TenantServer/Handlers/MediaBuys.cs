using System.ComponentModel;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Makes and reads media buys.</summary>
public sealed class MediaBuys(TimeProvider time)
{
    [AdcpTool("create_media_buy")]
    [Description("Buys media: one or more packages, each of one product at one of its prices.")]
    public async Task<CreateMediaBuyResponse> CreateAsync(CreateMediaBuyRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        var buy = MediaBuy.From(request, context.Platform<ISeller>().Products, time.GetUtcNow());

        // This tenant's and this account's; after a retry it is the one that was stored the first time.
        buy = await context.Documents<MediaBuy>().CreateAsync(buy, cancellationToken: cancellationToken);
        return new()
        {
            MediaBuyId = buy.Id,
            Status = MediaBuyStatus.PendingCreatives,
            ConfirmedAt = buy.CreatedAt,
            Packages = buy.Packages,
        };
    }

    [AdcpTool("get_media_buys")]
    [Description("Lists your media buys at this seller, or those with the ids that you give.")]
    public async Task<GetMediaBuysResponse> GetAsync(GetMediaBuysRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        var documents = context.Documents<MediaBuy>();
        if (request.MediaBuyIds is { } ids)
        {
            var found = await Task.WhenAll(ids.Select(id => documents.GetAsync(id, cancellationToken)));
            return new() { MediaBuys = [.. found.OfType<MediaBuy>().Select(buy => buy.ToSummary())] };
        }

        var page = await documents.ListAsync(request.Pagination?.Cursor, request.Pagination?.MaxResults ?? 50, cancellationToken);
        return new()
        {
            MediaBuys = [.. page.Items.Select(buy => buy.ToSummary())],
            Pagination = new() { HasMore = page.NextCursor is not null, Cursor = page.NextCursor },
        };
    }
}

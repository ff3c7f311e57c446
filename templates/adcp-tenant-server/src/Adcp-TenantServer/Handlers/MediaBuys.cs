using System.ComponentModel;
using Adcp_TenantServer.Inventory;
using Adcp_TenantServer.Selling;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Makes, changes and reads media buys.</summary>
public sealed class MediaBuys(Catalog catalog, TimeProvider time)
{
    [AdcpTool("create_media_buy")]
    [Description("Buys media: one or more packages, each of one product at one of its prices.")]
    public async Task<CreateMediaBuyResponse> CreateAsync(
        CreateMediaBuyRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var buy = Order.Create(request, await catalog.GetProductsAsync(context, cancellationToken), context, time.GetUtcNow());

        // This tenant's and this account's. It is stored together with the answer, when this method has returned.
        buy = await context.Documents<MediaBuy>().CreateAsync(buy, cancellationToken: cancellationToken);
        return new()
        {
            MediaBuyId = buy.Id,
            Status = buy.Status,
            ConfirmedAt = buy.CreatedAt,
            ValidActions = Lifecycle.ActionsOf(buy),
            Packages = buy.Packages,
        };
    }

    [AdcpTool("update_media_buy")]
    [Description("Changes a media buy: budgets, bids, dates, creatives; halts it or ends it.")]
    public async Task<UpdateMediaBuyResponse> UpdateAsync(
        UpdateMediaBuyRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var documents = context.Documents<MediaBuy>();
        var buy = await documents.GetAsync(request.MediaBuyId, cancellationToken)
            ?? throw new AdcpException(AdcpError.MediaBuyNotFound, "You have no such media buy.", "/media_buy_id");
        if (request.Revision is { } seen && seen != buy.Revision)
        {
            throw new AdcpException(AdcpError.Conflict, "The media buy was changed since: read it again.", "/revision");
        }

        buy = await documents.ReplaceAsync(Change.Apply(request, buy.At(time.GetUtcNow()), time.GetUtcNow()), cancellationToken);
        var affected = request.Packages?.Select(update => update.PackageId).ToHashSet();
        return new()
        {
            MediaBuyId = buy.Id,
            Status = buy.Status,
            Revision = (int)buy.Revision,
            AffectedPackages = [.. buy.Packages.Where(package => affected?.Contains(package.PackageId) is true)],
            ValidActions = Lifecycle.ActionsOf(buy),
        };
    }

    [AdcpTool("get_media_buys")]
    [Description(
        "Lists your media buys at this seller: those with the ids that you give, or those of the status that you give, else the active "
            + "ones."
    )]
    public async Task<GetMediaBuysResponse> GetAsync(GetMediaBuysRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var (buys, next) = request.MediaBuyIds is { } ids
            ? ([.. (await context.Documents<MediaBuy>().GetAllAsync(ids, cancellationToken)).Where(IsWanted)], new() { HasMore = false })
            : await context.Documents<MediaBuy>().FindAsync(IsWanted, request.Pagination, cancellationToken);
        return new() { MediaBuys = [.. buys.Select(buy => buy.At(now).ToSummary())], Pagination = next };

        bool IsWanted(MediaBuy buy) => request.Wants(buy.At(now).Status);
    }
}

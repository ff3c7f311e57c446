using System.ComponentModel;
using Adcp_TenantServer.Inventory;
using Adcp_TenantServer.Selling;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Makes, changes and reads media buys.</summary>
public sealed class MediaBuys(Catalog catalog, Order order, Change change, AccountBook accounts, TimeProvider time)
{
    [AdcpTool("create_media_buy")]
    [Description("Buys media: one or more packages, each of one product at one of its prices.")]
    public async Task<CreateMediaBuyResponse> CreateAsync(
        CreateMediaBuyRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var products = await catalog.GetProductsAsync(context, cancellationToken);
        var (buy, message) = await order.CreateAsync(request, products, context, cancellationToken);

        // This tenant's and this account's. It is stored together with the answer, when this method has returned.
        buy = await context.Documents<MediaBuy>().CreateAsync(buy, cancellationToken: cancellationToken);
        return new()
        {
            MediaBuyId = buy.Id,
            Status = buy.Status,
            ConfirmedAt = buy.CreatedAt,
            Message = message,
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
            ?? throw new AdcpException(AdcpError.MediaBuyNotFound, "You have no such media buy.", "media_buy_id");
        var products = await catalog.GetProductsAsync(context, cancellationToken);
        var changed = await change.ApplyAsync(request, buy.At(time.GetUtcNow()), products, context, cancellationToken);
        buy = await documents.ReplaceAsync(changed, cancellationToken);
        var affected = (request.Canceled is true ? null : request.Packages)?.Select(update => update.PackageId).ToHashSet();
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
        HashSet<string> found = [];
        var (buys, next) = request.MediaBuyIds is { } ids
            ? (
                [
                    .. (await context.Documents<MediaBuy>().GetAllAsync(ids, cancellationToken)).Where(buy =>
                        found.Add(buy.Id) && IsWanted(buy)
                    ),
                ],
                new() { HasMore = false }
            )
            : await context.Documents<MediaBuy>().FindAsync(IsWanted, request.Pagination, cancellationToken);
        var asksForSnapshot = request.IncludeSnapshot is true;
        return new()
        {
            MediaBuys = [.. buys.Select(buy => buy.At(now).ToSummary(asksForSnapshot))],
            Pagination = next,
            Errors = NotFound(request.MediaBuyIds, found) is { Length: > 0 } errors ? errors : null,
        };

        bool IsWanted(MediaBuy buy) => request.Wants(buy.At(now).Status);
    }

    /// <summary>Says which of the ids that a buyer named it has no media buy of; whose they are is not told.</summary>
    internal static ErrorEntry[] NotFound(IReadOnlyList<string>? ids, HashSet<string> found) =>
        [
            .. (ids ?? [])
                .Select((id, index) => (Id: id, Field: $"media_buy_ids[{index}]"))
                .Where(wanted => !found.Contains(wanted.Id))
                .Select(wanted => ErrorEntry.Of(new(AdcpError.MediaBuyNotFound, $"You have no media buy {wanted.Id}.", wanted.Field))),
        ];

    [AdcpTool("provide_performance_feedback")]
    [Description("Tells this seller how well a media buy does, as you measure it.")]
    public async Task<ProvidePerformanceFeedbackResponse> ProvideFeedbackAsync(
        ProvidePerformanceFeedbackRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var buy = await context.Documents<MediaBuy>().GetAsync(request.MediaBuyId, cancellationToken)
            ?? throw new AdcpException(AdcpError.MediaBuyNotFound, "You have no such media buy.", "media_buy_id");

        // The request names no account: it is the media buy's, and must be one that may be used.
        var account = buy.Account is { } named ? await accounts.FindAsync(named, AccountUse.Manage, context, cancellationToken) : null;
        if (request.PackageId is { } id && buy.Packages.All(package => package.PackageId != id))
        {
            throw new AdcpException(AdcpError.PackageNotFound, $"The media buy has no package {id}.", "package_id");
        }

        if (request.CreativeId is { } creativeId && !buy.HasCreative(creativeId))
        {
            throw new AdcpException(AdcpError.CreativeNotFound, "The media buy shows no such creative.", "creative_id");
        }

        if (request.MeasurementPeriod.End <= request.MeasurementPeriod.Start)
        {
            throw new AdcpException(AdcpError.InvalidRequest, "end must be after start.", "measurement_period.end");
        }

        // The sample keeps it. Yours would let it change how the packages are delivered.
        await context
            .Documents<Feedback>()
            .Of(buy)
            .CreateAsync(Feedback.Of(request, time.GetUtcNow()), cancellationToken: cancellationToken);
        return new() { Success = true, Sandbox = (account?.Sandbox ?? buy.Account?.Sandbox) is true ? true : null };
    }
}

using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Selling;

/// <summary>Filters creatives by where they run, which their media buys know.</summary>
internal static class CreativeUse
{
    /// <returns>Whether a creative fits, by its id.</returns>
    public static async Task<Func<string, bool>> FilterAsync(
        CreativeFilters? filters,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (filters is null or { AssignedToPackages: null, MediaBuyIds: null, Unassigned: null, HasServed: null })
        {
            return _ => true;
        }

        var (assigned, wanted, served) = (new HashSet<string>(), new HashSet<string>(), new HashSet<string>());
        await foreach (var buy in context.Documents<MediaBuy>().ReadAllAsync(cancellationToken))
        {
            var isWanted = filters.MediaBuyIds?.Contains(buy.Id) is not false;
            foreach (var package in buy.Packages)
            {
                var creatives = (package.CreativeAssignments ?? []).Select(assignment => assignment.CreativeId).ToArray();
                assigned.UnionWith(creatives);
                if (isWanted && filters.AssignedToPackages?.Contains(package.PackageId) is not false)
                {
                    wanted.UnionWith(creatives);
                }
            }

            // The sample knows what a media buy has delivered, and not by which of its creatives: all of them were shown.
            if (filters.HasServed is not null && await HasDeliveredAsync(buy, context, cancellationToken))
            {
                served.UnionWith(buy.Packages.SelectMany(package => package.CreativeAssignments ?? []).Select(one => one.CreativeId));
            }
        }

        return id =>
            ((filters.AssignedToPackages is null && filters.MediaBuyIds is null) || wanted.Contains(id))
            && (filters.Unassigned is not { } isFree || assigned.Contains(id) != isFree)
            && (filters.HasServed is not { } wasShown || served.Contains(id) == wasShown);
    }

    private static async Task<bool> HasDeliveredAsync(MediaBuy buy, ToolContext context, CancellationToken cancellationToken) =>
        await context.Documents<DeliveryRecord>().Of(buy).GetAsync(buy.Id, cancellationToken) is { } record
        && DeliveryRecord.Sum(record.Days).Impressions > 0;
}

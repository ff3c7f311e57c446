using System.Text.Json;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Selling;

/// <summary>Keeps creatives, and puts them into packages.</summary>
public sealed class CreativeLibrary(TimeProvider time)
{
    public async Task<CreativeResult> KeepAsync(
        CreativeAsset asset,
        bool isDryRun,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var creatives = context.Documents<Creative>();
        var now = time.GetUtcNow();
        var newStatus = context.Platform<ISeller>().StatusOfNewCreatives;
        var found = await creatives.GetAsync(asset.CreativeId, cancellationToken);
        if (!isDryRun && found is null)
        {
            found = await creatives.CreateUnlessThereAsync(
                asset.CreativeId,
                new()
                {
                    Asset = asset,
                    Status = newStatus,
                    CreatedAt = now,
                    UpdatedAt = now,
                },
                cancellationToken
            );
        }

        var isSame = found is not null && JsonSerializer.Serialize(found.Asset) == JsonSerializer.Serialize(asset);
        var status = isSame ? found!.Status : newStatus;
        if (!isDryRun && found is not null && !isSame)
        {
            await creatives.ReplaceAsync(found with { Asset = asset, Status = status, UpdatedAt = now }, cancellationToken);
        }

        return new()
        {
            CreativeId = asset.CreativeId,
            Action =
                found is null ? "created"
                : isSame ? "unchanged"
                : "updated",
            Status = status,
        };
    }

    /// <summary>Says which media buys packages are in; packages that the buyer does not have are left out.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> FindBuysAsync(
        IEnumerable<string> packageIds,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var wanted = packageIds.ToHashSet();
        Dictionary<string, string> found = [];
        if (wanted.Count == 0)
        {
            return found;
        }

        await foreach (var buy in context.Documents<MediaBuy>().ReadAllAsync(cancellationToken))
        {
            foreach (var package in buy.Packages.Where(package => wanted.Contains(package.PackageId)))
            {
                found[package.PackageId] = buy.Id;
            }
        }

        return found;
    }

    /// <summary>Puts a creative into a package of a media buy.</summary>
    /// <returns>Whether the media buy is still there.</returns>
    public async Task<bool> AssignAsync(
        string creativeId,
        string packageId,
        string mediaBuyId,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var buys = context.Documents<MediaBuy>();
        if (await buys.GetAsync(mediaBuyId, cancellationToken) is not { } buy)
        {
            return false;
        }

        await buys.ReplaceAsync(buy.WithCreative(packageId, creativeId).At(time.GetUtcNow()), cancellationToken);
        return true;
    }

    public static IAsyncEnumerable<Creative> FindAsync(
        CreativeFilters? filters,
        ToolContext context,
        CancellationToken cancellationToken
    ) => context.Documents<Creative>().ReadAllAsync(cancellationToken).Where(creative => creative.Fits(filters));
}

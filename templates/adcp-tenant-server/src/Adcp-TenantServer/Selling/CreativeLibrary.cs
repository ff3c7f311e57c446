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

    public async Task<CreativeResult> AssignAsync(
        CreativeResult creative,
        string[] packageIds,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var buys = context.Documents<MediaBuy>();
        var all = await buys.ReadAllAsync(cancellationToken);
        Dictionary<string, string> errors = [];
        foreach (var packageId in packageIds)
        {
            if (all.FirstOrDefault(buy => buy.Packages.Any(package => package.PackageId == packageId)) is { } buy)
            {
                await buys.ReplaceAsync(buy.WithCreative(packageId, creative.CreativeId).At(time.GetUtcNow()), cancellationToken);
                all = await buys.ReadAllAsync(cancellationToken);
            }
            else
            {
                errors[packageId] = "You have no such package.";
            }
        }

        return creative with
        {
            AssignedTo = [.. packageIds.Where(id => !errors.ContainsKey(id))],
            AssignmentErrors = errors.Count > 0 ? errors : null,
        };
    }

    public async Task<IReadOnlyList<Creative>> FindAsync(
        CreativeFilters? filters,
        ToolContext context,
        CancellationToken cancellationToken
    ) => [.. (await context.Documents<Creative>().ReadAllAsync(cancellationToken)).Where(creative => creative.Fits(filters))];
}

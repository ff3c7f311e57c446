using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Selling;

/// <summary>Keeps creatives, and puts them into packages.</summary>
public sealed class CreativeLibrary(TimeProvider time, IOptions<AdcpOptions> options)
{
    /// <summary>
    /// Finds the creatives that packages are to show. Each has to be there, to be of a format of the product, and to be allowed to run or
    /// wait for its review.
    /// </summary>
    public async Task<IReadOnlyList<Creative>> FindAsync(
        IEnumerable<Showing> packages,
        Mistakes mistakes,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var wanted = packages
            .SelectMany(package =>
                package.Assignments.Select(
                    (assignment, index) =>
                        (
                            assignment.CreativeId,
                            package.Product,
                            Field: $"{package.Field}.creative_assignments[{index}].creative_id",
                            package
                        )
                )
            )
            .ToArray();
        if (wanted.Length == 0)
        {
            return [];
        }

        var found = (
            await context.Documents<Creative>().GetAllAsync([.. wanted.Select(one => one.CreativeId).Distinct()], cancellationToken)
        ).ToDictionary(creative => creative.Id);
        HashSet<(Showing, string)> seen = [];
        foreach (var (id, product, field, package) in wanted)
        {
            if (!found.TryGetValue(id, out var creative) && options.Value.TestMode)
            {
                // A checker buys with creatives that it has never sent.
                found[id] = creative = await KeepForTestAsync(id, context, cancellationToken);
            }

            if (!seen.Add((package, id)))
            {
                mistakes.Add(new AdcpException(AdcpError.InvalidRequest, $"{id} is assigned to the package twice.", field));
            }
            else if (WhyNot(creative, product, field) is { } mistake)
            {
                mistakes.Add(mistake);
            }
        }

        return [.. found.Values];
    }

    public static IReadOnlyList<string> Approved(IEnumerable<Creative> creatives) =>
        [.. creatives.Where(creative => creative.Status is CreativeStatus.Approved).Select(creative => creative.Id)];

    /// <summary>Says what came of a creative's review; the media buys that show it begin, or wait.</summary>
    /// <param name="creative">The creative.</param>
    /// <param name="status">Where it stands from now on.</param>
    /// <param name="context">The call.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="rejection">Why it was rejected, where it was.</param>
    public async Task<Creative> ReviewAsync(
        Creative creative,
        CreativeStatus status,
        ToolContext context,
        CancellationToken cancellationToken,
        Rejection? rejection = null
    )
    {
        var now = time.GetUtcNow();
        var writes = new Writes(context);
        await foreach (var buy in context.Documents<MediaBuy>().ReadAllAsync(cancellationToken).Where(buy => buy.HasCreative(creative.Id)))
        {
            var changed = buy.WithApproval(creative.Id, status is CreativeStatus.Approved).At(now);
            await context.Documents<MediaBuy>().Of(buy).ReplaceAsync(changed, cancellationToken);
            await writes.CountAsync(cancellationToken);
        }

        return await context
            .Documents<Creative>()
            .Of(creative)
            .ReplaceAsync(
                creative with
                {
                    Status = status,
                    Rejection = status is CreativeStatus.Rejected ? rejection : null,
                    UpdatedAt = now,
                },
                cancellationToken
            );
    }

    // One that was archived comes back as it came at first.
    private static bool IsSame([NotNullWhen(true)] Creative? found, CreativeAsset asset) =>
        found is { Status: not CreativeStatus.Archived } && JsonSerializer.Serialize(found.Asset) == JsonSerializer.Serialize(asset);

    private AdcpException? WhyNot(Creative? creative, Product? product, string? field) =>
        creative switch
        {
            null => new(AdcpError.CreativeNotFound, "You have no such creative: send it with sync_creatives.", field),
            { Status: CreativeStatus.Rejected, Rejection: var why } => new(
                AdcpError.CreativeRejected,
                "The creative was rejected: it runs nowhere.",
                field
            )
            {
                Details = why?.ToDetails(),
            },
            { Status: CreativeStatus.Archived } => new(AdcpError.InvalidState, "The creative is archived: send it again.", field),
            { Asset.FormatId: var format } => WhyNot(format, product, field),
        };

    // A checker sends creatives of formats of sellers that do not exist.
    private AdcpException? WhyNot(FormatId format, Product? product, string? field) =>
        product is null || options.Value.TestMode || product.FormatIds.Any(format.IsSameAs)
            ? null
            : new(
                AdcpError.ValidationError,
                $"{product.ProductId} shows no {format.Id}: it takes {string.Join(", ", product.FormatIds.Select(one => one.Id))}.",
                field
            );

    private async Task<Creative> KeepForTestAsync(string id, ToolContext context, CancellationToken cancellationToken)
    {
        var asset = new CreativeAsset
        {
            CreativeId = id,
            Name = id,
            FormatId = context.Platform<ISeller>().Formats[0].FormatId,
            Assets = new Dictionary<string, JsonElement>(),
        };
        await KeepAsync(asset, notify: null, isDryRun: false, context, cancellationToken);
        return await context.Documents<Creative>().GetAsync(id, cancellationToken)
            ?? throw new AdcpException(AdcpError.Conflict, $"{id} was deleted meanwhile: send it again.");
    }

    /// <summary>
    /// Keeps a creative. One whose content is another than before is a new one for whoever reviews it, and may not run until then.
    /// </summary>
    public async Task<CreativeResult> KeepAsync(
        CreativeAsset asset,
        JsonElement? notify,
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
                    Notify = notify,
                    CreatedAt = now,
                    UpdatedAt = now,
                },
                cancellationToken
            );
        }

        var isSame = IsSame(found, asset);
        var status = isSame ? found!.Status : newStatus;
        if (!isDryRun && found is not null && !isSame)
        {
            await ReviewAsync(found with { Asset = asset, Notify = notify ?? found.Notify }, status, context, cancellationToken);
        }
        else if (
            !isDryRun
            && found is not null
            && notify is { } where
            && !(found.Notify is { } before && JsonElement.DeepEquals(before, where))
        )
        {
            await creatives.ReplaceAsync(found with { Notify = where }, cancellationToken);
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

    /// <summary>Says where packages are; packages that the buyer does not have are left out.</summary>
    public async Task<IReadOnlyDictionary<string, PackagePlace>> FindPackagesAsync(
        IEnumerable<string> packageIds,
        IReadOnlyList<Product> products,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var (wanted, now) = (packageIds.ToHashSet(), time.GetUtcNow());
        Dictionary<string, PackagePlace> found = [];
        if (wanted.Count == 0)
        {
            return found;
        }

        await foreach (var buy in context.Documents<MediaBuy>().ReadAllAsync(cancellationToken))
        {
            foreach (var package in buy.Packages.Where(package => wanted.Contains(package.PackageId)))
            {
                found[package.PackageId] = new(
                    buy.Id,
                    products.FirstOrDefault(product => product.ProductId == package.ProductId),
                    IsOver: Lifecycle.IsOver(buy.At(now).Status) || package.Canceled is true
                );
            }
        }

        return found;
    }

    /// <summary>Says which assignments of a request cannot be made, before anything of it is kept.</summary>
    /// <param name="assignments">The assignments.</param>
    /// <param name="sent">The creatives of the request. One that is sent as it is kept stays as it is, such as rejected.</param>
    /// <param name="packages">Where the packages are.</param>
    /// <param name="context">The call.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IReadOnlyList<AdcpException>> FindMistakesAsync(
        IReadOnlyList<PackageAssignment> assignments,
        IReadOnlyList<CreativeAsset> sent,
        IReadOnlyDictionary<string, PackagePlace> packages,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        string[] ids = [.. assignments.Select(wanted => wanted.CreativeId).Distinct()];
        var kept = (await context.Documents<Creative>().GetAllAsync(ids, cancellationToken)).ToDictionary(creative => creative.Id);
        var changed = sent.Where(asset => !IsSame(kept.GetValueOrDefault(asset.CreativeId), asset))
            .Select(asset => asset.CreativeId)
            .ToHashSet();
        var formats = sent.ToLookup(asset => asset.CreativeId, asset => asset.FormatId);
        List<AdcpException> mistakes = [];
        HashSet<(string, string)> seen = [];
        foreach (var (index, wanted) in assignments.Index())
        {
            var field = $"assignments[{index}]";
            if (!packages.TryGetValue(wanted.PackageId, out var place))
            {
                mistakes.Add(new(AdcpError.PackageNotFound, NoPackage, $"{field}.package_id"));
            }
            else if (place.IsOver)
            {
                mistakes.Add(new(AdcpError.InvalidState, OverPackage, $"{field}.package_id"));
            }
            else if (!seen.Add((wanted.CreativeId, wanted.PackageId)))
            {
                mistakes.Add(
                    new(AdcpError.InvalidRequest, $"{wanted.CreativeId} is assigned to {wanted.PackageId} twice.", $"{field}.package_id")
                );
            }

            var why = changed.Contains(wanted.CreativeId)
                ? WhyNot(formats[wanted.CreativeId].First(), place?.Product, $"{field}.creative_id")
                : WhyNot(kept.GetValueOrDefault(wanted.CreativeId), place?.Product, $"{field}.creative_id");
            if (why is not null)
            {
                mistakes.Add(why);
            }
        }

        return mistakes;
    }

    /// <summary>Puts a creative into a package of a media buy.</summary>
    /// <returns>Why it does not run there; null where it does.</returns>
    public async Task<string?> AssignAsync(
        PackageAssignment wanted,
        PackagePlace place,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var creative = await context.Documents<Creative>().GetAsync(wanted.CreativeId, cancellationToken);
        if (WhyNot(creative, place.Product, field: null) is { } why)
        {
            return why.Message;
        }

        var (buys, now) = (context.Documents<MediaBuy>(), time.GetUtcNow());
        if ((await buys.GetAsync(place.MediaBuyId, cancellationToken))?.At(now) is not { } buy)
        {
            return NoPackage;
        }

        if (Lifecycle.IsOver(buy.Status) || buy.Packages.Any(package => package.PackageId == wanted.PackageId && package.Canceled is true))
        {
            return OverPackage;
        }

        var changed = buy.WithCreative(wanted, creative!.Status is CreativeStatus.Approved).At(now);
        await buys.ReplaceAsync(changed, cancellationToken);
        return null;
    }

    public const string NoPackage = "You have no such package.";
    private const string OverPackage = "The package is over: nothing runs in it any more.";

    /// <summary>Archives the creatives that are not among those that were sent; those that run somewhere stay.</summary>
    public async Task<IReadOnlyList<CreativeResult>> ArchiveOthersAsync(
        IReadOnlySet<string> sent,
        bool isDryRun,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var others = await context
            .Documents<Creative>()
            .ReadAllAsync(cancellationToken)
            .Where(creative => !sent.Contains(creative.Id) && creative.Status is not CreativeStatus.Archived)
            .ToListAsync(cancellationToken);
        if (others.Count == 0)
        {
            return [];
        }

        var running = await context
            .Documents<MediaBuy>()
            .ReadAllAsync(cancellationToken)
            .Where(buy => !Lifecycle.IsOver(buy.At(time.GetUtcNow()).Status))
            .SelectMany(buy => buy.Packages.SelectMany(package => package.CreativeAssignments ?? []).ToAsyncEnumerable())
            .Select(assignment => assignment.CreativeId)
            .ToHashSetAsync(cancellationToken: cancellationToken);
        var writes = new Writes(context);
        List<CreativeResult> results = [];
        foreach (var creative in others)
        {
            if (running.Contains(creative.Id))
            {
                var error = new AdcpException(AdcpError.InvalidState, "It runs in a package: take it out first.", "delete_missing");
                results.Add(
                    new()
                    {
                        CreativeId = creative.Id,
                        Action = "failed",
                        Errors = [ErrorEntry.Of(error)],
                    }
                );
                continue;
            }

            results.Add(new() { CreativeId = creative.Id, Action = "deleted" });
            if (!isDryRun)
            {
                var archived = creative with { Status = CreativeStatus.Archived, UpdatedAt = time.GetUtcNow() };
                await context.Documents<Creative>().ReplaceAsync(archived, cancellationToken);
                await writes.CountAsync(cancellationToken);
            }
        }

        return results;
    }

    /// <summary>Finds the creatives that fit all filters.</summary>
    public static async IAsyncEnumerable<Creative> FindAsync(
        CreativeFilters? filters,
        ToolContext context,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var isWanted = await CreativeUse.FilterAsync(filters, context, cancellationToken);
        await foreach (var creative in context.Documents<Creative>().ReadAllAsync(cancellationToken))
        {
            if (creative.Fits(filters) && isWanted(creative.Id))
            {
                yield return creative;
            }
        }
    }
}

/// <summary>Where a package is.</summary>
/// <param name="MediaBuyId">Its media buy.</param>
/// <param name="Product">What it buys; null where that is sold no more.</param>
/// <param name="IsOver">Whether nothing runs in it any more.</param>
public sealed record PackagePlace(string MediaBuyId, Product? Product, bool IsOver);

/// <summary>What a package is to show.</summary>
/// <param name="Assignments">The creatives.</param>
/// <param name="Product">What it buys; null where that is sold no more.</param>
/// <param name="Field">Its place in the request.</param>
public sealed record Showing(IReadOnlyList<CreativeAssignment> Assignments, Product? Product, string Field);

using System.ComponentModel;
using Adcp_TenantServer.Inventory;
using Adcp_TenantServer.Selling;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Takes and lists creatives, and says which formats they can have.</summary>
public sealed class Creatives(CreativeLibrary library, FormatList formats, Catalog catalog)
{
    [AdcpTool("list_creative_formats")]
    [Description("Lists the creative formats that this seller takes.")]
    public async Task<ListCreativeFormatsResponse> ListFormatsAsync(
        ListCreativeFormatsRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var page = Page.Of(await formats.FindAsync(request, context, cancellationToken), request.Pagination);
        return new() { Formats = page.Items, Pagination = page.Next };
    }

    [AdcpTool("sync_creatives")]
    [Description("Sends creatives, and says in which packages they run.")]
    public async Task<SyncCreativesResponse> SyncAsync(
        SyncCreativesRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (request is { DeleteMissing: true, CreativeIds: not null })
        {
            throw new AdcpException(AdcpError.InvalidRequest, "delete_missing and creative_ids exclude each other.", "delete_missing");
        }

        var isDryRun = request.DryRun is true;
        CreativeAsset[] sent = [.. request.Creatives.Where(asset => request.CreativeIds?.Contains(asset.CreativeId) is not false)];
        var assignments = request.Assignments ?? [];
        var products = assignments.Count > 0 ? await catalog.GetProductsAsync(context, cancellationToken) : [];
        var packages = await library.FindPackagesAsync(
            assignments.Select(wanted => wanted.PackageId),
            products,
            context,
            cancellationToken
        );
        var mistakes = await FindMistakesAsync(request, context, cancellationToken);
        if (request.ValidationMode is not "lenient")
        {
            // Strict: one mistake refuses all, before anything is kept.
            var others = await library.FindMistakesAsync(assignments, sent, packages, context, cancellationToken);
            AdcpException[] all = [.. mistakes.Values, .. others];
            if (all.Length > 0)
            {
                throw new AdcpException(all);
            }
        }

        var writes = new Writes(context);
        List<CreativeResult> results = [.. mistakes.Select(mistake => Failed(mistake.Key, mistake.Value))];
        foreach (var asset in sent.Where(asset => !mistakes.ContainsKey(asset.CreativeId)))
        {
            results.Add(await library.KeepAsync(asset, request.NotificationConfig(), isDryRun, context, cancellationToken));
            await writes.CountAsync(cancellationToken);
        }

        if (assignments.Count > 0 && !isDryRun)
        {
            results = await AssignAsync(results, assignments, packages, writes, context, cancellationToken);
        }

        if (request.DeleteMissing is true)
        {
            var ids = request.Creatives.Select(asset => asset.CreativeId).ToHashSet();
            results.AddRange(await library.ArchiveOthersAsync(ids, isDryRun, context, cancellationToken));
        }

        return new() { Creatives = results, DryRun = request.DryRun };
    }

    // Which creatives of a request cannot be kept, by their ids. Yours would look at their assets, too.
    private async Task<Dictionary<string, AdcpException>> FindMistakesAsync(
        SyncCreativesRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var isTaken = await formats.FindTakenAsync(context, cancellationToken);
        HashSet<string> seen = [];
        Dictionary<string, AdcpException> mistakes = [];
        foreach (var (index, asset) in request.Creatives.Index())
        {
            if (request.CreativeIds?.Contains(asset.CreativeId) is false)
            {
                continue;
            }

            if (!seen.Add(asset.CreativeId))
            {
                mistakes[asset.CreativeId] = new(
                    AdcpError.InvalidRequest,
                    $"{asset.CreativeId} is in the request twice.",
                    $"creatives[{index}].creative_id"
                );
            }
            else if (!isTaken(asset.FormatId))
            {
                mistakes[asset.CreativeId] = new(
                    AdcpError.ValidationError,
                    $"This seller takes no creatives of the format {asset.FormatId.Id}: see list_creative_formats.",
                    $"creatives[{index}].format_id"
                );
            }
        }

        return mistakes;
    }

    // Creatives that were sent before can be put into packages, too: they are in the answer as unchanged.
    private async Task<List<CreativeResult>> AssignAsync(
        List<CreativeResult> results,
        IReadOnlyList<PackageAssignment> assignments,
        IReadOnlyDictionary<string, PackagePlace> packages,
        Writes writes,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var pairs = assignments.Select(wanted => (wanted.CreativeId, wanted.PackageId)).ToArray();
        Dictionary<string, Dictionary<string, string?>> outcomes = [];
        foreach (var wanted in assignments)
        {
            // Which of two shares is meant nobody can say.
            var error =
                !packages.TryGetValue(wanted.PackageId, out var place) ? CreativeLibrary.NoPackage
                : pairs.Count(pair => pair == (wanted.CreativeId, wanted.PackageId)) > 1 ? "It is assigned to the package twice."
                : await library.AssignAsync(wanted, place, context, cancellationToken);
            if (!outcomes.TryGetValue(wanted.CreativeId, out var ofCreative))
            {
                outcomes[wanted.CreativeId] = ofCreative = [];
            }

            ofCreative[wanted.PackageId] = error;
            await writes.CountAsync(cancellationToken);
        }

        string[] others = [.. outcomes.Keys.Except(results.Select(result => result.CreativeId))];
        var kept = (await context.Documents<Creative>().GetAllAsync(others, cancellationToken)).Select(creative => creative.Id).ToHashSet();
        return
        [
            .. results
                .Concat(others.Select(id => kept.Contains(id) ? new() { CreativeId = id, Action = "unchanged" } : Failed(id, NotThere)))
                .Select(result => outcomes.TryGetValue(result.CreativeId, out var ofCreative) ? With(result, ofCreative) : result),
        ];
    }

    private static AdcpException NotThere => new(AdcpError.CreativeNotFound, "You have no such creative: send it with sync_creatives.");

    private static CreativeResult Failed(string id, AdcpException mistake) =>
        new()
        {
            CreativeId = id,
            Action = "failed",
            Errors = [ErrorEntry.Of(mistake)],
        };

    private static CreativeResult With(CreativeResult result, Dictionary<string, string?> packages)
    {
        var errors = packages.Where(package => package.Value is not null).ToDictionary(package => package.Key, package => package.Value!);
        return result with
        {
            AssignedTo = [.. packages.Keys.Where(id => !errors.ContainsKey(id))],
            AssignmentErrors = errors.Count > 0 ? errors : null,
        };
    }

    [AdcpTool("list_creatives")]
    [Description("Lists your creatives at this seller, and where they stand.")]
    public async Task<ListCreativesResponse> ListAsync(
        ListCreativesRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var page = await Page.OfAsync(CreativeLibrary.FindAsync(request.Filters, context, cancellationToken), request.Pagination);
        return new()
        {
            QuerySummary = new() { TotalMatching = page.Next.TotalCount ?? 0, Returned = page.Items.Count },
            Pagination = page.Next,
            Creatives = [.. page.Items.Select(creative => creative.ToSummary())],
        };
    }
}

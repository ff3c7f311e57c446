using System.ComponentModel;
using Adcp_TenantServer.Inventory;
using Adcp_TenantServer.Selling;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Takes and lists creatives, and says which formats they can have.</summary>
public sealed class Creatives(CreativeLibrary library, FormatList formats)
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
        var writes = new Writes(context);
        List<CreativeResult> results = [];
        foreach (var asset in request.Creatives.Where(asset => request.CreativeIds?.Contains(asset.CreativeId) is not false))
        {
            results.Add(await library.KeepAsync(asset, isDryRun, context, cancellationToken));
            await writes.CountAsync(cancellationToken);
        }

        if (request.Assignments is { } assignments && !isDryRun)
        {
            results = await AssignAsync(results, assignments, writes, context, cancellationToken);
        }

        if (request.DeleteMissing is true)
        {
            var sent = request.Creatives.Select(asset => asset.CreativeId).ToHashSet();
            results.AddRange(await library.ArchiveOthersAsync(sent, isDryRun, context, cancellationToken));
        }

        return new() { Creatives = results, DryRun = request.DryRun };
    }

    // Creatives that were sent before can be put into packages, too: they are in the answer as unchanged.
    private async Task<List<CreativeResult>> AssignAsync(
        List<CreativeResult> results,
        IReadOnlyList<PackageAssignment> assignments,
        Writes writes,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var buys = await CreativeLibrary.FindBuysAsync(assignments.Select(wanted => wanted.PackageId), context, cancellationToken);
        Dictionary<string, Dictionary<string, string?>> outcomes = [];
        foreach (var wanted in assignments)
        {
            var error = buys.TryGetValue(wanted.PackageId, out var mediaBuyId)
                ? await library.AssignAsync(wanted, mediaBuyId, context, cancellationToken)
                : CreativeLibrary.NoPackage;
            if (!outcomes.TryGetValue(wanted.CreativeId, out var packages))
            {
                outcomes[wanted.CreativeId] = packages = [];
            }

            packages[wanted.PackageId] = error;
            await writes.CountAsync(cancellationToken);
        }

        var others = outcomes.Keys.Except(results.Select(result => result.CreativeId));
        return
        [
            .. results
                .Concat(others.Select(id => new CreativeResult { CreativeId = id, Action = "unchanged" }))
                .Select(result => outcomes.TryGetValue(result.CreativeId, out var packages) ? With(result, packages) : result),
        ];
    }

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

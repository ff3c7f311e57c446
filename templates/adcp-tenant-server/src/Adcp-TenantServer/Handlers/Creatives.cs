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
        var writes = new Writes(context);
        var assignments = (request.DryRun is true ? [] : request.Assignments ?? []).ToLookup(
            assignment => assignment.CreativeId,
            assignment => assignment.PackageId
        );
        var buys = await CreativeLibrary.FindBuysAsync(assignments.SelectMany(packages => packages), context, cancellationToken);
        List<CreativeResult> results = [];
        foreach (var asset in request.Creatives)
        {
            var result = await library.KeepAsync(asset, request.DryRun is true, context, cancellationToken);
            await writes.CountAsync(cancellationToken);
            string[] packages = [.. assignments[asset.CreativeId].Distinct()];
            results.Add(packages.Length > 0 ? await AssignAsync(result, packages, buys, writes, context, cancellationToken) : result);
        }

        return new() { Creatives = results, DryRun = request.DryRun };
    }

    private async Task<CreativeResult> AssignAsync(
        CreativeResult creative,
        string[] packages,
        IReadOnlyDictionary<string, string> buys,
        Writes writes,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        Dictionary<string, string> errors = [];
        foreach (var packageId in packages)
        {
            if (
                !buys.TryGetValue(packageId, out var mediaBuyId)
                || !await library.AssignAsync(creative.CreativeId, packageId, mediaBuyId, context, cancellationToken)
            )
            {
                errors[packageId] = "You have no such package.";
            }

            await writes.CountAsync(cancellationToken);
        }

        return creative with
        {
            AssignedTo = [.. packages.Where(id => !errors.ContainsKey(id))],
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

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
        List<CreativeResult> results = [];
        var written = 0;
        foreach (var asset in request.Creatives)
        {
            var result = await library.KeepAsync(asset, request.DryRun is true, context, cancellationToken);
            var packages = request
                .Assignments?.Where(assignment => assignment.CreativeId == asset.CreativeId)
                .Select(assignment => assignment.PackageId)
                .ToArray();
            results.Add(
                packages is { Length: > 0 } && request.DryRun is not true
                    ? await library.AssignAsync(result, packages, context, cancellationToken)
                    : result
            );
            written += 1 + (packages?.Length ?? 0);
            if (written >= 64)
            {
                // A commit has 128 documents at most.
                await context.FlushAsync(cancellationToken);
                written = 0;
            }
        }

        return new() { Creatives = results, DryRun = request.DryRun };
    }

    [AdcpTool("list_creatives")]
    [Description("Lists your creatives at this seller, and where they stand.")]
    public async Task<ListCreativesResponse> ListAsync(
        ListCreativesRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var page = Page.Of(await library.FindAsync(request.Filters, context, cancellationToken), request.Pagination);
        return new()
        {
            QuerySummary = new() { TotalMatching = page.Next.TotalCount ?? 0, Returned = page.Items.Count },
            Pagination = page.Next,
            Creatives = [.. page.Items.Select(creative => creative.ToSummary())],
        };
    }
}

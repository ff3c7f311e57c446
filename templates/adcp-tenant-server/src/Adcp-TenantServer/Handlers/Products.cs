using System.ComponentModel;
using Adcp_TenantServer.Inventory;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Says what can be bought.</summary>
public sealed class Products(Catalog catalog, InventoryLists lists, TimeProvider time)
{
    [AdcpTool("get_products")]
    [Description("Lists what this seller offers, with prices for callers with credentials.")]
    public async Task<GetProductsResponse> GetAsync(GetProductsRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var all = await catalog.GetProductsAsync(context, cancellationToken);

        // The library applies filters and refinements, and orders by the brief's words. Yours would understand more of a brief.
        var found = ProductSearch.Find(request, all, now, Fits);
        if (request.PropertyList is { } list)
        {
            found = await lists.FilterAsync(found, list, context, cancellationToken);
        }

        var page = Page.Of(found, request.Pagination);
        return new()
        {
            Products = page.Items,
            Pagination = page.Next,
            PropertyListApplied = request.PropertyList is null ? null : true,
            CatalogApplied = request.Catalog is null ? null : true,
            RefinementApplied = ProductSearch.Refine(request, all, now),
        };
    }

    // The sample's pages are read in every country, and it promises nothing else that products do not say of themselves. Say here where
    // yours are seen, by what they can be aimed, and which catalogs they take: what is asked for and not promised leaves nothing.
    private static bool Fits(Product product, GetProductsRequest request) =>
        request is { Catalog: null, Filters: { } filters } && !(filters with { Countries = null }).NeedsMore;
}

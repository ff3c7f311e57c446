using System.ComponentModel;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Says what can be bought.</summary>
public sealed class Products(TimeProvider time)
{
    [AdcpTool("get_products")]
    [Description("Lists what this seller offers, with prices for callers with credentials.")]
    public Task<GetProductsResponse> GetAsync(GetProductsRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var all = context.Platform<ISeller>().Products;

        // The library applies filters and refinements, and orders by the brief's words. What it cannot know is asked of a fourth argument:
        // without one, what products do not say of themselves leaves nothing.
        var found = ProductSearch.Find(request, all, now);
        var page = Page.Of(found, request.Pagination);
        return Task.FromResult(
            new GetProductsResponse
            {
                Products = page.Items,
                Pagination = page.Next,
                RefinementApplied = ProductSearch.Refine(request, all, now),
            }
        );
    }
}

using System.ComponentModel;
using Adcp_TenantServer.Inventory;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Says what can be bought.</summary>
public sealed class Products(Catalog catalog)
{
    [AdcpTool("get_products")]
    [Description("Lists what this seller offers, with prices for callers with credentials.")]
    public async Task<GetProductsResponse> GetAsync(GetProductsRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        // The sample offers everything to everybody. Yours would choose by request.Brief.
        var page = Page.Of(await catalog.GetProductsAsync(context, cancellationToken), request.Pagination);
        return new() { Products = page.Items, Pagination = page.Next };
    }
}

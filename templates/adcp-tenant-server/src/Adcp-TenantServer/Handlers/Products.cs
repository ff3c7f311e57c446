using System.ComponentModel;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Says what can be bought.</summary>
public sealed class Products
{
    [AdcpTool("get_products")]
    [Description("Lists what this seller offers, with prices for callers with credentials.")]
    public Task<GetProductsResponse> GetAsync(GetProductsRequest request, ToolContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new GetProductsResponse { Products = context.Platform<ISeller>().Products });
}

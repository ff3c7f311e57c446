using Microsoft.Extensions.Options;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Inventory;

/// <summary>What a tenant sells: its platform's products, and in test mode those that a checker added for itself.</summary>
public sealed class Catalog(IOptions<AdcpOptions> options)
{
    public async Task<IReadOnlyList<Product>> GetProductsAsync(ToolContext context, CancellationToken cancellationToken)
    {
        var products = context.Platform<ISeller>().Products;
        if (!options.Value.TestMode)
        {
            return products;
        }

        var added = await context.CallerDocuments<TestProduct>().ListAsync(limit: 200, cancellationToken: cancellationToken);
        return
        [
            .. products,
            .. added.Items.Select(test => test.Product).Append(TestFixtures.Standard(context)).DistinctBy(product => product.ProductId),
        ];
    }
}

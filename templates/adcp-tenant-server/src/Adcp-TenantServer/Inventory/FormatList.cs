using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Inventory;

/// <summary>The creative formats that a tenant's products take.</summary>
public sealed class FormatList(Catalog catalog)
{
    public async Task<IReadOnlyList<CreativeFormat>> FindAsync(
        ListCreativeFormatsRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var formats = context.Platform<ISeller>().Formats;
        var products = await catalog.GetProductsAsync(context, cancellationToken);

        // What a product takes is a format of this seller, also where a checker added the product.
        var added = products
            .SelectMany(product => product.FormatIds)
            .DistinctBy(Key)
            .ExceptBy(formats.Select(format => Key(format.FormatId)), Key)
            .Select(id => new CreativeFormat { FormatId = id, Name = id.Id });
        return [.. formats.Concat(added).Where(format => FormatSearch.Fits(format, request))];
    }

    private static (string AgentUrl, string Id) Key(FormatId id) => (id.AgentUrl.TrimEnd('/'), id.Id);
}

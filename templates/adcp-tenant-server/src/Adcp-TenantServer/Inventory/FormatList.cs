using Microsoft.Extensions.Options;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Inventory;

/// <summary>The creative formats that a tenant's products take.</summary>
public sealed class FormatList(Catalog catalog, IOptions<AdcpOptions> options)
{
    /// <summary>
    /// Finds out which formats creatives may have. In test mode that is any: a checker sends those of sellers that do not exist.
    /// </summary>
    public async Task<Func<FormatId, bool>> FindTakenAsync(ToolContext context, CancellationToken cancellationToken)
    {
        if (options.Value.TestMode)
        {
            return _ => true;
        }

        var taken = await FindAsync(new(), context, cancellationToken);
        return id => taken.Any(format => format.FormatId.IsSameAs(id));
    }

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

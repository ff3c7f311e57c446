using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy.Mcp;

namespace Tenancy.Adcp;

/// <summary>Applies the lists of properties and collections that requests name, by the server's <see cref="IListResolver"/>.</summary>
public sealed class InventoryLists
{
    private readonly IListResolver? _resolver;

    internal InventoryLists(IServiceProvider services)
    {
        var isTest = services.GetRequiredService<IOptions<AdcpOptions>>().Value.TestMode;
        _resolver = services.GetServices<AddedListResolver>().LastOrDefault(added => !added.IsForTests || isTest) is { } one
            ? (IListResolver)services.GetRequiredService(one.Type)
            : null;
    }

    /// <summary>Gets whether there is a resolver. Where there is none, the library refuses a request that names a list.</summary>
    public bool AreSupported => _resolver is not null;

    /// <summary>Finds out whether a product can run where a package is aimed at.</summary>
    /// <param name="targeting">Where the package is aimed at.</param>
    /// <param name="product">The package's product.</param>
    /// <param name="field">The targeting's place in the request, such as <c>packages[0].targeting_overlay</c>.</param>
    /// <param name="context">The call.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The place in the request of the list that leaves nothing of the product; null where something is left.</returns>
    /// <exception cref="AdcpException">There is no such list.</exception>
    public async Task<string?> FindEmptyAsync(
        TargetingOverlay? targeting,
        Product product,
        string field,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        if (targeting is null)
        {
            return null;
        }

        ArgumentNullException.ThrowIfNull(product);
        var (properties, collections) = ($"{field}.property_list", $"{field}.collection_list");
        return targeting.PropertyList is { } list
            && !await CoversAsync(ListKind.Properties, list, product, properties, context, cancellationToken)
                ? properties
            : targeting.CollectionList is { } wanted
            && !await CoversAsync(ListKind.Collections, wanted, product, collections, context, cancellationToken)
                ? collections
            : targeting.CollectionListExclude is { } others
            && await CoversAsync(ListKind.Collections, others, product, $"{collections}_exclude", context, cancellationToken)
                ? $"{collections}_exclude"
            : null;
    }

    /// <summary>Keeps the products that can run on a list of properties.</summary>
    /// <exception cref="AdcpException">There is no such list.</exception>
    public async Task<IReadOnlyList<Product>> FilterAsync(
        IReadOnlyList<Product> products,
        ListReference list,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(products);
        ArgumentNullException.ThrowIfNull(list);
        List<Product> kept = [];
        foreach (var product in products)
        {
            if (await CoversAsync(ListKind.Properties, list, product, "property_list", context, cancellationToken))
            {
                kept.Add(product);
            }
        }

        return kept;
    }

    private async Task<bool> CoversAsync(
        ListKind kind,
        ListReference list,
        Product product,
        string field,
        ToolContext context,
        CancellationToken cancellationToken
    ) =>
        _resolver is null
            ? throw new AdcpException(AdcpError.UnsupportedFeature, $"This seller does not support {field}: leave it out.", field)
            : await _resolver.CoversAsync(kind, list, product, context, cancellationToken)
                ?? throw new AdcpException(AdcpError.ReferenceNotFound, $"{list.AgentUrl} has no list {list.ListId}.", field);
}

using Tenancy.Mcp;

namespace Tenancy.Adcp;

/// <summary>Says what is on the lists of buyers' governance agents: of properties, or of collections.</summary>
/// <remarks>
/// A server without one refuses requests that name a list, with <c>UNSUPPORTED_FEATURE</c>. Add one with
/// <c>AddListResolver&lt;YourResolver&gt;()</c> on the builder; it asks the agent at <see cref="ListReference.AgentUrl"/> for the list, or
/// looks into what it keeps of it.
/// </remarks>
public interface IListResolver
{
    /// <summary>Says whether a product can run on what is on a list.</summary>
    /// <param name="kind">What the list is of.</param>
    /// <param name="list">The list.</param>
    /// <param name="product">The product.</param>
    /// <param name="context">The call.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null where there is no such list: the buyer is told so.</returns>
    Task<bool?> CoversAsync(ListKind kind, ListReference list, Product product, ToolContext context, CancellationToken cancellationToken);
}

/// <summary>What a list is of.</summary>
public enum ListKind
{
    /// <summary>Properties: sites, apps and the like.</summary>
    Properties,

    /// <summary>Collections: programmes, series and the like.</summary>
    Collections,
}

/// <summary>A resolver as it was added.</summary>
internal sealed record AddedListResolver(Type Type, bool IsForTests);

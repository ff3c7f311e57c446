using Tenancy.Mcp;

namespace Tenancy.Adcp;

/// <summary>Says which accounts a caller has.</summary>
/// <remarks>
/// The default has the accounts that <c>sync_accounts</c> stored for the caller (<see cref="AccountDocument"/>). Add one of your own with
/// <c>AddAccountResolver&lt;YourResolver&gt;()</c> on the builder where accounts come from elsewhere. It has to answer for accounts of this
/// caller only: the buyer cannot tell one that it may not use from one that does not exist.
/// </remarks>
public interface IAccountResolver
{
    /// <summary>Finds the accounts of the caller that fit a reference.</summary>
    /// <param name="reference">What the request names; null for all accounts of the caller.</param>
    /// <param name="context">The call, before it has an account.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>
    /// None where the caller has none that fits. Where there are several for a reference, the request is refused as ambiguous.
    /// </returns>
    Task<IReadOnlyList<Account>> ResolveAsync(AccountReference? reference, ToolContext context, CancellationToken cancellationToken);
}

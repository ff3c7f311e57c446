using Tenancy.Mcp;

namespace Tenancy.Adcp;

/// <summary>Says whether an account may order for more money than it does.</summary>
/// <remarks>
/// AdCP: a seller checks that accounts are authorized for the budgets that they order. The default keeps an account to its
/// <see cref="Account.CreditLimit"/>. Add one of your own with <c>AddBudgetAuthority&lt;YourAuthority&gt;()</c> on the builder where
/// invoices and payments are known: the default does not hear of them, so that an order counts until it is canceled or made smaller.
/// </remarks>
public interface IBudgetAuthority
{
    /// <summary>Says why an order may not be for as much.</summary>
    /// <param name="change">What it would be, and what it is.</param>
    /// <param name="context">The call. What is kept by it is kept with the order, or not at all.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null where it may. An order that becomes smaller is told, too, and never refused.</returns>
    Task<AdcpException?> WhyNotAsync(BudgetChange change, ToolContext context, CancellationToken cancellationToken);
}

/// <summary>What an order costs at most, and what it did so far.</summary>
/// <param name="Account">The account that pays, as the order named it.</param>
/// <param name="Currency">The currency (ISO 4217).</param>
/// <param name="Before">What was ordered so far; 0 for a new order.</param>
/// <param name="After">What it would be.</param>
public sealed record BudgetChange(AccountReference Account, string Currency, decimal Before, decimal After);

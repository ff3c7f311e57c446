using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>Keeps accounts to their credit limits: all that they ordered and did not take back counts.</summary>
internal sealed class CreditLimits(IAccountResolver accounts) : IBudgetAuthority
{
    public async Task<AdcpException?> WhyNotAsync(BudgetChange change, ToolContext context, CancellationToken cancellationToken)
    {
        var found = await accounts.ResolveAsync(change.Account, context, cancellationToken);

        // One that this very request opens begins with what the profile says.
        var limit = found is [var account, ..]
            ? account.CreditLimit
            : context.FindPlatform<ISellerProfile>()?.Profile.NewAccounts.CreditLimit;
        if (limit is null)
        {
            return null;
        }

        var commitments = context.Documents<Commitment>();
        var known = await commitments.GetAsync(change.Currency, cancellationToken);
        var before = known?.Amount ?? 0;
        var after = Math.Max(0, before - change.Before + change.After);
        if (change.After > change.Before && (change.Currency != limit.Currency || after > limit.Amount))
        {
            return Exceeded(limit, before, change.Currency);
        }

        // Two orders at once write the same document: the later one is tried again, and counts the other.
        if (known is not null)
        {
            await commitments.ReplaceAsync(known with { Amount = after }, cancellationToken);
        }
        else if (await commitments.CreateWithIdAsync(change.Currency, new() { Amount = after }, cancellationToken) is null)
        {
            throw new AdcpException(AdcpError.Conflict, "Another request orders for this account right now: send it again.", "account");
        }

        return null;
    }

    private static AdcpException Exceeded(Money limit, decimal committed, string currency) =>
        new(
            AdcpError.BudgetExceeded,
            currency == limit.Currency
                ? $"The account may order for {limit.Amount} {limit.Currency}, and has ordered for {committed}."
                : $"The account may order for {limit.Amount} {limit.Currency}, and for nothing in {currency}.",
            "packages[0].budget"
        )
        {
            Details = new()
            {
                ["limit"] = limit.Amount,
                ["committed"] = committed,
                ["currency"] = limit.Currency,
            },
        };
}

/// <summary>For how much an account has ordered, by currency.</summary>
[Document("commitments")]
internal sealed record Commitment : TenantDocument
{
    public required decimal Amount { get; init; }
}

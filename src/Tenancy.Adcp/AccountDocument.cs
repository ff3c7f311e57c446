using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>
/// An account as it is kept: among the documents of the caller that opened it (<see cref="ToolContext.CallerDocuments{T}"/>).
/// </summary>
[Document("accounts")]
public sealed record AccountDocument : TenantDocument
{
    /// <summary>The most accounts of a caller: a call that names none is for all of them, so that each is read.</summary>
    public const int MaxPerCaller = 1000;

    /// <summary>Gets the account; its id is that of the document.</summary>
    public required Account Account { get; init; }

    /// <summary>
    /// The id of a caller's account for a brand and operator, as far as the seller's accounts tell them apart
    /// (<see cref="SellerProfile.AccountScope"/>). It is the same each time, so that two requests at once cannot open two accounts, and
    /// another caller has another one.
    /// </summary>
    public static string IdFor(ToolContext context, BrandReference brand, string @operator, bool? sandbox)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(brand);
        var scope = context.FindPlatform<ISellerProfile>()?.Profile.AccountScope ?? AccountScope.OperatorBrand;
        var ofBrand = scope is AccountScope.OperatorBrand or AccountScope.Brand ? brand : null;
        var ofOperator = scope is AccountScope.OperatorBrand or AccountScope.Operator ? @operator : null;

        // In test mode all accounts are for tests: an account is the same with and without the mark of a sandbox.
        var isSandbox = sandbox is true && !context.ToolNames.Contains(Capabilities.TestController);
        return "acc_"
            + StableId.Of(context.Caller.Value, ofBrand?.Domain, ofBrand?.BrandId, ofOperator, isSandbox ? "sandbox" : null)[..22];
    }
}

/// <summary>The accounts that <c>sync_accounts</c> stored for the caller.</summary>
internal sealed class SyncedAccounts : IAccountResolver
{
    private const int PageSize = 200;

    public async Task<IReadOnlyList<Account>> ResolveAsync(
        AccountReference? reference,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var documents = context.CallerDocuments<AccountDocument>();
        if (reference is not null)
        {
            var id = reference.AccountId ?? AccountDocument.IdFor(context, reference.Brand!, reference.Operator!, reference.Sandbox);
            return await documents.GetAsync(id, cancellationToken) is { } found ? [found.Account] : [];
        }

        List<Account> accounts = [];
        string? cursor = null;
        do
        {
            var page = await documents.ListAsync(cursor, PageSize, cancellationToken);
            accounts.AddRange(page.Items.Select(document => document.Account));
            cursor = page.NextCursor;
        } while (cursor is not null && accounts.Count <= AccountDocument.MaxPerCaller);
        return accounts.Count <= AccountDocument.MaxPerCaller
            ? accounts
            : throw new AdcpException(
                AdcpError.AccountAmbiguous,
                $"You have more than {AccountDocument.MaxPerCaller} accounts: name the one that you mean.",
                "/account"
            );
    }
}

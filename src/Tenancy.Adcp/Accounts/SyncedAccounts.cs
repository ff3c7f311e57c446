using Tenancy.Mcp;

namespace Tenancy.Adcp;

/// <summary>The accounts that were opened for the caller: by <c>sync_accounts</c>, or on first use.</summary>
internal sealed class SyncedAccounts : IAccountResolver
{
    public async Task<IReadOnlyList<Account>> ResolveAsync(
        AccountReference? reference,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var documents = context.CallerDocuments<AccountDocument>();
        if (reference is not null)
        {
            // What is remembered lets a call through, and the commit asks again; it refuses none.
            var id = reference.AccountId ?? await FindIdAsync(reference, context, cancellationToken);
            var found = id is null ? null : await documents.GetCachedAsync(id, cancellationToken: cancellationToken);
            if (found is { Account.Status: not AccountStatus.Active })
            {
                found = await documents.GetCachedAsync(found.Id, refresh: true, cancellationToken);
            }

            return found is null ? [] : [found.Account];
        }

        var accounts = await documents.ListCachedAsync(AccountDocument.MaxPerCaller + 1, cancellationToken);
        return accounts.Count <= AccountDocument.MaxPerCaller
            ? [.. accounts.Select(document => document.Account)]
            : throw new AdcpException(
                AdcpError.AccountAmbiguous,
                $"You have more than {AccountDocument.MaxPerCaller} accounts: name the one that you mean.",
                "account"
            );
    }

    private static async Task<string?> FindIdAsync(AccountReference reference, ToolContext context, CancellationToken cancellationToken)
    {
        var salt = await context.CallerDocuments<AccountSalt>().GetCachedAsync(AccountSalt.TheOnlyId, cancellationToken: cancellationToken);
        if (salt is null)
        {
            return null;
        }

        var key = AccountKey.IdOf(salt, context, reference.Brand!, reference.Operator!, reference.Sandbox);
        return (await context.CallerDocuments<AccountKey>().GetCachedAsync(key, cancellationToken: cancellationToken))?.AccountId;
    }
}

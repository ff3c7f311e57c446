using System.ComponentModel;
using Adcp_TenantServer.Selling;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>Opens and lists the buyer's accounts. The sample agrees to each at once.</summary>
public sealed class Accounts
{
    [AdcpTool("sync_accounts")]
    [Description("Opens accounts for brands and their operators, or changes them. Other calls name one of them.")]
    public async Task<SyncAccountsResponse> SyncAsync(SyncAccountsRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        var number = await AccountNumber.ReadAsync(context, cancellationToken);
        await CheckNumberAsync(number.Accounts, request, context, cancellationToken);
        List<AccountResult> results = [];
        foreach (var few in request.Accounts.Chunk(100))
        {
            var before = results.Count;
            foreach (var wanted in few)
            {
                results.Add(await SyncAsync(wanted, request.DryRun is true, context, cancellationToken));
            }

            var opened = results.Skip(before).Count(result => result.Action == "created");
            if (request.DryRun is not true && opened > 0)
            {
                // With the accounts: of two requests at once, the later one counts again.
                number = await number.AddAsync(opened, context, cancellationToken);
            }

            // A commit has 128 documents at most.
            await context.FlushAsync(cancellationToken);
        }

        return new() { Accounts = results, DryRun = request.DryRun };
    }

    [AdcpTool("list_accounts")]
    [Description("Lists your accounts at this seller.")]
    public async Task<ListAccountsResponse> ListAsync(ListAccountsRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        var (documents, next) = await context
            .CallerDocuments<AccountDocument>()
            .FindAsync(document => IsWanted(document.Account), request.Pagination, cancellationToken);
        return new() { Accounts = [.. documents.Select(document => document.Account)], Pagination = next };

        bool IsWanted(Account account) =>
            (request.Status ?? account.Status) == account.Status
            && (request.Sandbox ?? account.Sandbox ?? false) == (account.Sandbox ?? false);
    }

    // One too many refuses them all before the first is opened.
    private static async Task CheckNumberAsync(
        int there,
        SyncAccountsRequest request,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var ids = request
            .Accounts.Select(wanted => AccountDocument.IdFor(context, wanted.Brand, wanted.Operator, wanted.Sandbox))
            .ToHashSet();
        var known = await context.CallerDocuments<AccountDocument>().GetAllAsync(ids, cancellationToken);
        var tooMany = there + ids.Count - known.Count - AccountDocument.MaxPerCaller;
        if (tooMany > 0 && ids.Count > known.Count)
        {
            throw AccountNumber.TooMany(there, tooMany);
        }
    }

    private static async Task<AccountResult> SyncAsync(
        AccountSync wanted,
        bool isDryRun,
        ToolContext context,
        CancellationToken cancellationToken
    )
    {
        var documents = context.CallerDocuments<AccountDocument>();
        var id = AccountDocument.IdFor(context, wanted.Brand, wanted.Operator, wanted.Sandbox);
        var found = await documents.GetAsync(id, cancellationToken);
        if (!isDryRun && found is null)
        {
            found = await documents.CreateUnlessThereAsync(
                id,
                new() { Account = ToAccount(wanted, id, AccountStatus.Active) },
                cancellationToken
            );
        }

        var account = ToAccount(wanted, id, found?.Account.Status ?? AccountStatus.Active);
        var action =
            found is null ? "created"
            : (found.Account.Billing, found.Account.PaymentTerms) == (wanted.Billing, wanted.PaymentTerms) ? "unchanged"
            : "updated";
        if (!isDryRun && action == "updated")
        {
            await documents.ReplaceAsync(found! with { Account = account }, cancellationToken);
        }

        return new()
        {
            AccountId = id,
            Brand = wanted.Brand,
            Operator = wanted.Operator,
            Name = account.Name,
            Action = action,
            Status = account.Status,
            AccountScope = context.Platform<ISeller>().Profile.AccountScope,
            Billing = wanted.Billing,
            PaymentTerms = wanted.PaymentTerms,
            Sandbox = wanted.Sandbox,
        };
    }

    private static Account ToAccount(AccountSync wanted, string id, AccountStatus status) =>
        new()
        {
            AccountId = id,
            Name = $"{wanted.Brand.Domain} by {wanted.Operator}",
            Status = status,
            Brand = wanted.Brand,
            Operator = wanted.Operator,
            Billing = wanted.Billing,
            PaymentTerms = wanted.PaymentTerms,
            Sandbox = wanted.Sandbox,
        };
}

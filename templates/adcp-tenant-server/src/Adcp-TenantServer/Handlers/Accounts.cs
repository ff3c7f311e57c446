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
    public async Task<SyncAccountsResponse> SyncAsync(SyncAccountsRequest request, ToolContext context, CancellationToken cancellationToken) =>
        new() { Accounts = await Task.WhenAll(request.Accounts.Select(wanted => SyncAsync(wanted, request.DryRun is true, context, cancellationToken))), DryRun = request.DryRun };

    [AdcpTool("list_accounts")]
    [Description("Lists your accounts at this seller.")]
    public async Task<ListAccountsResponse> ListAsync(ListAccountsRequest request, ToolContext context, CancellationToken cancellationToken)
    {
        var (documents, next) = await context.CallerDocuments<AccountDocument>().FindAsync(document => IsWanted(document.Account), request.Pagination, cancellationToken);
        return new() { Accounts = [.. documents.Select(document => document.Account)], Pagination = next };

        bool IsWanted(Account account) =>
            (request.Status ?? account.Status) == account.Status && (request.Sandbox ?? account.Sandbox ?? false) == (account.Sandbox ?? false);
    }

    private static async Task<AccountResult> SyncAsync(AccountSync wanted, bool isDryRun, ToolContext context, CancellationToken cancellationToken)
    {
        var documents = context.CallerDocuments<AccountDocument>();
        var id = AccountDocument.IdFor(context, wanted.Brand, wanted.Operator, wanted.Sandbox);
        var found = await documents.GetAsync(id, cancellationToken);
        var account = new Account
        {
            AccountId = id,
            Name = $"{wanted.Brand.Domain} by {wanted.Operator}",
            Status = found?.Account.Status ?? AccountStatus.Active,
            Brand = wanted.Brand,
            Operator = wanted.Operator,
            Billing = wanted.Billing,
            PaymentTerms = wanted.PaymentTerms,
            Sandbox = wanted.Sandbox,
        };
        var action = found is null ? "created" : (found.Account.Billing, found.Account.PaymentTerms) == (wanted.Billing, wanted.PaymentTerms) ? "unchanged" : "updated";
        if (!isDryRun && found is null)
        {
            await documents.CreateWithIdAsync(id, new() { Account = account }, cancellationToken);
        }
        else if (!isDryRun && action == "updated")
        {
            await documents.ReplaceAsync(found! with { Account = account }, cancellationToken);
        }

        return new() { AccountId = id, Brand = wanted.Brand, Operator = wanted.Operator, Name = account.Name, Action = action, Status = account.Status, AccountScope = context.Platform<ISeller>().Profile.AccountScope, Billing = wanted.Billing, PaymentTerms = wanted.PaymentTerms, Sandbox = wanted.Sandbox };
    }
}

using System.ComponentModel;
using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>
/// Opens and lists the buyer's accounts. The library keeps them, by what the platform's profile says of billing, terms and tests; the
/// sample agrees to each at once.
/// </summary>
public sealed class Accounts(AccountBook book)
{
    [AdcpTool("sync_accounts")]
    [Description("Opens accounts for brands and their operators, or changes them. Other calls name one of them.")]
    public Task<SyncAccountsResponse> SyncAsync(SyncAccountsRequest request, ToolContext context, CancellationToken cancellationToken) =>
        book.SyncAsync(request, context, cancellationToken);

    [AdcpTool("list_accounts")]
    [Description("Lists your accounts at this seller.")]
    public Task<ListAccountsResponse> ListAsync(ListAccountsRequest request, ToolContext context, CancellationToken cancellationToken) =>
        book.ListAsync(request, context, cancellationToken);
}

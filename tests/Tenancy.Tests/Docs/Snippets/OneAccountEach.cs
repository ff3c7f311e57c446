using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class OneAccountEach : IAccountResolver
{
    // For this caller only: it cannot tell an account of somebody else from one that does not exist.
    public Task<IReadOnlyList<Account>> ResolveAsync(AccountReference? reference, ToolContext context, CancellationToken cancellationToken)
    {
        Account own = new()
        {
            AccountId = context.Caller.Value,
            Name = "Your account",
            Status = AccountStatus.Active,
        };
        return Task.FromResult<IReadOnlyList<Account>>(reference?.AccountId is { } wanted && wanted != own.AccountId ? [] : [own]);
    }
}

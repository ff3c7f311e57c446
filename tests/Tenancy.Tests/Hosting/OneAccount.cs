using Tenancy.Adcp;
using Tenancy.Mcp;

namespace Tenancy.Tests.Hosting;

/// <summary>A resolver of one's own: each caller is its own account, whatever the request calls it.</summary>
internal sealed class OneAccount : IAccountResolver
{
    public Task<IReadOnlyList<Account>> ResolveAsync(
        AccountReference? reference,
        ToolContext context,
        CancellationToken cancellationToken
    ) =>
        Task.FromResult<IReadOnlyList<Account>>([
            new()
            {
                AccountId = context.Caller.Value,
                Name = "one",
                Status = AccountStatus.Active,
            },
        ]);
}

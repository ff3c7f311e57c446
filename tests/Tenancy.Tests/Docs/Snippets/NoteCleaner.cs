using Tenancy.Configuration;
using Tenancy.Mcp;

namespace Tenancy.Tests.Docs.Snippets;

internal sealed class NoteCleaner(TenantScopes tenants)
{
    public async Task DeleteAsync(TenantId tenant, string accountId, string noteId, CancellationToken cancellationToken)
    {
        // Each opening is logged with its reason. Nothing of the context works after the end of the scope.
        await using var scope = tenants.Open(tenant, "delete an old note", accountId);
        await scope.Context.Documents<Note>().DeleteAsync(noteId, cancellationToken);
        await scope.CommitAsync(cancellationToken);
    }
}

using Tenancy.Mcp;

namespace Adcp_TenantServer.Selling;

/// <summary>
/// Commits what a long request has written so far, a part at a time: one commit has 4 MiB at most, and a document may have 1 MiB of them
/// where a tenant's <c>limits.maxDocumentSize</c> is as large as it can be.
/// </summary>
internal sealed class Writes(ToolContext context)
{
    private const int MostAtOnce = 4;
    private int _count;

    /// <summary>Counts a document that was written.</summary>
    public async Task CountAsync(CancellationToken cancellationToken)
    {
        if (++_count % MostAtOnce == 0)
        {
            await context.FlushAsync(cancellationToken);
        }
    }
}

using System.Runtime.CompilerServices;
using Tenancy.Adcp;
using Tenancy.Mcp;
using Tenancy.State;

namespace Adcp_TenantServer.Selling;

internal static class DocumentsExtensions
{
    /// <summary>Reads a page of those that are wanted. It may be short, and is empty only where there are no more.</summary>
    public static async Task<(IReadOnlyList<T> Items, PaginationResponse Next)> FindAsync<T>(
        this Documents<T> documents,
        Func<T, bool> isWanted,
        PaginationRequest? pagination,
        CancellationToken cancellationToken
    )
        where T : TenantDocument
    {
        T[] items;
        var cursor = pagination?.Cursor;
        do
        {
            var page = await documents.ListAsync(cursor, pagination?.Size ?? 50, cancellationToken);
            (items, cursor) = ([.. page.Items.Where(isWanted)], page.NextCursor);
        } while (items.Length == 0 && cursor is not null);
        return (items, new() { HasMore = cursor is not null, Cursor = cursor });
    }

    /// <summary>Creates a document, unless there is one: another request may have made it since one looked.</summary>
    /// <returns>What was there already; null where the document was created.</returns>
    public static async Task<T?> CreateUnlessThereAsync<T>(
        this Documents<T> documents,
        string id,
        T document,
        CancellationToken cancellationToken
    )
        where T : TenantDocument =>
        await documents.CreateWithIdAsync(id, document, cancellationToken) is null
            ? await documents.GetAsync(id, cancellationToken)
                ?? throw new AdcpException(AdcpError.Conflict, $"{id} was deleted meanwhile: send it again.")
            : null;

    /// <summary>
    /// Goes through all documents, page by page, for lists that are searched. Keep what is needed of them only: a buyer may have more than
    /// fits into memory together with what others have.
    /// </summary>
    public static async IAsyncEnumerable<T> ReadAllAsync<T>(
        this Documents<T> documents,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
        where T : TenantDocument
    {
        DocumentPage<T>? page = null;
        do
        {
            page = await documents.ListAsync(page?.NextCursor, limit: 200, cancellationToken);
            foreach (var document in page.Items)
            {
                yield return document;
            }
        } while (page.NextCursor is not null);
    }
}

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

using Tenancy.Adcp;
using Tenancy.State;

namespace Adcp_TenantServer.Selling;

internal static class DocumentsExtensions
{
    /// <summary>Reads those with the ids that were asked for, or a page of all.</summary>
    public static async Task<(IReadOnlyList<T> Items, PaginationResponse Next)> FindAsync<T>(
        this Documents<T> documents, IReadOnlyList<string>? ids, PaginationRequest? pagination, CancellationToken cancellationToken)
        where T : TenantDocument
    {
        if (ids is not null)
        {
            var found = await Task.WhenAll(ids.Select(id => documents.GetAsync(id, cancellationToken)));
            return ([.. found.OfType<T>()], new() { HasMore = false });
        }

        var page = await documents.ListAsync(pagination?.Cursor, pagination?.Size ?? 50, cancellationToken);
        return (page.Items, new() { HasMore = page.NextCursor is not null, Cursor = page.NextCursor });
    }

    /// <summary>Reads all documents, page by page: for lists that are searched. Lists that grow without end are paged instead.</summary>
    public static async Task<IReadOnlyList<T>> ReadAllAsync<T>(this Documents<T> documents, CancellationToken cancellationToken)
        where T : TenantDocument
    {
        List<T> all = [];
        DocumentPage<T>? page = null;
        do
        {
            page = await documents.ListAsync(page?.NextCursor, limit: 200, cancellationToken);
            all.AddRange(page.Items);
        }
        while (page.NextCursor is not null);
        return all;
    }
}

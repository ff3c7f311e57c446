using System.Globalization;
using Tenancy.Adcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>A page of a list that is numbered. The cursor is where the next one begins.</summary>
internal sealed record Page<T>(IReadOnlyList<T> Items, PaginationResponse Next);

internal static class Page
{
    public static Page<T> Of<T>(IReadOnlyList<T> all, PaginationRequest? request)
    {
        var from = From(request);
        return Of([.. all.Skip(from).Take(Size(request))], from, all.Count);
    }

    /// <summary>A page of what is counted while it goes by: no more of it is kept than the page.</summary>
    public static async Task<Page<T>> OfAsync<T>(IAsyncEnumerable<T> all, PaginationRequest? request)
    {
        var (from, count) = (From(request), 0);
        List<T> items = [];
        await foreach (var item in all)
        {
            if (count++ >= from && items.Count < Size(request))
            {
                items.Add(item);
            }
        }

        return Of(items, from, count);
    }

    private static Page<T> Of<T>(IReadOnlyList<T> items, int from, int count)
    {
        var to = from + items.Count;
        var hasMore = to < count;
        return new(
            items,
            new()
            {
                HasMore = hasMore,
                Cursor = hasMore ? to.ToString(CultureInfo.InvariantCulture) : null,
                TotalCount = count,
            }
        );
    }

    private static int From(PaginationRequest? request) =>
        int.TryParse(request?.Cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var cursor) ? cursor : 0;

    private static int Size(PaginationRequest? request) => request?.Size ?? 50;
}

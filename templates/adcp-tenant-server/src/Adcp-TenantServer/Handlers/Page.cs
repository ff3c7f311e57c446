using System.Globalization;
using Tenancy.Adcp;

namespace Adcp_TenantServer.Handlers;

/// <summary>A page of a list that is in memory. The cursor is where the next one begins.</summary>
internal sealed record Page<T>(IReadOnlyList<T> Items, PaginationResponse Next);

internal static class Page
{
    public static Page<T> Of<T>(IReadOnlyList<T> all, PaginationRequest? request)
    {
        var from = int.TryParse(request?.Cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var cursor) ? cursor : 0;
        T[] items = [.. all.Skip(from).Take(request?.Size ?? 50)];
        var to = from + items.Length;
        var hasMore = to < all.Count;
        return new(
            items,
            new()
            {
                HasMore = hasMore,
                Cursor = hasMore ? to.ToString(CultureInfo.InvariantCulture) : null,
                TotalCount = all.Count,
            }
        );
    }
}

using System.Globalization;

namespace Tenancy.Adcp;

/// <summary>A page of a list.</summary>
/// <param name="Items">What is on it.</param>
/// <param name="Next">Where the list goes on.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, PaginationResponse Next);

/// <summary>Takes pages out of lists that are numbered: the cursor is where the next page begins.</summary>
public static class Page
{
    /// <summary>Takes the page that a buyer wants.</summary>
    /// <exception cref="AdcpException">The cursor is none of such a list.</exception>
    public static Page<T> Of<T>(IReadOnlyList<T> all, PaginationRequest? request)
    {
        ArgumentNullException.ThrowIfNull(all);
        var (from, size) = (From(request), Size(request));

        // Most lists have one page.
        return Of(from == 0 && size >= all.Count ? all : [.. all.Skip(from).Take(size)], from, all.Count);
    }

    /// <summary>Takes the page that a buyer wants of what is counted while it goes by: no more of it is kept than the page.</summary>
    /// <exception cref="AdcpException">The cursor is none of such a list.</exception>
    public static async Task<Page<T>> OfAsync<T>(IAsyncEnumerable<T> all, PaginationRequest? request)
    {
        ArgumentNullException.ThrowIfNull(all);
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

    // A cursor that is not known must not begin at the first page again: a buyer would read it for ever.
    private static int From(PaginationRequest? request) =>
        request?.Cursor is not { } text ? 0
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var cursor) ? cursor
        : throw new AdcpException(AdcpError.InvalidRequest, "There is no such page: begin without a cursor.", "pagination.cursor");

    private static int Size(PaginationRequest? request) => request?.Size ?? 50;
}

using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>
/// The ids of the tenants by what an admin looks for: their health, and whether they are suspended. A page of it, and how many there are,
/// cost the same however many tenants there are.
/// </summary>
internal sealed class TenantIndex
{
    private readonly Lock _lock = new();
    private readonly SortedSet<string>[] _ids;

    public TenantIndex() =>
        _ids = [
            .. Enumerable.Range(0, 2 * Enum.GetValues<TenantHealth>().Length).Select(_ => new SortedSet<string>(StringComparer.Ordinal)),
        ];

    /// <summary>Notes that a tenant is another; null before it is there, and after it is gone.</summary>
    public void Replace(TenantModel? before, TenantModel? after)
    {
        var (left, entered) = (PlaceOf(before), PlaceOf(after));
        if (left == entered)
        {
            return;
        }

        lock (_lock)
        {
            if (left is { } from)
            {
                _ids[from].Remove(before!.Id.Value);
            }

            if (entered is { } to)
            {
                _ids[to].Add(after!.Id.Value);
            }
        }
    }

    /// <summary>How many tenants fit.</summary>
    public int Count(Func<TenantHealth, bool, bool> fits)
    {
        lock (_lock)
        {
            return Places(fits).Sum(place => _ids[place].Count);
        }
    }

    /// <summary>Gives a page of the tenants that fit, by id.</summary>
    /// <param name="fits">Whether tenants of a health fit, and whether suspended ones do.</param>
    /// <param name="after">The id that all come after; null for any.</param>
    /// <param name="take">The most ids.</param>
    /// <returns>The ids, and how many fit in all.</returns>
    public (string[] Ids, int Count) Page(Func<TenantHealth, bool, bool> fits, string? after, int take)
    {
        var (ids, count) = (new List<string>(), 0);
        lock (_lock)
        {
            foreach (var place in Places(fits))
            {
                ids.AddRange(After(_ids[place], after).Take(take));
                count += _ids[place].Count;
            }
        }

        ids.Sort(StringComparer.Ordinal);
        return ([.. ids.Take(take)], count);
    }

    private static IEnumerable<string> After(SortedSet<string> ids, string? after) =>
        after is null ? ids
        : string.CompareOrdinal(after, ids.Max) >= 0 ? []
        : ids.GetViewBetween(after, ids.Max).SkipWhile(id => id == after);

    private IEnumerable<int> Places(Func<TenantHealth, bool, bool> fits) =>
        Enumerable.Range(0, _ids.Length).Where(place => fits((TenantHealth)(place / 2), place % 2 == 1));

    private static int? PlaceOf(TenantModel? tenant) => tenant is null ? null : (2 * (int)tenant.Health) + (tenant.IsSuspended ? 1 : 0);
}

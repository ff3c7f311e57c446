using Tenancy.Configuration;

namespace Tenancy.Registry;

/// <summary>
/// The ids of the tenants by what an admin looks for: their health, whether they are suspended, and their platform. A page of it, and how
/// many there are, cost the same however many tenants there are.
/// </summary>
internal sealed class TenantIndex
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TenantPlace, SortedSet<string>> _ids = [];

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
                if (!_ids.TryGetValue(to, out var ids))
                {
                    _ids.Add(to, ids = new(StringComparer.Ordinal));
                }

                ids.Add(after!.Id.Value);
            }
        }
    }

    /// <summary>How many tenants fit.</summary>
    public int Count(Func<TenantPlace, bool> fits)
    {
        lock (_lock)
        {
            return Places(fits).Sum(ids => ids.Count);
        }
    }

    /// <summary>Gives a page of the tenants that fit, by id.</summary>
    /// <param name="fits">Which tenants fit.</param>
    /// <param name="after">The id that all come after; null for any.</param>
    /// <param name="take">The most ids.</param>
    /// <returns>The ids, and how many fit in all.</returns>
    public (string[] Ids, int Count) Page(Func<TenantPlace, bool> fits, string? after, int take)
    {
        var (found, count) = (new List<string>(), 0);
        lock (_lock)
        {
            foreach (var ids in Places(fits))
            {
                found.AddRange(After(ids, after).Take(take));
                count += ids.Count;
            }
        }

        found.Sort(StringComparer.Ordinal);
        return ([.. found.Take(take)], count);
    }

    private static IEnumerable<string> After(SortedSet<string> ids, string? after) =>
        after is null ? ids
        : string.CompareOrdinal(after, ids.Max) >= 0 ? []
        : ids.GetViewBetween(after, ids.Max).SkipWhile(id => id == after);

    private IEnumerable<SortedSet<string>> Places(Func<TenantPlace, bool> fits) =>
        _ids.Where(place => fits(place.Key)).Select(place => place.Value);

    private static TenantPlace? PlaceOf(TenantModel? tenant) =>
        tenant is null ? null : new(tenant.Health, tenant.IsSuspended, tenant.Config.Platform);
}

/// <summary>What tenants have in common that are counted and listed together.</summary>
/// <param name="Health">Their health.</param>
/// <param name="IsSuspended">Whether they are suspended.</param>
/// <param name="Platform">Their platform.</param>
internal readonly record struct TenantPlace(TenantHealth Health, bool IsSuspended, string? Platform);

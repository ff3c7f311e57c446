namespace Adcp_TenantServer.Selling;

/// <summary>Divides an amount, so that the parts add up to it exactly.</summary>
public static class Shares
{
    /// <summary>Divides an amount by weights: what is left of whole units goes where the largest fraction was cut off.</summary>
    /// <param name="amount">The amount.</param>
    /// <param name="weights">The weights; where all are 0, the parts are equal.</param>
    /// <param name="unit">What is not divided further, such as a cent.</param>
    public static IReadOnlyList<decimal> Of(decimal amount, IReadOnlyList<decimal> weights, decimal unit)
    {
        var all = weights.Sum();
        decimal[] wanted = [.. weights.Select(weight => amount * (all > 0 ? weight / all : 1m / weights.Count))];
        decimal[] parts = [.. wanted.Select(share => Math.Floor(share / unit) * unit)];
        var left = amount - parts.Sum();
        int[] places = [.. Enumerable.Range(0, parts.Length).OrderByDescending(place => wanted[place] - parts[place])];
        foreach (var place in places)
        {
            var more = Math.Min(unit, left);
            parts[place] += more;
            left -= more;
        }

        return parts;
    }
}

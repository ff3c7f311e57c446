using System.Buffers;
using System.Globalization;

namespace Tenancy.Adcp;

/// <summary>Chooses products as <c>get_products</c> asks: by filters, by refinements, and by the brief's words.</summary>
public static class ProductSearch
{
    private const int MinWord = 4;
    private const int MaxWords = 200;

    private static readonly SearchValues<char> Separators = SearchValues.Create(" ,.;:-/()\n");

    /// <summary>Gets the products that fit a request, the best first.</summary>
    /// <remarks>
    /// <para>
    /// All filters are applied. What a product itself does not tell, such as where it is seen or which catalogs it takes, is asked of
    /// <paramref name="fits"/>. Refinements are applied, too: see <see cref="Refine"/>.
    /// </para>
    /// <para>
    /// A brief is the buyer's own text. Here it only orders: products come first whose name, description or channel has words of it. One
    /// that understands more would choose better.
    /// </para>
    /// </remarks>
    /// <param name="request">The request.</param>
    /// <param name="products">All products; those that have expired are left out.</param>
    /// <param name="now">The time.</param>
    /// <param name="fits">
    /// Says whether a product fits the request's <c>catalog</c>, and those filters that are no members of a product: exposures, places,
    /// keywords, signals, exchanges, trusted match, features and performance. It is asked where the request has one of them. Where it is
    /// null, no product fits these.
    /// </param>
    /// <exception cref="AdcpException">The request contradicts itself.</exception>
    public static IReadOnlyList<Product> Find(
        GetProductsRequest request,
        IReadOnlyList<Product> products,
        DateTimeOffset now,
        Func<Product, GetProductsRequest, bool>? fits = null
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(products);
        if (request.Refine is not null && request.BuyingMode != "refine")
        {
            throw new AdcpException(AdcpError.InvalidRequest, "refine needs buying_mode refine.", "refine");
        }

        IEnumerable<Product> found = Sold(products, now);
        if (request.Filters is { } filters)
        {
            Check(filters);
            found = found.Where(product => Fits(product, filters));
        }

        if (request.RequiredPolicies is { } policies)
        {
            found = found.Where(product => policies.All(policy => product.EnforcedPolicies?.Contains(policy) is true));
        }

        if (request.Catalog is not null || request.Filters is { NeedsMore: true })
        {
            found = found.Where(product => fits?.Invoke(product, request) is true);
        }

        if (request.Refine is { } refinements)
        {
            var omitted = refinements
                .Where(wish => wish is { Scope: "product", Action: "omit" })
                .Select(wish => wish.ProductId)
                .ToHashSet();
            found = found.Where(product => !omitted.Contains(product.ProductId));
        }

        if (request.PreferredDeliveryTypes is { } preferred)
        {
            found = found.OrderBy(product => Place(preferred, product.DeliveryType));
        }
        else if (request.Brief is { Length: > 0 } brief && products.Count > 1)
        {
            return OrderByWords(ReferenceEquals(found, products) ? products : [.. found], brief);
        }

        return ReferenceEquals(found, products) ? products : [.. found];
    }

    /// <summary>Says what became of each refinement of a request, for <see cref="GetProductsResponse.RefinementApplied"/>.</summary>
    /// <returns>Null where the request has none.</returns>
    /// <remarks>
    /// Products are left out or kept as asked. What a buyer asks for in words, and proposals, are answered as not possible.
    /// </remarks>
    public static IReadOnlyList<RefinementResult>? Refine(GetProductsRequest request, IReadOnlyList<Product> products, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(products);
        return request.Refine is { } refinements ? [.. refinements.Select(wish => Answer(wish, Sold(products, now)))] : null;
    }

    // Most products never expire: then the list stays what it is.
    private static IReadOnlyList<Product> Sold(IReadOnlyList<Product> products, DateTimeOffset now)
    {
        for (var place = 0; place < products.Count; place++)
        {
            if (products[place].HasExpired(now))
            {
                return Unexpired(products, now);
            }
        }

        return products;
    }

    private static IReadOnlyList<Product> Unexpired(IReadOnlyList<Product> products, DateTimeOffset now) =>
        [.. products.Where(product => !product.HasExpired(now))];

    private static RefinementResult Answer(Refinement wish, IReadOnlyList<Product> products)
    {
        var (status, notes) = wish switch
        {
            { Scope: "product" } when products.All(product => product.ProductId != wish.ProductId) => (
                "unable",
                "There is no such product."
            ),
            { Scope: "product", Action: "omit" } => ("applied", null),
            { Scope: "product", Action: "more_like_this" } => ("partial", "The product is here; others are not chosen by it."),
            { Scope: "product", Ask: not null } => ("partial", "The product is here, as it is sold to everybody."),
            { Scope: "product" } => ("applied", null),
            { Scope: "proposal" } => ("unable", "This seller makes no proposals."),
            _ => ("unable", "Ask by filters: this seller does not read what is asked in words."),
        };
        return new()
        {
            Scope = wish.Scope,
            ProductId = wish.Scope == "product" ? wish.ProductId : null,
            ProposalId = wish.Scope == "proposal" ? wish.ProposalId : null,
            Status = status,
            Notes = notes,
        };
    }

    private static void Check(ProductFilters filters)
    {
        var (start, end) = (Day(filters.StartDate, "filters.start_date"), Day(filters.EndDate, "filters.end_date"));
        if (end < start)
        {
            throw new AdcpException(AdcpError.InvalidRequest, "end_date must not be before start_date.", "filters.end_date");
        }
    }

    private static bool Fits(Product product, ProductFilters filters) =>
        (filters.DeliveryType ?? product.DeliveryType) == product.DeliveryType
        && (filters.IsFixedPrice is not { } isFixed || product.PricingOptions.Any(option => (option.FixedPrice is not null) == isFixed))
        && filters.Channels?.Any(channel => product.Channels?.Contains(channel) is true) is not false
        && filters.FormatIds?.Any(format => product.FormatIds.Any(format.IsSameAs)) is not false
        && (filters.Exclusivity is not { } exclusivity || (product.Exclusivity ?? "none") == exclusivity)
        && (filters.StandardFormatsOnly is not true || product.FormatIds.Any(IsStandard))
        && (filters.BudgetRange is not { } budget || product.PricingOptions.Any(option => Fits(option, budget)))
        && (
            product.ExpiresAt is not { } expiry
            || (Day(filters.EndDate, "filters.end_date") ?? Day(filters.StartDate, "filters.start_date")) is not { } last
            || last.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc) <= expiry.UtcDateTime
        );

    // The formats of AdCP's reference agent are the IAB's.
    private static bool IsStandard(FormatId format) => format.AgentUrl.TrimEnd('/') == "https://creative.adcontextprotocol.org";

    private static bool Fits(PricingOption option, BudgetRange budget) =>
        option.Currency == budget.Currency && OrderRules.LeastBudget(option) <= (budget.Max ?? decimal.MaxValue);

    private static DateOnly? Day(string? text, string field) =>
        text is null ? null
        : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day
        : throw new AdcpException(AdcpError.InvalidRequest, $"{text} is no day: write it as 2026-01-31.", field);

    private static int Place(IReadOnlyList<DeliveryType> preferred, DeliveryType type)
    {
        for (var place = 0; place < preferred.Count; place++)
        {
            if (preferred[place] == type)
            {
                return place;
            }
        }

        return preferred.Count;
    }

    // Those of one score stay in their order.
    private static Product[] OrderByWords(IReadOnlyList<Product> products, string brief)
    {
        Span<Range> buffer = stackalloc Range[MaxWords];
        var words = buffer[..FindWords(brief, buffer)];
        var ordered = new Product[products.Count];
        var places = new long[products.Count];
        for (var index = 0; index < ordered.Length; index++)
        {
            ordered[index] = products[index];
            places[index] = ((long)-Score(products[index], brief, words) << 32) | (uint)index;
        }

        Array.Sort(places, ordered);
        return ordered;
    }

    // Each word once, however often it is there. No text is made of them: nearly every buyer's read has a brief.
    private static int FindWords(ReadOnlySpan<char> brief, Span<Range> words)
    {
        var count = 0;
        foreach (var range in brief.SplitAny(Separators))
        {
            var word = brief[range];
            if (word.Length < MinWord || Contains(brief, words[..count], word))
            {
                continue;
            }

            words[count++] = range;
            if (count == words.Length)
            {
                break;
            }
        }

        return count;
    }

    private static bool Contains(ReadOnlySpan<char> brief, ReadOnlySpan<Range> words, ReadOnlySpan<char> word)
    {
        foreach (var range in words)
        {
            if (brief[range].Equals(word, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static int Score(Product product, ReadOnlySpan<char> brief, ReadOnlySpan<Range> words)
    {
        var score = 0;
        foreach (var range in words)
        {
            if (Has(product, brief[range]))
            {
                score++;
            }
        }

        return score;
    }

    private static bool Has(Product product, ReadOnlySpan<char> word)
    {
        if (
            product.Name.AsSpan().Contains(word, StringComparison.OrdinalIgnoreCase)
            || product.Description.AsSpan().Contains(word, StringComparison.OrdinalIgnoreCase)
        )
        {
            return true;
        }

        for (var index = 0; index < product.Channels?.Count; index++)
        {
            if (product.Channels[index].AsSpan().Equals(word, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}

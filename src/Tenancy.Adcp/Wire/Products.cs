using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Adcp;

/// <summary>Asks for products.</summary>
public record GetProductsRequest : AdcpRequest, IAccountRequest
{
    /// <summary>Gets what the buyer wants: <c>brief</c>, <c>wholesale</c> or <c>refine</c>. Default: brief.</summary>
    [AllowedValues("brief", "wholesale", "refine", null)]
    [Description("brief: products for the brief. wholesale: all products. refine: changes to an earlier answer.")]
    public string? BuyingMode { get; init; }

    /// <summary>Gets the campaign in the buyer's words.</summary>
    [Description("The campaign in your own words.")]
    public string? Brief { get; init; }

    /// <summary>Gets what is to be changed about an earlier answer, where the mode is <c>refine</c>.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<Refinement>? Refine { get; init; }

    /// <summary>Gets which products are wanted.</summary>
    public ProductFilters? Filters { get; init; }

    /// <summary>Gets how delivery should be, the best first: such products come first.</summary>
    [MinLength(1)]
    [MaxLength(10)]
    public IReadOnlyList<DeliveryType>? PreferredDeliveryTypes { get; init; }

    /// <summary>Gets the properties that products have to run on; see <see cref="IListResolver"/>.</summary>
    public ListReference? PropertyList { get; init; }

    /// <summary>
    /// Gets what the buyer wants to promote: a catalog, or items of one. A product fits that takes such a catalog; see
    /// <see cref="ProductSearch"/>.
    /// </summary>
    public JsonElement? Catalog { get; init; }

    /// <summary>Gets the policies that a product has to keep; see <see cref="Product.EnforcedPolicies"/>.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? RequiredPolicies { get; init; }

    /// <summary>
    /// Gets within which time the buyer wants an answer. A seller that answers with all there is has nothing to leave out.
    /// </summary>
    public JsonElement? TimeBudget { get; init; }

    /// <summary>Gets the brand that is advertised.</summary>
    public BrandReference? Brand { get; init; }

    /// <summary>Gets the account whose prices are wanted.</summary>
    public AccountReference? Account { get; init; }

    AccountUse IAccountRequest.Use => AccountUse.Discover;

    /// <summary>Gets which page is wanted.</summary>
    public PaginationRequest? Pagination { get; init; }
}

/// <summary>Which products are wanted: those that fit all of it.</summary>
public sealed record ProductFilters : AdcpObject
{
    /// <summary>Gets whether delivery has to be guaranteed, or not.</summary>
    public DeliveryType? DeliveryType { get; init; }

    /// <summary>Gets whether there has to be a fixed price, or an auction.</summary>
    public bool? IsFixedPrice { get; init; }

    /// <summary>Gets the channels, one of which is enough.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? Channels { get; init; }

    /// <summary>Gets the creative formats, one of which is enough.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<FormatId>? FormatIds { get; init; }

    /// <summary>Gets the budget that there is for a package. It filters by prices: a caller without credentials is refused.</summary>
    public BudgetRange? BudgetRange { get; init; }

    /// <summary>Gets the first day on which the product has to run.</summary>
    [RegularExpression(WirePatterns.Date)]
    public string? StartDate { get; init; }

    /// <summary>Gets the last day on which the product has to run.</summary>
    [RegularExpression(WirePatterns.Date)]
    public string? EndDate { get; init; }

    /// <summary>Gets how many advertisers share the product: <c>none</c>, <c>category</c> or <c>exclusive</c>.</summary>
    [AllowedValues("none", "category", "exclusive", null)]
    public string? Exclusivity { get; init; }

    /// <summary>Gets whether it has to take formats of the IAB's, as AdCP's reference agent has them.</summary>
    public bool? StandardFormatsOnly { get; init; }

    /// <summary>Gets how often an ad has to be shown at least.</summary>
    [Range(1, Amounts.Most)]
    public decimal? MinExposures { get; init; }

    /// <summary>Gets the countries in which it is seen (ISO 3166-1), such as <c>DE</c>.</summary>
    [MinLength(1)]
    [MaxLength(300)]
    public IReadOnlyList<string>? Countries { get; init; }

    /// <summary>Gets the regions in which it is seen (ISO 3166-2), such as <c>DE-BE</c>.</summary>
    [MinLength(1)]
    [MaxLength(1000)]
    public IReadOnlyList<string>? Regions { get; init; }

    /// <summary>Gets the metropolitan areas in which it is seen, each with its system and code.</summary>
    public JsonElement? Metros { get; init; }

    /// <summary>Gets the postal areas in which it is seen, each with its system and values.</summary>
    public JsonElement? PostalAreas { get; init; }

    /// <summary>Gets the places near which it is seen.</summary>
    public JsonElement? GeoProximity { get; init; }

    /// <summary>Gets by which places the seller can aim it, each with its level and system.</summary>
    public JsonElement? RequiredGeoTargeting { get; init; }

    /// <summary>Gets the words by which it can be found, each with how closely it is meant.</summary>
    public JsonElement? Keywords { get; init; }

    /// <summary>Gets the signals by which it can be aimed.</summary>
    public JsonElement? SignalTargeting { get; init; }

    /// <summary>Gets the exchanges through which it is sold, by their URLs.</summary>
    public JsonElement? RequiredAxeIntegrations { get; init; }

    /// <summary>Gets what of trusted match it has.</summary>
    public JsonElement? TrustedMatch { get; init; }

    /// <summary>Gets what the seller has to be able to do, each as <c>true</c>.</summary>
    public JsonElement? RequiredFeatures { get; init; }

    /// <summary>Gets what it has to perform, each with its metric and threshold.</summary>
    public JsonElement? RequiredPerformanceStandards { get; init; }

    /// <summary>Gets whether it filters by what no product tells of itself, so that the seller has to say which ones fit.</summary>
    [JsonIgnore]
    public bool NeedsMore =>
        MinExposures is not null
        || Countries is not null
        || Regions is not null
        || Metros is not null
        || PostalAreas is not null
        || GeoProximity is not null
        || RequiredGeoTargeting is not null
        || Keywords is not null
        || SignalTargeting is not null
        || RequiredAxeIntegrations is not null
        || TrustedMatch is not null
        || RequiredPerformanceStandards is not null
        || NeedsFeature;

    // AdCP: only features that are true count.
    private bool NeedsFeature =>
        RequiredFeatures is { ValueKind: JsonValueKind.Object } features
        && features.EnumerateObject().Any(feature => feature.Value.ValueKind == JsonValueKind.True);
}

/// <summary>A budget.</summary>
public sealed record BudgetRange : AdcpObject
{
    /// <summary>Gets the currency (ISO 4217).</summary>
    [RegularExpression(WirePatterns.Currency)]
    public required string Currency { get; init; }

    /// <summary>Gets the least.</summary>
    [Range(0, Amounts.Most)]
    public decimal? Min { get; init; }

    /// <summary>Gets the most.</summary>
    [Range(0, Amounts.Most)]
    public decimal? Max { get; init; }
}

/// <summary>What is to be changed about an earlier answer.</summary>
public sealed record Refinement : AdcpObject
{
    /// <summary>Gets what it is about: <c>request</c>, <c>product</c> or <c>proposal</c>.</summary>
    [AllowedValues("request", "product", "proposal")]
    public required string Scope { get; init; }

    /// <summary>Gets the product.</summary>
    public string? ProductId { get; init; }

    /// <summary>Gets the proposal.</summary>
    public string? ProposalId { get; init; }

    /// <summary>
    /// Gets what is to be done with it: <c>include</c>, <c>omit</c>, <c>more_like_this</c> or <c>finalize</c>. Default: include.
    /// </summary>
    [AllowedValues("include", "omit", "more_like_this", "finalize", null)]
    public string? Action { get; init; }

    /// <summary>Gets what is wanted, in the buyer's words.</summary>
    public string? Ask { get; init; }
}

/// <summary>What became of a wish to change an earlier answer.</summary>
public sealed record RefinementResult
{
    /// <summary>Gets what it was about.</summary>
    public required string Scope { get; init; }

    /// <summary>Gets the product.</summary>
    public string? ProductId { get; init; }

    /// <summary>Gets the proposal.</summary>
    public string? ProposalId { get; init; }

    /// <summary>Gets whether it was done: <c>applied</c>, <c>partial</c> or <c>unable</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Gets why it was not.</summary>
    public string? Notes { get; init; }
}

/// <summary>The products that a seller offers.</summary>
public sealed record GetProductsResponse : AdcpResponse, IPricedResponse, ISandboxResponse
{
    /// <summary>Gets the products.</summary>
    public required IReadOnlyList<Product> Products { get; set; }

    /// <summary>Gets where the list goes on.</summary>
    public PaginationResponse? Pagination { get; init; }

    /// <summary>Gets whether the products are those of the list of properties that the request names.</summary>
    public bool? PropertyListApplied { get; init; }

    /// <summary>Gets whether the products are those that take the catalog that the request names.</summary>
    public bool? CatalogApplied { get; init; }

    /// <summary>Gets what became of each refinement of the request, in the same order.</summary>
    public IReadOnlyList<RefinementResult>? RefinementApplied { get; init; }

    /// <inheritdoc/>
    public bool? Sandbox { get; set; }

    /// <inheritdoc/>
    // AdCP has no product without a pricing option, and options without amounts.
    public void RemovePrices() =>
        Products = [
            .. Products.Select(product =>
                product with
                {
                    PricingOptions =
                    [
                        .. product.PricingOptions.Select(option => new PricingOption
                        {
                            PricingOptionId = option.PricingOptionId,
                            PricingModel = option.PricingModel,
                            Currency = option.Currency,
                        }),
                    ],
                }
            ),
        ];
}

/// <summary>Something that can be bought.</summary>
public sealed record Product : AdcpObject
{
    /// <summary>Gets the product's id.</summary>
    public required string ProductId { get; init; }

    /// <summary>Gets the product's name.</summary>
    public required string Name { get; init; }

    /// <summary>Gets what it is, for people and models.</summary>
    public required string Description { get; init; }

    /// <summary>Gets where it runs.</summary>
    [MinLength(1)]
    public required IReadOnlyList<PublisherProperties> PublisherProperties { get; init; }

    /// <summary>Gets the channels, such as <c>display</c> or <c>olv</c>.</summary>
    public IReadOnlyList<string>? Channels { get; init; }

    /// <summary>Gets the creative formats that it takes.</summary>
    public required IReadOnlyList<FormatId> FormatIds { get; init; }

    /// <summary>Gets whether delivery is guaranteed.</summary>
    public required DeliveryType DeliveryType { get; init; }

    /// <summary>Gets the prices; one at least.</summary>
    [MinLength(1)]
    public required IReadOnlyList<PricingOption> PricingOptions { get; init; }

    /// <summary>Gets what is reported of a running buy.</summary>
    public required ReportingCapabilities ReportingCapabilities { get; init; }

    /// <summary>Gets how many advertisers share it: <c>none</c>, <c>category</c> or <c>exclusive</c>. Default: none.</summary>
    public string? Exclusivity { get; init; }

    /// <summary>Gets the policies that are kept wherever it runs, by their ids.</summary>
    public IReadOnlyList<string>? EnforcedPolicies { get; init; }

    /// <summary>Gets when it is over; null where it is sold without end.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Gets how delivery is measured where a buyer asks for nothing else.</summary>
    public MeasurementTerms? MeasurementTerms { get; init; }

    /// <summary>Says whether it is sold no more.</summary>
    public bool HasExpired(DateTimeOffset now) => ExpiresAt <= now;
}

/// <summary>A publisher's inventory.</summary>
public sealed record PublisherProperties : AdcpObject
{
    /// <summary>Gets the publisher's domain.</summary>
    [RegularExpression(WirePatterns.Domain)]
    public required string PublisherDomain { get; init; }

    /// <summary>Gets how the inventory is chosen; <c>all</c> for all of it.</summary>
    public string SelectionType { get; init; } = "all";
}

/// <summary>A creative format, by the agent that defines it.</summary>
public sealed record FormatId : AdcpObject
{
    /// <summary>Gets the URL of the agent that defines the format.</summary>
    public required string AgentUrl { get; init; }

    /// <summary>Gets the format's id.</summary>
    [RegularExpression("^[a-zA-Z0-9_-]+$")]
    public required string Id { get; init; }

    /// <summary>Gets how wide it is, in pixels, where the format comes in several sizes.</summary>
    public int? Width { get; init; }

    /// <summary>Gets how high it is, in pixels, where the format comes in several sizes.</summary>
    public int? Height { get; init; }

    /// <summary>Gets how long it takes, in milliseconds, where the format comes in several lengths.</summary>
    public decimal? DurationMs { get; init; }

    /// <summary>
    /// Says whether both mean the same format. A slash at the end of the agent's URL makes no difference, and neither does a measure that
    /// only one of them has.
    /// </summary>
    public bool IsSameAs(FormatId other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Id == other.Id
            && AgentUrl.AsSpan().TrimEnd('/').SequenceEqual(other.AgentUrl.AsSpan().TrimEnd('/'))
            && (Width ?? other.Width) == (other.Width ?? Width)
            && (Height ?? other.Height) == (other.Height ?? Height)
            && (DurationMs ?? other.DurationMs) == (other.DurationMs ?? DurationMs);
    }
}

/// <summary>Whether delivery is guaranteed.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeliveryType>))]
public enum DeliveryType
{
    /// <summary>An auction decides.</summary>
    [JsonStringEnumMemberName("non_guaranteed")]
    NonGuaranteed,

    /// <summary>The inventory is reserved.</summary>
    [JsonStringEnumMemberName("guaranteed")]
    Guaranteed,
}

/// <summary>A price.</summary>
public sealed record PricingOption : AdcpObject
{
    /// <summary>Gets the option's id.</summary>
    public required string PricingOptionId { get; init; }

    /// <summary>Gets the model, such as <c>cpm</c>: per thousand impressions.</summary>
    public required string PricingModel { get; init; }

    /// <summary>Gets the currency (ISO 4217).</summary>
    [RegularExpression(WirePatterns.Currency)]
    public required string Currency { get; init; }

    /// <summary>Gets the fixed price.</summary>
    [Range(0, double.MaxValue)]
    public decimal? FixedPrice { get; init; }

    /// <summary>Gets the least bid.</summary>
    [Range(0, double.MaxValue)]
    public decimal? FloorPrice { get; init; }

    /// <summary>Gets the least budget of a package.</summary>
    [Range(0, double.MaxValue)]
    public decimal? MinSpendPerPackage { get; init; }
}

/// <summary>What is reported of a running buy.</summary>
public sealed record ReportingCapabilities : AdcpObject
{
    /// <summary>Gets how often it is reported.</summary>
    public IReadOnlyList<string> AvailableReportingFrequencies { get; init; } = ["daily"];

    /// <summary>Gets the delay of a report, in minutes.</summary>
    public int ExpectedDelayMinutes { get; init; } = 240;

    /// <summary>Gets the time zone of reports (IANA).</summary>
    public string Timezone { get; init; } = "UTC";

    /// <summary>Gets whether reports can be sent to the buyer.</summary>
    public bool SupportsWebhooks { get; init; }

    /// <summary>Gets what is measured.</summary>
    public IReadOnlyList<string> AvailableMetrics { get; init; } = ["impressions", "spend"];

    /// <summary>Gets which days can be asked for: <c>date_range</c> or <c>lifetime_only</c>.</summary>
    public string DateRangeSupport { get; init; } = "date_range";

    /// <summary>Gets how long after an ad was shown it can count; null where it counts at once.</summary>
    public IReadOnlyList<MeasurementWindow>? MeasurementWindows { get; init; }
}

/// <summary>How long after an ad was shown it counts.</summary>
public sealed record MeasurementWindow : AdcpObject
{
    /// <summary>Gets its name, such as <c>live</c>, <c>c3</c> or <c>c7</c>.</summary>
    [MaxLength(50)]
    public required string WindowId { get; init; }

    /// <summary>Gets the days; 0 for what counts at once.</summary>
    [Range(0, int.MaxValue)]
    public required int DurationDays { get; init; }
}

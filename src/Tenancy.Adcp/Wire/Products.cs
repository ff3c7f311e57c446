using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Adcp;

/// <summary>Asks for products.</summary>
public sealed record GetProductsRequest : AdcpRequest, IAccountRequest
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
    public IReadOnlyList<JsonElement>? Refine { get; init; }

    /// <summary>Gets the brand that is advertised.</summary>
    public BrandReference? Brand { get; init; }

    /// <summary>Gets the account whose prices are wanted.</summary>
    public AccountReference? Account { get; init; }

    /// <summary>Gets which page is wanted.</summary>
    public PaginationRequest? Pagination { get; init; }
}

/// <summary>The products that a seller offers.</summary>
public sealed record GetProductsResponse : AdcpResponse, IPricedResponse
{
    /// <summary>Gets the products.</summary>
    public required IReadOnlyList<Product> Products { get; set; }

    /// <summary>Gets where the list goes on.</summary>
    public PaginationResponse? Pagination { get; init; }

    /// <inheritdoc/>
    public void RemovePrices() => Products = [.. Products.Select(product => product with { PricingOptions = [] })];
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

    /// <summary>Gets the prices.</summary>
    public required IReadOnlyList<PricingOption> PricingOptions { get; init; }

    /// <summary>Gets what is reported of a running buy.</summary>
    public required ReportingCapabilities ReportingCapabilities { get; init; }
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
}

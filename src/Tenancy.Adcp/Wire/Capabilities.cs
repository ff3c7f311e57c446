using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace Tenancy.Adcp;

/// <summary>Asks what a seller can do.</summary>
public sealed record GetAdcpCapabilitiesRequest : AdcpRequest
{
    /// <summary>Gets the protocols that the buyer asks about; all where it is left out.</summary>
    [MinLength(1)]
    [MaxLength(100)]
    public IReadOnlyList<string>? Protocols { get; init; }
}

/// <summary>What a seller can do.</summary>
public sealed record GetAdcpCapabilitiesResponse : AdcpResponse
{
    /// <summary>Gets which AdCP it speaks.</summary>
    public required AdcpVersions Adcp { get; init; }

    /// <summary>Gets the protocols whose tools are there, such as <c>media_buy</c>; none where no tool of AdCP's is.</summary>
    public required IReadOnlyList<string> SupportedProtocols { get; init; }

    /// <summary>Gets how accounts work.</summary>
    public AccountCapabilities? Account { get; init; }

    /// <summary>Gets how media is sold.</summary>
    public MediaBuyCapabilities? MediaBuy { get; init; }

    /// <summary>Gets what can be simulated; only in test mode.</summary>
    public TestCapabilities? ComplianceTesting { get; init; }

    /// <summary>Gets the kinds of seller that it is, such as <c>sales-non-guaranteed</c>.</summary>
    public IReadOnlyList<string>? Specialisms { get; init; }
}

/// <summary>Which AdCP a seller speaks.</summary>
public sealed record AdcpVersions
{
    /// <summary>Gets the major versions.</summary>
    public required IReadOnlyList<int> MajorVersions { get; init; }

    /// <summary>Gets the releases that answers are of.</summary>
    public IReadOnlyList<string>? SupportedVersions { get; init; }

    /// <summary>Gets how requests are kept from running twice.</summary>
    public required IdempotencyCapabilities Idempotency { get; init; }
}

/// <summary>How requests are kept from running twice.</summary>
public sealed record IdempotencyCapabilities
{
    /// <summary>Gets whether they are.</summary>
    public required bool Supported { get; init; }

    /// <summary>Gets how long an answer is replayed, in seconds.</summary>
    public required int ReplayTtlSeconds { get; init; }

    /// <summary>Gets whether nobody can guess an account's id from what it is for.</summary>
    public bool? AccountIdIsOpaque { get; init; }
}

/// <summary>How accounts work.</summary>
public sealed record AccountCapabilities
{
    /// <summary>Gets who can be invoiced.</summary>
    public required IReadOnlyList<string> SupportedBilling { get; init; }

    /// <summary>Gets whether there are accounts for tests, with which nothing is ordered or billed.</summary>
    public bool? Sandbox { get; init; }
}

/// <summary>How media is sold.</summary>
public sealed record MediaBuyCapabilities : AdcpObject
{
    /// <summary>Gets what it does beside what every seller does.</summary>
    public MediaBuyFeatures? Features { get; init; }

    /// <summary>Gets the models of prices.</summary>
    public IReadOnlyList<string>? SupportedPricingModels { get; init; }

    /// <summary>Gets what is sold.</summary>
    public PortfolioCapabilities? Portfolio { get; init; }
}

/// <summary>What a seller does beside what every seller does.</summary>
public sealed record MediaBuyFeatures : AdcpObject
{
    /// <summary>Gets whether products are chosen by buyers' lists of properties.</summary>
    public bool? PropertyListFiltering { get; init; }
}

/// <summary>What is sold.</summary>
public sealed record PortfolioCapabilities
{
    /// <summary>Gets the publishers' domains.</summary>
    public required IReadOnlyList<string> PublisherDomains { get; init; }

    /// <summary>Gets the channels.</summary>
    public IReadOnlyList<string>? PrimaryChannels { get; init; }
}

/// <summary>What can be simulated.</summary>
public sealed record TestCapabilities
{
    /// <summary>Gets the scenarios of <c>comply_test_controller</c>.</summary>
    public required IReadOnlyList<string> Scenarios { get; init; }
}

/// <summary>Prepares or simulates something; only in test mode.</summary>
public sealed record TestControllerRequest : AdcpRequest
{
    /// <summary>Gets what is to be done, such as <c>simulate_delivery</c>.</summary>
    public required string Scenario { get; init; }

    /// <summary>Gets the account that something is prepared in. In test mode all accounts of a caller have it.</summary>
    public AccountReference? Account { get; init; }

    /// <summary>Gets whether something is prepared, rather than changed.</summary>
    internal bool IsSeed => Scenario.StartsWith("seed_", StringComparison.Ordinal);

    /// <summary>Gets with what.</summary>
    public TestParameters? Params { get; init; }
}

/// <summary>What is prepared or simulated.</summary>
public sealed record TestParameters : AdcpObject
{
    /// <summary>Gets the account.</summary>
    public string? AccountId { get; init; }

    /// <summary>Gets the creative.</summary>
    public string? CreativeId { get; init; }

    /// <summary>Gets the media buy.</summary>
    public string? MediaBuyId { get; init; }

    /// <summary>Gets the product.</summary>
    public string? ProductId { get; init; }

    /// <summary>Gets the price.</summary>
    public string? PricingOptionId { get; init; }

    /// <summary>Gets the new status.</summary>
    public string? Status { get; init; }

    /// <summary>Gets why it is rejected, where the new status says so.</summary>
    public string? RejectionReason { get; init; }

    /// <summary>Gets how often ads were shown.</summary>
    [Range(0, Amounts.Most)]
    public decimal? Impressions { get; init; }

    /// <summary>Gets how often they were clicked.</summary>
    [Range(0, Amounts.Most)]
    public decimal? Clicks { get; init; }

    /// <summary>Gets what it cost.</summary>
    public Money? ReportedSpend { get; init; }

    /// <summary>Gets how much of the budget is spent, in percent.</summary>
    [Range(0, 100)]
    public decimal? SpendPercentage { get; init; }

    /// <summary>Gets the fields of what is prepared.</summary>
    public JsonElement? Fixture { get; init; }
}

/// <summary>An amount of money.</summary>
public sealed record Money
{
    /// <summary>Gets the amount.</summary>
    [Range(0, Amounts.Most)]
    public required decimal Amount { get; init; }

    /// <summary>Gets the currency (ISO 4217).</summary>
    public required string Currency { get; init; }
}

/// <summary>What was prepared or simulated.</summary>
public sealed record TestControllerResponse : AdcpResponse
{
    /// <summary>Gets whether it was.</summary>
    public required bool Success { get; init; }

    /// <summary>Gets the scenarios that there are.</summary>
    public IReadOnlyList<string>? Scenarios { get; init; }

    /// <summary>Gets the status before.</summary>
    public string? PreviousState { get; init; }

    /// <summary>Gets the status now.</summary>
    public string? CurrentState { get; init; }

    /// <summary>Gets what was done.</summary>
    public string? Message { get; init; }

    /// <summary>Gets what was simulated.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Simulated { get; init; }

    /// <summary>Gets why it was not.</summary>
    public string? Error { get; init; }

    /// <summary>Gets why it was not, for people.</summary>
    public string? ErrorDetail { get; init; }
}

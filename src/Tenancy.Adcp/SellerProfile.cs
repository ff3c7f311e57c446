namespace Tenancy.Adcp;

/// <summary>A platform that tells what kind of seller its tenants are; <c>get_adcp_capabilities</c> answers it.</summary>
public interface ISellerProfile
{
    /// <summary>Gets what the tenant sells, and how.</summary>
    SellerProfile Profile { get; }
}

/// <summary>What a tenant sells, and how.</summary>
public sealed record SellerProfile
{
    /// <summary>Gets the domains of the publishers whose inventory is sold.</summary>
    public IReadOnlyList<string> PublisherDomains { get; init; } = [];

    /// <summary>Gets the channels, such as <c>display</c>.</summary>
    public IReadOnlyList<string> Channels { get; init; } = [];

    /// <summary>Gets the models of prices, such as <c>cpm</c>.</summary>
    public IReadOnlyList<string> PricingModels { get; init; } = [];

    /// <summary>Gets the kinds of seller that it is, such as <c>sales-non-guaranteed</c>. A checker holds it to each of them.</summary>
    public IReadOnlyList<string> Specialisms { get; init; } = [];

    /// <summary>Gets what one account of a caller covers. Default: one brand by one operator.</summary>
    public AccountScope AccountScope { get; init; }

    /// <summary>Gets who can be invoiced: <c>operator</c>, <c>agent</c>, <c>advertiser</c>. Default: the operator.</summary>
    public IReadOnlyList<string> Billing { get; init; } = ["operator"];

    /// <summary>Gets the scenarios of its <c>comply_test_controller</c> that simulate something; told in test mode only.</summary>
    public IReadOnlyList<string> TestScenarios { get; init; } = [];
}

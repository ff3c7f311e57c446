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

    /// <summary>
    /// Gets who can be invoiced: <c>operator</c>, <c>agent</c>, <c>advertiser</c>. Default: the operator. An account with another billing
    /// is not opened.
    /// </summary>
    public IReadOnlyList<string> Billing { get; init; } = ["operator"];

    /// <summary>
    /// Gets when can be paid, such as <c>net_30</c>; all that AdCP has where it is empty. Default: empty. An account with other terms is
    /// not opened.
    /// </summary>
    public IReadOnlyList<string> PaymentTerms { get; init; } = [];

    /// <summary>
    /// Gets whether buyers can have accounts for tests. Its handlers order and bill nothing where <c>ToolContext.IsSandbox</c> says that
    /// the account is one. Default: false; a request for such an account is refused.
    /// </summary>
    public bool Sandbox { get; init; }

    /// <summary>Gets how accounts come to be. Default: by <c>sync_accounts</c>.</summary>
    public AccountOpening AccountOpening { get; init; }

    /// <summary>Gets how a new account begins. Default: it can be used at once.</summary>
    public NewAccounts NewAccounts { get; init; } = new();

    /// <summary>Gets the scenarios of its <c>comply_test_controller</c> that simulate something; told in test mode only.</summary>
    public IReadOnlyList<string> TestScenarios { get; init; } = [];
}

/// <summary>How a new account begins.</summary>
public sealed record NewAccounts
{
    /// <summary>Gets where it stands. Default: active.</summary>
    public AccountStatus Status { get; init; }

    /// <summary>Gets when is paid where the buyer proposes no terms, such as <c>net_30</c>. Default: nothing is said of it.</summary>
    public string? PaymentTerms { get; init; }

    /// <summary>
    /// Gets how much may be ordered before something is paid; see <see cref="IBudgetAuthority"/>. Default: without a limit.
    /// </summary>
    public Money? CreditLimit { get; init; }

    /// <summary>Gets what a buyer does before an account can be used that waits for the seller's approval.</summary>
    public AccountSetup? Setup { get; init; }
}

/// <summary>How accounts come to be.</summary>
public enum AccountOpening
{
    /// <summary>A buyer opens them by <c>sync_accounts</c>; a request that names another one is refused.</summary>
    BySync,

    /// <summary>
    /// As <see cref="BySync"/>, and by the first request that changes something and names a brand and its operator: together with what it
    /// changes, so that one that is refused opens nothing. A request that reads sees an account that has nothing in it. Where a buyer has
    /// to choose who is invoiced, or the seller to approve of the account first, it is opened by <c>sync_accounts</c> alone.
    /// </summary>
    OnFirstUse,
}

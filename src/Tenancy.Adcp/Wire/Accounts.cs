using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Adcp;

/// <summary>Opens accounts, or changes them.</summary>
public record SyncAccountsRequest : AdcpRequest, IIdempotentRequest
{
    /// <inheritdoc/>
    [Description("A fresh random key for each new request; the same one for a retry. 16 to 255 characters.")]
    public required string IdempotencyKey { get; init; }

    /// <summary>Gets the accounts.</summary>
    [MaxLength(1000)]
    public required IReadOnlyList<AccountSync> Accounts { get; init; }

    /// <summary>Gets whether nothing is to be changed.</summary>
    public bool? DryRun { get; init; }
}

/// <summary>An account that is to be there.</summary>
public sealed record AccountSync : AdcpObject
{
    /// <summary>Gets the brand that the account is for.</summary>
    public required BrandReference Brand { get; init; }

    /// <summary>Gets the domain of whoever operates it for the brand.</summary>
    [RegularExpression(WirePatterns.Domain)]
    public required string Operator { get; init; }

    /// <summary>Gets who is invoiced: <c>operator</c>, <c>agent</c> or <c>advertiser</c>.</summary>
    [AllowedValues("operator", "agent", "advertiser")]
    public required string Billing { get; init; }

    /// <summary>Gets when is paid, such as <c>net_30</c>.</summary>
    [AllowedValues("net_15", "net_30", "net_45", "net_60", "net_90", "prepay", null)]
    public string? PaymentTerms { get; init; }

    /// <summary>Gets whether the account is for tests.</summary>
    public bool? Sandbox { get; init; }
}

/// <summary>What became of the accounts.</summary>
public sealed record SyncAccountsResponse : AdcpResponse
{
    /// <summary>Gets each account.</summary>
    public required IReadOnlyList<AccountResult> Accounts { get; init; }

    /// <summary>Gets whether nothing was changed.</summary>
    public bool? DryRun { get; init; }
}

/// <summary>What became of an account.</summary>
public sealed record AccountResult : AdcpObject
{
    /// <summary>Gets its id.</summary>
    public string? AccountId { get; init; }

    /// <summary>Gets the brand that it is for.</summary>
    public required BrandReference Brand { get; init; }

    /// <summary>Gets the domain of whoever operates it.</summary>
    public required string Operator { get; init; }

    /// <summary>Gets its name.</summary>
    public string? Name { get; init; }

    /// <summary>Gets what was done: <c>created</c>, <c>updated</c>, <c>unchanged</c> or <c>failed</c>.</summary>
    public required string Action { get; init; }

    /// <summary>Gets where it stands.</summary>
    public required AccountStatus Status { get; init; }

    /// <summary>Gets what it covers.</summary>
    public AccountScope? AccountScope { get; init; }

    /// <summary>Gets who is invoiced.</summary>
    public string? Billing { get; init; }

    /// <summary>Gets when is paid.</summary>
    public string? PaymentTerms { get; init; }

    /// <summary>Gets how much may be ordered before something is paid.</summary>
    public Money? CreditLimit { get; init; }

    /// <summary>Gets whether it is for tests.</summary>
    public bool? Sandbox { get; init; }

    /// <summary>Gets why nothing was done.</summary>
    public IReadOnlyList<ErrorEntry>? Errors { get; init; }

    /// <summary>Gets what the buyer should know.</summary>
    public IReadOnlyList<string>? Warnings { get; init; }

    /// <summary>Gets what is to be done before the account can be used.</summary>
    public AccountSetup? Setup { get; init; }
}

/// <summary>What is to be done before an account can be used.</summary>
public sealed record AccountSetup : AdcpObject
{
    /// <summary>Gets what is to be done.</summary>
    public required string Message { get; init; }

    /// <summary>Gets where.</summary>
    public string? Url { get; init; }
}

/// <summary>Asks for accounts of the caller.</summary>
public record ListAccountsRequest : AdcpRequest
{
    /// <summary>Gets where the accounts stand that are wanted; all where it is left out.</summary>
    public AccountStatus? Status { get; init; }

    /// <summary>Gets whether accounts for tests are wanted, or the others; all where it is left out.</summary>
    public bool? Sandbox { get; init; }

    /// <summary>Gets which page is wanted.</summary>
    public PaginationRequest? Pagination { get; init; }
}

/// <summary>Accounts of the caller.</summary>
public sealed record ListAccountsResponse : AdcpResponse
{
    /// <summary>Gets the accounts.</summary>
    public required IReadOnlyList<Account> Accounts { get; init; }

    /// <summary>Gets where the list goes on.</summary>
    public PaginationResponse? Pagination { get; init; }
}

/// <summary>An account.</summary>
public sealed record Account : AdcpObject
{
    /// <summary>Gets its id.</summary>
    public required string AccountId { get; init; }

    /// <summary>Gets its name.</summary>
    public required string Name { get; init; }

    /// <summary>Gets where it stands.</summary>
    public required AccountStatus Status { get; init; }

    /// <summary>Gets the brand that it is for.</summary>
    public BrandReference? Brand { get; init; }

    /// <summary>Gets the domain of whoever operates it.</summary>
    public string? Operator { get; init; }

    /// <summary>Gets what it covers.</summary>
    public AccountScope? AccountScope { get; init; }

    /// <summary>Gets who is invoiced.</summary>
    public string? Billing { get; init; }

    /// <summary>Gets when is paid.</summary>
    public string? PaymentTerms { get; init; }

    /// <summary>Gets how much may be ordered before something is paid; null without a limit.</summary>
    public Money? CreditLimit { get; init; }

    /// <summary>Gets what is to be done before it can be used.</summary>
    public AccountSetup? Setup { get; init; }

    /// <summary>Gets whether it is for tests.</summary>
    public bool? Sandbox { get; init; }
}

/// <summary>Where an account stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AccountStatus>))]
public enum AccountStatus
{
    /// <summary>It can be used.</summary>
    [JsonStringEnumMemberName("active")]
    Active,

    /// <summary>The seller has to agree to it first.</summary>
    [JsonStringEnumMemberName("pending_approval")]
    PendingApproval,

    /// <summary>The seller declined it.</summary>
    [JsonStringEnumMemberName("rejected")]
    Rejected,

    /// <summary>An invoice is open.</summary>
    [JsonStringEnumMemberName("payment_required")]
    PaymentRequired,

    /// <summary>The seller halted it.</summary>
    [JsonStringEnumMemberName("suspended")]
    Suspended,

    /// <summary>It is over.</summary>
    [JsonStringEnumMemberName("closed")]
    Closed,
}

/// <summary>What one account of a caller covers.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AccountScope>))]
public enum AccountScope
{
    /// <summary>One brand by one operator.</summary>
    [JsonStringEnumMemberName("operator_brand")]
    OperatorBrand,

    /// <summary>All brands of one operator.</summary>
    [JsonStringEnumMemberName("operator")]
    Operator,

    /// <summary>One brand, whoever operates it.</summary>
    [JsonStringEnumMemberName("brand")]
    Brand,

    /// <summary>Everything that the caller buys.</summary>
    [JsonStringEnumMemberName("agent")]
    Agent,
}

using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Adcp;

/// <summary>A part of a request or an answer. Fields that it does not know are kept.</summary>
public abstract record AdcpObject
{
    /// <summary>
    /// Gets the fields that this type does not know. One that has the name of a field that is written is left out of an answer.
    /// </summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Extensions { get; set; }
}

/// <summary>A request of AdCP: what every tool takes beside its own fields. Fields that it does not know are kept.</summary>
public abstract record AdcpRequest : AdcpObject
{
    /// <summary>Gets the major version of AdCP that the buyer speaks; the seller's own where it is left out.</summary>
    [Range(1, 99)]
    public int? AdcpMajorVersion { get; init; }

    /// <summary>Gets the release of AdCP that the buyer was built for, such as <c>3.0</c>. The answer says which one it has.</summary>
    public string? AdcpVersion { get; init; }

    /// <summary>Gets the buyer's own data, which comes back in the answer as it was.</summary>
    [Description("Your own data: it comes back in the answer as it was.")]
    public JsonElement? Context { get; init; }

    /// <summary>Gets the id of the conversation that the request belongs to.</summary>
    public string? ContextId { get; init; }

    /// <summary>Gets the token of the buyer's governance.</summary>
    public string? GovernanceContext { get; init; }

    /// <summary>Gets where the buyer wants to be told of later changes.</summary>
    public JsonElement? PushNotificationConfig { get; init; }

    /// <summary>Gets the extensions.</summary>
    public JsonElement? Ext { get; init; }
}

/// <summary>A request that names the account that it is for.</summary>
/// <remarks>
/// The account is resolved before the handler runs; see <see cref="IAccountResolver"/>. A handler sees that account's documents only.
/// </remarks>
public interface IAccountRequest
{
    /// <summary>Gets the account; null for all accounts of the caller, which can be read only.</summary>
    AccountReference? Account { get; }

    /// <summary>Gets the accounts that a filter names: the request reads no others. Default: null, for no filter.</summary>
    IReadOnlyList<AccountReference>? Among => null;

    /// <summary>
    /// Gets what the account is used for, which an account may not allow where it stands. Default: by whether something changes.
    /// </summary>
    AccountUse Use => this is IIdempotentRequest ? AccountUse.Manage : AccountUse.Read;
}

/// <summary>What an account is used for.</summary>
public enum AccountUse
{
    /// <summary>What is there is read. A suspended account allows it.</summary>
    Read,

    /// <summary>Something to buy is looked for.</summary>
    Discover,

    /// <summary>What was bought is changed. An account with an open invoice allows it.</summary>
    Manage,

    /// <summary>Money is spent that was not spent before.</summary>
    Spend,
}

/// <summary>A request that changes something: it carries a key, so that a retry does not change it twice.</summary>
public interface IIdempotentRequest
{
    /// <summary>
    /// Gets the key: 16 to 255 characters of <c>A-Z</c>, <c>a-z</c>, <c>0-9</c> and <c>_.:-</c>. It is a secret of the buyer.
    /// </summary>
    string IdempotencyKey { get; }
}

/// <summary>An answer of AdCP.</summary>
public abstract record AdcpResponse : AdcpObject
{
    /// <summary>Gets the extensions.</summary>
    public JsonElement? Ext { get; init; }
}

/// <summary>An answer that says whether the account is one for tests: nothing was ordered or billed.</summary>
public interface ISandboxResponse
{
    /// <summary>Gets or sets whether it is. The library sets it where the handler does not.</summary>
    bool? Sandbox { get; set; }
}

/// <summary>An answer with prices, which callers without credentials do not see.</summary>
public interface IPricedResponse
{
    /// <summary>Takes the prices out.</summary>
    void RemovePrices();
}

/// <summary>The account that a request is for: an id, or the brand and operator that it is known by.</summary>
public sealed record AccountReference : AdcpObject
{
    /// <summary>Gets the account's id.</summary>
    public string? AccountId { get; init; }

    /// <summary>Gets the brand that the account is for.</summary>
    public BrandReference? Brand { get; init; }

    /// <summary>Gets the domain of whoever operates the account for the brand.</summary>
    public string? Operator { get; init; }

    /// <summary>Gets whether the account is for tests.</summary>
    public bool? Sandbox { get; init; }

    // AdCP's schema has two forms and nothing between them: what would be ignored of a mixture is who pays, or whether anything is real.
    internal void Check(string field)
    {
        AdcpException[] mistakes =
        [
            .. Beside().Select(name => new AdcpException(AdcpError.InvalidRequest, Forms, $"{field}.{name}")),
            .. Missing().Select(name => new AdcpException(AdcpError.InvalidRequest, Forms, name is null ? field : $"{field}.{name}")),
        ];
        if (mistakes.Length > 0)
        {
            throw new AdcpException(mistakes);
        }
    }

    /// <summary>Says whether an account is for tests exactly where the reference means one that is.</summary>
    internal bool FitsSandbox(Account account) => AccountId is not null || (account.Sandbox is true) == (Sandbox is true);

    private const string Forms = "An account is named by account_id alone, or by brand and operator, and sandbox where it is for tests.";

    private IEnumerable<string> Beside() =>
        [
            .. AccountId is not null && Brand is not null ? ["brand"] : Array.Empty<string>(),
            .. AccountId is not null && Operator is not null ? ["operator"] : Array.Empty<string>(),
            .. AccountId is not null && Sandbox is not null ? ["sandbox"] : Array.Empty<string>(),
            .. Extensions?.Keys ?? [],
        ];

    private IEnumerable<string?> Missing() =>
        (AccountId, Brand, Operator) switch
        {
            (not null, _, _) or (_, not null, not null) => [],
            (_, null, null) => [null],
            (_, null, _) => ["brand"],
            _ => ["operator"],
        };
}

/// <summary>A brand, by its domain.</summary>
public sealed record BrandReference : AdcpObject
{
    /// <summary>Gets the brand's domain.</summary>
    [RegularExpression(WirePatterns.Domain)]
    public required string Domain { get; init; }

    /// <summary>Gets which of the domain's brands it is.</summary>
    public string? BrandId { get; init; }

    /// <summary>Gets the industries that it belongs to.</summary>
    [MaxLength(100)]
    public IReadOnlyList<string>? Industries { get; init; }

    /// <summary>Gets where people object to how the brand uses their data.</summary>
    public JsonElement? DataSubjectContestation { get; init; }
}

/// <summary>Which page of a list is wanted.</summary>
public sealed record PaginationRequest
{
    /// <summary>Gets the most items, 1 to 100. Default: 50.</summary>
    [Range(1, 100)]
    public int? MaxResults { get; init; }

    /// <summary>Gets the cursor of the page before.</summary>
    public string? Cursor { get; init; }

    /// <summary>Gets how many items a page has.</summary>
    [JsonIgnore]
    public int Size => MaxResults ?? 50;
}

/// <summary>Where a list goes on.</summary>
public sealed record PaginationResponse
{
    /// <summary>Gets whether there is more.</summary>
    public required bool HasMore { get; init; }

    /// <summary>Gets the cursor of the next page.</summary>
    public string? Cursor { get; init; }

    /// <summary>Gets how many items there are on all pages.</summary>
    public int? TotalCount { get; init; }
}

internal static class WirePatterns
{
    public const string Domain = @"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$";
    public const string Date = @"^\d{4}-\d{2}-\d{2}$";
    public const string Currency = "^[A-Z]{3}$";
}

/// <summary>A list of a buyer's governance agent, of properties or of collections.</summary>
public sealed record ListReference : AdcpObject
{
    /// <summary>Gets the URL of the agent that keeps the list.</summary>
    [Url]
    public required string AgentUrl { get; init; }

    /// <summary>Gets the list's id.</summary>
    [MinLength(1)]
    public required string ListId { get; init; }

    /// <summary>Gets what the agent asks for to show the list. It is a secret of the buyer, and comes back in no answer.</summary>
    public string? AuthToken { get; init; }
}

/// <summary>A time with a begin and an end.</summary>
public sealed record DateTimeRange : AdcpObject
{
    /// <summary>Gets when it begins.</summary>
    public required DateTimeOffset Start { get; init; }

    /// <summary>Gets when it ends.</summary>
    public required DateTimeOffset End { get; init; }
}

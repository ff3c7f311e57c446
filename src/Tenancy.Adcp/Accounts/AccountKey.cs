using System.Buffers.Text;
using System.Security.Cryptography;
using Tenancy.Mcp;
using Tenancy.State;

namespace Tenancy.Adcp;

/// <summary>
/// Which account stands for a brand and its operator: the index by which an account is found whose id says nothing. What it is for is kept
/// as a hash with a salt of the caller's own at this tenant, so that nobody can compute it from what is public.
/// </summary>
[Document("account_keys")]
internal sealed record AccountKey : TenantDocument
{
    public required string AccountId { get; init; }

    /// <summary>
    /// Makes the document's id of a brand and operator, as far as the seller's accounts tell them apart
    /// (<see cref="SellerProfile.AccountScope"/>).
    /// </summary>
    public static string IdOf(AccountSalt salt, ToolContext context, BrandReference brand, string @operator, bool? sandbox)
    {
        var scope = context.FindPlatform<ISellerProfile>()?.Profile.AccountScope ?? AccountScope.OperatorBrand;
        var ofBrand = scope is AccountScope.OperatorBrand or AccountScope.Brand ? brand : null;
        var ofOperator = scope is AccountScope.OperatorBrand or AccountScope.Operator ? @operator : null;
        return StableId.Of(salt.Value, ofBrand?.Domain, ofBrand?.BrandId, ofOperator, sandbox is true ? "sandbox" : null);
    }
}

/// <summary>A caller's salt at a tenant. It is made with the caller's first account, and never changes.</summary>
[Document("account_salts")]
internal sealed record AccountSalt : TenantDocument
{
    public const string TheOnlyId = "salt";

    public required string Value { get; init; }

    public static AccountSalt Create() => new() { Value = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)) };
}

/// <summary>
/// How many accounts a caller has. It is written with each that is opened, so that two requests at once cannot both open the last one.
/// </summary>
[Document("account_numbers")]
internal sealed record AccountNumber : TenantDocument
{
    public const string TheOnlyId = "accounts";

    public required int Accounts { get; init; }
}

using Tenancy.Adcp;

namespace Tenancy.Tests.Adcp;

/// <summary>What an account allows where it stands: AdCP, "Operations by Account Status".</summary>
public sealed class AccountUseTests
{
    [Theory]
    [InlineData(AccountStatus.Active, "yes yes yes yes")]
    [InlineData(
        AccountStatus.PendingApproval,
        "ACCOUNT_SETUP_REQUIRED ACCOUNT_SETUP_REQUIRED ACCOUNT_SETUP_REQUIRED ACCOUNT_SETUP_REQUIRED"
    )]
    [InlineData(AccountStatus.PaymentRequired, "yes yes yes ACCOUNT_PAYMENT_REQUIRED")]
    [InlineData(AccountStatus.Suspended, "yes ACCOUNT_SUSPENDED ACCOUNT_SUSPENDED ACCOUNT_SUSPENDED")]
    [InlineData(AccountStatus.Rejected, "ACCOUNT_SUSPENDED ACCOUNT_SUSPENDED ACCOUNT_SUSPENDED ACCOUNT_SUSPENDED")]
    [InlineData(AccountStatus.Closed, "ACCOUNT_SUSPENDED ACCOUNT_SUSPENDED ACCOUNT_SUSPENDED ACCOUNT_SUSPENDED")]
    public void An_account_allows_what_its_status_allows(AccountStatus status, string answers)
    {
        var account = new Account
        {
            AccountId = "account",
            Name = "Account",
            Status = status,
        };

        Assert.Equal(answers, string.Join(' ', Enum.GetValues<AccountUse>().Select(Ask)));

        string Ask(AccountUse use) =>
            Record.Exception(() => CallAccount.Usable(account, use)) is AdcpException refusal ? refusal.Error.Code : "yes";
    }

    [Fact]
    public void An_account_that_waits_says_what_is_to_be_done()
    {
        var account = new Account
        {
            AccountId = "account",
            Name = "Account",
            Status = AccountStatus.PendingApproval,
            Setup = new() { Message = "Sign the contract.", Url = "https://seller.example/contract" },
        };

        var refusal = Assert.Throws<AdcpException>(() => CallAccount.Usable(account, AccountUse.Spend));

        Assert.Equal("Sign the contract.", refusal.Message);
        Assert.Equal(
            """{"setup_steps":["Sign the contract."],"setup_url":"https://seller.example/contract"}""",
            refusal.Details!.ToJsonString()
        );
    }

    [Fact]
    public void Only_what_spends_more_is_a_purchase()
    {
        IAccountRequest create = Activator.CreateInstance<CreateMediaBuyRequest>();
        IAccountRequest update = Activator.CreateInstance<UpdateMediaBuyRequest>();

        Assert.Equal((AccountUse.Spend, AccountUse.Manage), (create.Use, update.Use));
        Assert.Equal((AccountUse.Discover, AccountUse.Read), (Use(new GetProductsRequest()), Use(new GetMediaBuysRequest())));

        static AccountUse Use(IAccountRequest request) => request.Use;
    }
}

using System.Security.Claims;
using Tenancy.Authentication;
using Tenancy.State;

namespace Tenancy.Tests.State;

/// <summary>No account, whoever chose its id, is the documents of a caller itself.</summary>
public sealed class DocumentSpaceTests
{
    public static TheoryData<string> Identities =>
        [
            CallerIdentity.Anonymous.Value,
            CallerIdentity.System.Value,
            CallerIdentity.FromPrincipal("buyer")!.Value,
            CallerIdentity.FromUser("https://issuer.example", "buyer").Value,
            CallerIdentity.FromClient("https://issuer.example", "buyer").Value,
            CallerIdentity.FromScheme(Token(("sub", "buyer")), "mtls", "sub")!.Value,
        ];

    [Theory]
    [MemberData(nameof(Identities))]
    public void An_account_with_the_name_of_another_caller_is_not_that_callers_own(string identity)
    {
        Assert.NotEqual(DocumentSpace.OfCaller(identity), DocumentSpace.OfAccount(identity));
        Assert.NotEqual(DocumentSpace.OfCaller(identity), DocumentSpace.Of(identity, "principal:attacker"));
        Assert.NotEqual(DocumentSpace.OfCaller(identity), DocumentSpace.Of(identity, caller: null));

        // What is stored already stays where it is, also for those whose only account they are themselves.
        Assert.Equal(TenantKeyspace.Hash(identity), DocumentSpace.OfCaller(identity));
        Assert.Equal(TenantKeyspace.Hash(identity), DocumentSpace.Of(identity, identity));
    }

    [Theory]
    [InlineData("acc_1")]
    [InlineData("")]
    [InlineData("Principal:buyer")]
    [InlineData("principal")]
    [InlineData("\ufffdprincipal:buyer")]
    [InlineData("\ud800principal:buyer")]
    public void Other_accounts_are_where_they_always_were_and_no_caller_has_their_name(string account)
    {
        Assert.Equal(TenantKeyspace.Hash(account), DocumentSpace.OfAccount(account));
        Assert.Throws<InvalidOperationException>(() => DocumentSpace.OfCaller(account));
    }

    [Fact]
    public void No_account_can_be_named_like_the_place_that_another_one_is_given()
    {
        string[] ids =
        [
            "principal:x",
            "\u00feprincipal:x",
            "\ufffdprincipal:x",
            "\ud8feprincipal:x",
            "account:principal:x",
            "fe:principal:x",
        ];
        Assert.Distinct(ids.Select(DocumentSpace.OfAccount).Append(DocumentSpace.OfCaller("principal:x")));
    }

    private static ClaimsPrincipal Token(params (string Type, string Value)[] claims) =>
        new(new ClaimsIdentity(claims.Select(claim => new Claim(claim.Type, claim.Value)), "test"));
}

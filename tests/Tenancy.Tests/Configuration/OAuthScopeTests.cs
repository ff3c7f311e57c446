using Tenancy.Configuration;

namespace Tenancy.Tests.Configuration;

public sealed class OAuthScopeTests
{
    [Theory]
    [InlineData("read", true)]
    [InlineData("!", true)]
    [InlineData("~", true)]
    [InlineData("https://example.com/scope:a,b;c'd", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData(" ", false)]
    [InlineData("a b", false)]
    [InlineData("a\tb", false)]
    [InlineData("a\"b", false)]
    [InlineData("a\\b", false)]
    [InlineData("a\u007f", false)]
    [InlineData("a\n", false)]
    [InlineData("ré", false)]
    [InlineData("аdmin", false)]
    public void A_scope_has_the_letters_of_RFC_6749(string? scope, bool isValid) => Assert.Equal(isValid, OAuthScope.IsValid(scope));

    [Theory]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public void A_scope_has_1024_letters_at_most(int length, bool isValid) =>
        Assert.Equal(isValid, OAuthScope.IsValid(new string('a', length)));
}

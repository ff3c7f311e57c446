using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Tenancy.Resolution;

namespace Tenancy.Tests.Resolution;

public sealed class BearerTokenTests
{
    [Theory]
    [InlineData("Bearer acme.x", "acme.x")]
    [InlineData("bearer acme.x", "acme.x")]
    [InlineData("BEARER   acme.x  ", "acme.x")]
    // Two tokens in one header are one that nobody has.
    [InlineData("Bearer acme.x globex.y", "acme.x globex.y")]
    [InlineData("Bearer acme.x, Bearer globex.y", "acme.x, Bearer globex.y")]
    public void The_token_is_what_follows_the_scheme(string header, string expected)
    {
        Assert.True(TryRead(header, out var token));
        Assert.Equal(expected, token);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer    ")]
    [InlineData("Bearer\tacme.x")]
    [InlineData("Beareracme.x")]
    [InlineData(" Bearer acme.x")]
    [InlineData("Basic acme.x")]
    [InlineData("acme.x")]
    [InlineData("Basic YTpi, Bearer acme.x")]
    public void A_header_of_another_form_has_none(string header)
    {
        Assert.False(TryRead(header, out var token));
        Assert.Equal("", token);
    }

    [Fact]
    public void Two_headers_have_none_and_neither_counts()
    {
        Assert.False(TryRead(new(["Bearer acme.x", "Bearer globex.y"]), out _));
        Assert.False(TryRead(new(["Bearer acme.x", "Bearer acme.x"]), out _));
        Assert.False(TryRead(StringValues.Empty, out _));
        Assert.False(TryRead(new([null]), out _));
    }

    [Theory]
    [InlineData("acme.x", "acme")]
    [InlineData("acme.", "acme")]
    [InlineData("acme.globex.y", "acme")]
    [InlineData("a-1.x", "a-1")]
    [InlineData("acme", "")]
    [InlineData(".x", "")]
    [InlineData("", "")]
    [InlineData(".", "")]
    [InlineData("Acme.x", "")]
    [InlineData("ac me.x", "")]
    [InlineData("аcme.x", "")]
    [InlineData("acme:session.x", "")]
    [InlineData("{acme}.x", "")]
    [InlineData("-acme.x", "")]
    [InlineData("acme-.x", "")]
    [InlineData("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "")]
    public void An_opaque_token_names_its_tenant_before_its_first_dot(string token, string tenant) =>
        Assert.Equal(tenant, BearerToken.TenantOf(token).ToString());

    [Theory]
    [InlineData(63, 63)]
    [InlineData(64, 0)]
    public void A_name_that_no_tenant_can_have_is_none(int length, int expected) =>
        Assert.Equal(expected, BearerToken.TenantOf(new string('a', length) + ".x").Length);

    private static bool TryRead(StringValues header, out string token) =>
        BearerToken.TryRead(new HeaderDictionary { ["Authorization"] = header }, out token);
}

using Tenancy.Registry;

namespace Tenancy.Tests.Registry;

/// <summary>What an admin reads of a reason, wherever the reason comes from.</summary>
public sealed class PublicReasonTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("The provider did not answer.", "The provider did not answer.")]
    [InlineData("Line one\r\n2026-01-01 forged line", "Line one 2026-01-01 forged line")]
    [InlineData("tab\tbell\adelete\u007fnext\u0085end", "tab bell delete next end")]
    [InlineData("a\u2028b\u2029c", "a b c")]
    [InlineData("https://user:pass@host.example/path", "https://host.example/path")]
    [InlineData("redis://:pass@10.0.0.1:6379", "redis://10.0.0.1:6379")]
    [InlineData("redis://user:p@ss@host:6379", "redis://host:6379")]
    [InlineData("mail admin@host.example", "mail admin@host.example")]
    [InlineData("https://host.example/a@b", "https://host.example/a@b")]
    [InlineData("GET https://host.example/a?code=1&state=2 failed", "GET https://host.example/a?*** failed")]
    [InlineData("'https://host.example/a?code=1' failed", "'https://host.example/a?***' failed")]
    [InlineData("HTTPS://HOST.EXAMPLE/?A", "HTTPS://HOST.EXAMPLE/?***")]
    [InlineData("Why? Nobody knows.", "Why? Nobody knows.")]
    [InlineData("password=hunter2", "password=***")]
    [InlineData("PASSWORD = hunter2, user=me", "PASSWORD = ***, user=me")]
    [InlineData("{\"client_secret\": \"a b, c\", \"id\": 1}", "{\"client_secret\": ***, \"id\": 1}")]
    [InlineData("pwd='a b';Server=x", "pwd=***;Server=x")]
    [InlineData("api-key: abc, api_key: abc; apiKey=abc&api key=abc", "api-key: ***, api_key: ***; apiKey=***&api key=***")]
    [InlineData("access_token=abc&expires=1", "access_token=***&expires=1")]
    [InlineData("The token has expired.", "The token has expired.")]
    [InlineData("The password is wrong", "The password is wrong")]
    [InlineData("Bearer abc.def", "Bearer ***")]
    [InlineData("bearer   abc, Basic dXNlcg==", "bearer ***, Basic ***")]
    [InlineData("key sk-live-0123456789abcdef was refused", "key *** was refused")]
    // A bearer token of a tenant, as this server issues it: its secret stands after a dot.
    [InlineData("got acme.ZQx3fWcTqk1n0yV9u2bGq4hP8sLwRjD5mXtA7eBvCoM here", "got *** here")]
    [InlineData("Acme.SellersInventoryAdapter2Factory is none", "Acme.SellersInventoryAdapter2Factory is none")]
    [InlineData(
        "https://auth.example.com/realms/tenant-2026/.well-known/openid",
        "https://auth.example.com/realms/tenant-2026/.well-known/openid"
    )]
    [InlineData("key sk-live-0123456789abcdef.", "key ***.")]
    [InlineData("0123456789012345678", "0123456789012345678")]
    [InlineData("01234567890123456789", "***")]
    [InlineData("NoDigitsInThisVeryLongWordOfAnError", "NoDigitsInThisVeryLongWordOfAnError")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9aaaa.eyJzdWIiOiIxIn0.c2ln", "***")]
    [InlineData("seller-2026-production.api.example", "seller-2026-production.api.example")]
    [InlineData("seller-2026-production.api.example:443", "seller-2026-production.api.example:443")]
    public void A_reason_has_neither_credentials_nor_line_breaks(string reason, string expected) =>
        Assert.Equal(expected, PublicReason.Clean(reason));

    [Theory]
    [InlineData(499, 499)]
    [InlineData(500, 500)]
    [InlineData(501, 503)]
    [InlineData(100_000, 503)]
    public void A_long_reason_is_cut(int length, int expected)
    {
        var cleaned = PublicReason.Clean(string.Concat(Enumerable.Repeat("ab ", length))[..length]);
        Assert.Equal(expected, cleaned.Length);
        Assert.Equal(length > 500, cleaned.EndsWith("...", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_hidden_stays_hidden_where_the_reason_is_cut()
    {
        var cleaned = PublicReason.Clean(string.Concat(Enumerable.Repeat("ab ", 165)) + "password=hunter2 and more");
        Assert.DoesNotContain("hunter", cleaned, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://user:pass@host.example/?q=1")]
    [InlineData("password=hunter2 Bearer abc sk-live-0123456789abcdef")]
    public void Cleaning_twice_changes_nothing_more(string reason)
    {
        var once = PublicReason.Clean(reason);
        Assert.Equal(once, PublicReason.Clean(once));
    }
}

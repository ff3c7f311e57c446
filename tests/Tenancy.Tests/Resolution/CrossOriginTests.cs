using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Tenancy.Resolution;

namespace Tenancy.Tests.Resolution;

/// <summary>What a browser is told of what a page may send and read.</summary>
public sealed class CrossOriginTests
{
    [Theory]
    [InlineData("OPTIONS", "https://a.example", "POST", true)]
    [InlineData("options", "https://a.example", "POST", true)]
    [InlineData("OPTIONS", "null", "POST", true)]
    [InlineData("OPTIONS", null, "POST", false)]
    [InlineData("OPTIONS", "https://a.example", null, false)]
    [InlineData("POST", "https://a.example", "POST", false)]
    [InlineData("GET", "https://a.example", "GET", false)]
    public void A_browser_asks_with_an_origin_and_a_method(string method, string? origin, string? asked, bool isPreflight)
    {
        var request = new DefaultHttpContext().Request;
        request.Method = method;
        request.Headers.Origin = origin;
        request.Headers.AccessControlRequestMethod = asked;
        Assert.Equal(isPreflight, CrossOrigin.IsPreflight(request));
    }

    [Fact]
    public void A_request_with_two_origins_is_not_a_browsers()
    {
        var request = new DefaultHttpContext().Request;
        request.Method = "OPTIONS";
        request.Headers.AccessControlRequestMethod = "POST";
        request.Headers.Origin = new(["https://a.example", "https://b.example"]);
        Assert.False(CrossOrigin.IsPreflight(request));
    }

    [Theory]
    [InlineData("Mcp-Param-region", "Mcp-Param-region")]
    [InlineData("mcp-param-a.b_c-1, X-Other, Mcp-Param-z", "mcp-param-a.b_c-1, Mcp-Param-z")]
    [InlineData("Authorization", "")]
    [InlineData("X-Admin-API-Key", "")]
    [InlineData("*", "")]
    [InlineData("Mcp-Param-*", "")]
    [InlineData("Mcp-Param-a b", "")]
    [InlineData("Mcp-Param-a:b", "")]
    [InlineData("Mcp-Param-a\r\nSet-Cookie", "")]
    [InlineData("Mcp-Param-é", "")]
    [InlineData("xMcp-Param-a", "")]
    [InlineData("", "")]
    public void Of_what_a_page_asks_to_send_only_parameters_of_tools_are_repeated(string asked, string repeated)
    {
        var allowed = Answer(asked);
        Assert.StartsWith("Accept, Authorization, Content-Type,", allowed, StringComparison.Ordinal);
        var own = Answer("").Split(", ");
        Assert.Equal(repeated.Length == 0 ? [] : repeated.Split(", "), allowed.Split(", ").Except(own));
        Assert.DoesNotContain("X-Admin-API-Key", allowed, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(117, true)]
    [InlineData(118, false)]
    public void A_name_of_a_parameter_that_is_too_long_is_not_repeated(int length, bool isRepeated)
    {
        var name = "Mcp-Param-" + new string('a', length);
        Assert.Equal(isRepeated, Answer(name).Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public void A_browser_is_told_neither_that_credentials_may_be_sent_nor_that_all_may()
    {
        var context = new DefaultHttpContext();
        CrossOrigin.Answer(context, []);
        Assert.Equal(StatusCodes.Status204NoContent, context.Response.StatusCode);
        Assert.Equal("GET, POST, DELETE", context.Response.Headers.AccessControlAllowMethods);
        Assert.False(context.Response.Headers.ContainsKey("Access-Control-Allow-Credentials"));
        Assert.DoesNotContain(context.Response.Headers.SelectMany(header => header.Value), value => value!.Contains('*'));
    }

    private static string Answer(string asked)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers["Access-Control-Request-Headers"] = asked.Length == 0 ? StringValues.Empty : asked;
        CrossOrigin.Answer(context, []);
        return context.Response.Headers.AccessControlAllowHeaders.ToString();
    }
}

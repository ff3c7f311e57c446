using Microsoft.AspNetCore.Http;

namespace Tenancy.Tests.Mcp.Requests;

public sealed class JsonBodyTests
{
    [Theory]
    [InlineData("application/json", true)]
    [InlineData("application/json; charset=utf-8", true)]
    [InlineData("APPLICATION/JSON;charset=UTF-8", true)]
    [InlineData("application/json-rpc+json", true)]
    [InlineData("application/vnd.api+JSON; v=1", true)]
    [InlineData("application/jsonp", false)]
    [InlineData("application/json-patch", false)]
    [InlineData("application/json, text/plain", false)]
    [InlineData("application/json text/plain", false)]
    [InlineData("text/json", false)]
    [InlineData("text/plain", false)]
    // What a browser's form can send without asking first.
    [InlineData("text/plain; application/json", false)]
    [InlineData("text/plain;x=application/json", false)]
    [InlineData("multipart/form-data; boundary=application/json", false)]
    [InlineData("image/svg+json", false)]
    [InlineData("+json", false)]
    [InlineData("json", false)]
    [InlineData("*/*", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void The_content_type_has_to_be_one_of_JSON(string? contentType, bool isJson) =>
        Assert.Equal(isJson, Is(request => request.ContentType = contentType));

    [Theory]
    [InlineData("identity", true)]
    [InlineData("Identity", true)]
    [InlineData("", true)]
    [InlineData("gzip", false)]
    [InlineData("identity, gzip", false)]
    [InlineData("br", false)]
    public void A_body_that_is_packed_is_not_JSON_as_it_is(string encoding, bool isJson) =>
        Assert.Equal(
            isJson,
            Is(request =>
            {
                request.ContentType = "application/json";
                request.Headers.ContentEncoding = encoding;
            })
        );

    [Fact]
    public void A_header_that_stands_twice_says_nothing()
    {
        Assert.False(Is(request => request.Headers.ContentType = new(["application/json", "application/json"])));
        Assert.False(Is(request => request.Headers.ContentType = new(["application/json", "text/plain"])));
        Assert.False(
            Is(request =>
            {
                request.ContentType = "application/json";
                request.Headers.ContentEncoding = new(["identity", "gzip"]);
            })
        );
    }

    private static bool Is(Action<HttpRequest> set)
    {
        var request = new DefaultHttpContext().Request;
        set(request);
        return JsonBody.Is(request);
    }
}

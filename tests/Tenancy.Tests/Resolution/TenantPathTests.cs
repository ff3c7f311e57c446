using Microsoft.AspNetCore.Http;
using Tenancy.Resolution;

namespace Tenancy.Tests.Resolution;

/// <summary>Which part of a path names a tenant.</summary>
public sealed class TenantPathTests
{
    [Theory]
    [InlineData("/acme/mcp", "/acme")]
    [InlineData("/acme/mcp/", "/acme")]
    [InlineData("/acme/mcp///", "/acme")]
    [InlineData("/acme/MCP", "/acme")]
    [InlineData("/mcp", "")]
    [InlineData("/eu/acme/mcp", "/eu/acme")]
    [InlineData("/mcp/mcp", "/mcp")]
    // What does not end as the endpoint does was not matched by it; nothing is cut off.
    [InlineData("/acme/mcpx", "/acme/mcpx")]
    [InlineData("/acme", "/acme")]
    [InlineData("/", "")]
    [InlineData("", "")]
    public void The_endpoints_own_part_is_taken_off(string path, string expected)
    {
        var read = new TenantPath(Request(path, new TenantEndpointMetadata("/mcp", isMcp: true)));
        Assert.True(read.IsFixed);
        Assert.Equal(expected, read.Whole.ToString());
        Assert.Equal(expected, read.Below("").ToString());
    }

    [Theory]
    [InlineData("/.well-known/oauth-protected-resource/acme/mcp", "/acme")]
    [InlineData("/.well-known/oauth-protected-resource/mcp", "")]
    public void What_stands_before_the_tenant_is_taken_off_too(string path, string expected)
    {
        var metadata = new TenantEndpointMetadata("/mcp", isMcp: false, root: "/.well-known/oauth-protected-resource", isMetadata: true);
        Assert.Equal(expected, new TenantPath(Request(path, metadata)).Whole.ToString());
    }

    [Theory]
    [InlineData("/acme/orders", "/acme/orders")]
    [InlineData("/acme/mcp", "/acme/mcp")]
    public void The_path_of_an_applications_own_endpoint_counts_as_a_whole(string path, string expected)
    {
        var own = new TenantPath(Request(path, new TenantEndpointMetadata(suffix: null, isMcp: false)));
        Assert.False(own.IsFixed);
        Assert.Equal(expected, own.Whole.ToString());
        Assert.False(new TenantPath(new DefaultHttpContext { Request = { Path = path } }).IsFixed);
    }

    [Theory]
    // The application has taken "/api" off as its base, or a proxy has, or nobody has.
    [InlineData("/api", "/acme/mcp", "/api", "/api/acme", "/acme")]
    [InlineData("", "/acme/mcp", "/api", "/acme", "/acme")]
    [InlineData("", "/api/acme/mcp", "/api", "/api/acme", "/acme")]
    [InlineData("", "/api/mcp", "/api", "/api", "")]
    // A name that only begins like the base is a name.
    [InlineData("", "/apiary/mcp", "/api", "/apiary", "/apiary")]
    [InlineData("", "/API/acme/mcp", "/api", "/API/acme", "/API/acme")]
    [InlineData("/other", "/acme/mcp", "/api", "/other/acme", "/acme")]
    public void What_stands_below_the_public_URL_is_the_same_whoever_took_its_path_off(
        string pathBase,
        string path,
        string publicPath,
        string whole,
        string below
    )
    {
        var context = Request(path, new TenantEndpointMetadata("/mcp", isMcp: true));
        context.Request.PathBase = pathBase;
        var read = new TenantPath(context);
        Assert.Equal((whole, below), (read.Whole.ToString(), read.Below(publicPath).ToString()));
    }

    private static DefaultHttpContext Request(string path, TenantEndpointMetadata metadata)
    {
        var context = new DefaultHttpContext { Request = { Path = path } };
        context.SetEndpoint(new Endpoint(requestDelegate: null, new EndpointMetadataCollection(metadata), "test"));
        return context;
    }
}

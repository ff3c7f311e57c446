using Tenancy.Configuration;
using Tenancy.Registry;

namespace Tenancy.Tests.Registry;

/// <summary>Which tenant has a host and a path, and what a change of a tenant's URLs does to it.</summary>
public sealed class TenantRoutesTests
{
    private readonly TenantRoutes _routes = new();
    private readonly Dictionary<string, TenantState> _states = [];

    [Theory]
    [InlineData("a.example", "", "root https://a.example")]
    [InlineData("a.example", "/", "root https://a.example")]
    [InlineData("a.example", "/mcp", "root https://a.example")]
    [InlineData("a.example", "/x", "one https://a.example/x")]
    [InlineData("a.example", "/x/", "one https://a.example/x")]
    [InlineData("a.example", "/x/mcp", "one https://a.example/x")]
    [InlineData("a.example", "/xy", "root https://a.example")]
    [InlineData("a.example", "/X", "root https://a.example")]
    [InlineData("a.example", "/x/y", "one https://a.example/x")]
    [InlineData("a.example", "/x/y/z", "three https://a.example/x/y/z")]
    [InlineData("a.example", "/x/y/z/mcp", "three https://a.example/x/y/z")]
    [InlineData("a.example", "/x/y/z/x/y/z/x", "three https://a.example/x/y/z")]
    [InlineData("a.example", "/x/y/zz", "one https://a.example/x")]
    [InlineData("a.example", "//x", "root https://a.example")]
    [InlineData("a.example:8080", "/", null)]
    [InlineData("A.example", "/", null)]
    [InlineData("b.example", "", null)]
    [InlineData("b.example", "/", null)]
    [InlineData("b.example", "/p", "path http://b.example/p")]
    [InlineData("b.example", "/q", null)]
    [InlineData("", "", null)]
    [InlineData("", "/x", null)]
    public void The_longest_url_at_segment_boundaries_is_found(string host, string path, string? expected)
    {
        Change("root", "https://a.example");
        Change("one", "https://a.example/x");
        Change("three", "https://a.example/x/y/z");
        Change("path", "http://b.example/p");
        Assert.Equal(expected, Find(host, path));
    }

    [Fact]
    public void A_url_that_is_given_up_is_free_and_one_that_is_kept_stays()
    {
        Change("acme", "https://a.example", "https://a.example/x");
        Change("acme", "https://a.example/x", "https://b.example");
        Assert.Null(Find("a.example", "/"));
        Assert.Equal("acme https://a.example/x", Find("a.example", "/x"));
        Assert.Equal("acme https://b.example", Find("b.example", "/"));
        Assert.True(_routes.HasActiveHost("a.example"));

        Change("acme", "https://b.example");
        Assert.Null(Find("a.example", "/x"));
        Assert.False(_routes.HasActiveHost("a.example"));
        Remove("acme");
        Assert.Null(Find("b.example", "/"));
        Assert.False(_routes.HasActiveHost("b.example"));
    }

    [Theory]
    [InlineData("https://a.example")]
    [InlineData("https://a.example/x")]
    public void A_url_that_another_took_meanwhile_stays_with_the_other(string url)
    {
        var old = Change("old", url);
        var state = _states["old"];
        state.Model = null;
        Change("new", url);
        _routes.Replace(old, null, state);
        Assert.Equal($"new {url}", Find("a.example", "/x"));
        Assert.True(_routes.HasActiveHost("a.example"));
    }

    [Fact]
    public void A_route_whose_tenant_no_longer_has_the_url_is_passed_over()
    {
        Change("root", "https://a.example");
        Change("path", "https://a.example/x");

        // The model is put in place before the routes follow it.
        _states["path"].Model = Model("path", isSuspended: false, "https://b.example");
        Assert.Equal("root https://a.example", Find("a.example", "/x"));
        _states["path"].Model = null;
        Assert.Equal("root https://a.example", Find("a.example", "/x"));
    }

    [Fact]
    public void A_host_is_active_as_long_as_one_tenant_there_is_not_suspended()
    {
        Assert.False(_routes.HasActiveHost("a.example"));
        Change("one", "https://a.example/x", "https://a.example/y");
        Change("two", "https://a.example/z");
        Assert.True(_routes.HasActiveHost("a.example"));
        Suspend("one", "https://a.example/x", "https://a.example/y");
        Assert.True(_routes.HasActiveHost("a.example"));
        Suspend("two", "https://a.example/z");
        Assert.False(_routes.HasActiveHost("a.example"));

        // Who is suspended keeps its URLs: others must not take them.
        Assert.Equal("one https://a.example/y", Find("a.example", "/y"));
        Change("one", "https://a.example/x");
        Assert.True(_routes.HasActiveHost("a.example"));
        Remove("one");
        Remove("two");
        Assert.False(_routes.HasActiveHost("a.example"));
    }

    private static TenantModel Model(string id, bool isSuspended, params string[] urls) =>
        new(
            new()
            {
                Config = new()
                {
                    Id = id,
                    Platform = "publisher",
                    Urls = urls,
                    Status = isSuspended ? TenantAdminStatus.Suspended : TenantAdminStatus.Active,
                },
                Version = 1,
                CreatedAt = DateTimeOffset.UnixEpoch,
                SessionEpoch = "",
                Origin = "",
                Check = TenantCheck.None,
            },
            platform: null
        );

    private TenantModel Change(string id, params string[] urls) => Put(id, Model(id, isSuspended: false, urls))!;

    private void Suspend(string id, params string[] urls) => Put(id, Model(id, isSuspended: true, urls));

    private void Remove(string id) => Put(id, null);

    private TenantModel? Put(string id, TenantModel? after)
    {
        if (!_states.TryGetValue(id, out var state))
        {
            _states[id] = state = new();
        }

        var before = state.Model;
        state.Model = after;
        _routes.Replace(before, after, state);
        return after;
    }

    private string? Find(string host, string path) =>
        _routes.TryFind(host, path, out var match) ? $"{match.Tenant.Id.Value} {match.Url}" : null;
}

using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>Wherever a tenant is served, a client that has nothing but the URL is led to metadata that names this URL.</summary>
[Tier(Tier.Server)]
public sealed class OAuthPlacesTests : IAsyncLifetime
{
    private const string WellKnown = "/.well-known/oauth-protected-resource";

    private TestIssuer _issuer = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _issuer = await TestIssuer.StartAsync();

    public ValueTask DisposeAsync() => _issuer.DisposeAsync();

    [Theory]
    [InlineData("the application's base", "/api", null, "pub.example", "/api/jwa/mcp", "https://pub.example/api/jwa/mcp")]
    [InlineData("the tenant's own path", "", null, "pub.example", "/api/jwa/mcp", "https://pub.example/api/jwa/mcp")]
    [InlineData(
        "a public URL with a path",
        "",
        "https://agents.example/a/b",
        "agents.example",
        "/a/b/jwa/mcp",
        "https://agents.example/a/b/jwa/mcp"
    )]
    [InlineData(
        "that and the base",
        "/a/b",
        "https://agents.example/a/b",
        "agents.example",
        "/a/b/jwa/mcp",
        "https://agents.example/a/b/jwa/mcp"
    )]
    [InlineData(
        "that, taken off by a proxy",
        "",
        "https://agents.example/a/b",
        "agents.example",
        "/jwa/mcp",
        "https://agents.example/a/b/jwa/mcp"
    )]
    [InlineData(
        "its host below a path",
        "",
        "https://tenants.example/a",
        "jwa.tenants.example",
        "/a/mcp",
        "https://jwa.tenants.example/a/mcp"
    )]
    [InlineData("its host", "", "https://agents.example", "jwa.tenants.example", "/mcp", "https://jwa.tenants.example/mcp")]
    [InlineData(
        "its host below the base",
        "/api",
        "https://agents.example/api",
        "jwa.tenants.example",
        "/api/mcp",
        "https://jwa.tenants.example/api/mcp"
    )]
    [InlineData("the base domain", "", "https://agents.example", "tenants.example", "/jwa/mcp", "https://tenants.example/jwa/mcp")]
    [InlineData("the base domain alone", "", "", "tenants.example", "/jwa/mcp", "https://tenants.example/jwa/mcp")]
    [InlineData(
        "the base domain below the base",
        "/api",
        "https://agents.example/api",
        "tenants.example",
        "/api/jwa/mcp",
        "https://tenants.example/api/jwa/mcp"
    )]
    public async Task Below_a_path_the_challenge_leads_to_metadata_of_the_url_that_was_called(
        string what,
        string pathBase,
        string? publicUrl,
        string host,
        string path,
        string resource
    )
    {
        await using var app = await StartAsync(pathBase, settings =>
        {
            settings["Tenancy:PublicUrl"] = publicUrl is "" ? null : publicUrl ?? "https://agents.example";
            settings["Tenancy:BaseDomain"] = "tenants.example";
            if (publicUrl is null)
            {
                settings["Tenancy:Tenants:0:urls:0"] = "https://pub.example/api/jwa";
            }
        });
        var uri = new Uri(resource);
        var metadata = $"{uri.GetLeftPart(UriPartial.Authority)}{WellKnown}{uri.AbsolutePath}";
        using var refused = await SendAsync(app, HttpMethod.Post, host, path);
        Assert.True(refused.StatusCode == HttpStatusCode.Unauthorized, $"{what}: {refused.StatusCode}");
        Assert.Contains($"resource_metadata=\"{metadata}\"", refused.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        foreach (
            var place in new[]
            {
                // Where it says; as a proxy passes it that serves this server below its path; and behind the endpoint.
                new Uri(metadata).AbsolutePath,
                pathBase + WellKnown + path[pathBase.Length..],
                path + WellKnown,
            }
        )
        {
            using var answer = await SendAsync(app, HttpMethod.Get, host, place);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{what}: {place} {answer.StatusCode}");
            Assert.Equal(resource, (await McpCalls.ReadAsync(answer))["resource"]!.ToString());
            using var head = await SendAsync(app, HttpMethod.Head, host, place);
            Assert.True(head.StatusCode == HttpStatusCode.OK, $"{what}: HEAD {place} {head.StatusCode}");
        }

        // A token for that URL is one for the tenant.
        using var served = await SendAsync(app, HttpMethod.Post, host, path, _issuer.Mint(resource));
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
    }

    [Theory]
    [InlineData("/api", null, "agents.example", "/api/jwa/mcp")]
    [InlineData("/api", null, "jwa.tenants.example", "/api/mcp")]
    [InlineData("/api", null, "tenants.example", "/api/jwa/mcp")]
    [InlineData("", "/api", "agents.example", "/jwa/mcp")]
    [InlineData("", "/api", "jwa.tenants.example", "/mcp")]
    [InlineData("", "/api", "tenants.example", "/jwa/mcp")]
    public async Task Below_a_base_that_no_setting_says_the_metadata_lies_below_it_and_names_what_was_called(
        string pathBase,
        string? prefix,
        string host,
        string path
    )
    {
        await using var app = await StartAsync(pathBase, settings =>
        {
            settings["Tenancy:PublicUrl"] = "https://agents.example";
            settings["Tenancy:BaseDomain"] = "tenants.example";
            settings["Tenancy:Proxies:0"] = "127.0.0.1";
        });
        var called = prefix + path;
        var resource = $"https://{host}{called}";
        var place = $"/api{WellKnown}{called["/api".Length..]}";
        using var refused = await SendAsync(app, HttpMethod.Post, host, path, prefix: prefix);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains(
            $"resource_metadata=\"https://{host}{place}\"",
            refused.Headers.WwwAuthenticate.ToString(),
            StringComparison.Ordinal
        );
        foreach (var at in new[] { place, called + WellKnown })
        {
            using var metadata = await SendAsync(app, HttpMethod.Get, host, at[(prefix ?? "").Length..], prefix: prefix);
            Assert.True(metadata.StatusCode == HttpStatusCode.OK, $"{at}: {metadata.StatusCode}");
            Assert.Equal(resource, (await McpCalls.ReadAsync(metadata))["resource"]!.ToString());
        }

        // A token for that URL is one for the tenant; one for another tenant's, or below another base, is none.
        using var served = await SendAsync(app, HttpMethod.Post, host, path, _issuer.Mint(resource), prefix: prefix);
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
        foreach (var (part, other) in new[] { ("jwa", "jwb"), ("/api/", "/other/") })
        {
            var token = _issuer.Mint(resource.Replace(part, other, StringComparison.Ordinal));
            using var foreign = await SendAsync(app, HttpMethod.Post, host, path, token, prefix: prefix);
            Assert.Equal(HttpStatusCode.Unauthorized, foreign.StatusCode);
        }
    }

    [Theory]
    [InlineData("/a\"b")]
    [InlineData("/%0d%0ax")]
    [InlineData("/%C3%A4")]
    public async Task A_base_that_is_no_plain_path_never_gets_into_a_challenge(string prefix)
    {
        await using var app = await StartAsync("", settings =>
        {
            settings["Tenancy:PublicUrl"] = "https://agents.example";
            settings["Tenancy:Proxies:0"] = "127.0.0.1";
        });
        using var refused = await SendAsync(app, HttpMethod.Post, "agents.example", "/jwa/mcp", prefix: prefix);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal($"Bearer resource_metadata=\"https://agents.example{WellKnown}/jwa/mcp\"", refused.Headers.WwwAuthenticate.ToString());
    }

    [Theory]
    [InlineData("tenants.example:8443")]
    [InlineData("agents.example:8443")]
    public async Task The_base_domain_at_another_port_never_gets_into_a_challenge(string host)
    {
        await using var app = await StartAsync(
            "",
            settings =>
            {
                settings["Tenancy:PublicUrl"] = "https://agents.example";
                settings["Tenancy:BaseDomain"] = "tenants.example";
            },
            environment: "Staging"
        );
        using var refused = await SendAsync(app, HttpMethod.Post, host, "/jwa/mcp");
        Assert.DoesNotContain("8443", refused.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        using var foreign = await SendAsync(app, HttpMethod.Post, host, "/jwa/mcp", _issuer.Mint($"https://{host}/jwa/mcp"));
        Assert.NotEqual(HttpStatusCode.OK, foreign.StatusCode);
    }

    [Theory]
    [InlineData("127.0.0.1:{0}", "/jwa/mcp", "http://127.0.0.1:{0}/jwa/mcp")]
    [InlineData("localhost:{0}", "/jwa/mcp", "http://localhost:{0}/jwa/mcp")]
    [InlineData("LOCALHOST:{0}", "/jwa/mcp", "http://localhost:{0}/jwa/mcp")]
    [InlineData("[::1]:{0}", "/jwa/mcp", "http://[::1]:{0}/jwa/mcp")]
    [InlineData("jwa.localhost:{0}", "/mcp", "http://jwa.localhost:{0}/mcp")]
    [InlineData("192.168.7.7:{0}", "/jwa/mcp", "http://192.168.7.7:{0}/jwa/mcp")]
    public async Task In_development_it_is_any_address_at_which_the_server_listens(string host, string path, string resource)
    {
        await using var app = await StartAsync(
            "",
            settings =>
            {
                settings["Tenancy:BaseDomain"] = "localhost";
                settings["Tenancy:PublicUrl"] = "http://localhost:1";
            },
            address: "http://0.0.0.0:0"
        );
        var port = Port(app);
        (host, resource) = (Fill(host, port), Fill(resource, port));
        using var refused = await SendAsync(app, HttpMethod.Post, host, path);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        var uri = new Uri(resource);
        Assert.Contains(
            $"resource_metadata=\"{uri.GetLeftPart(UriPartial.Authority)}{WellKnown}{uri.AbsolutePath}\"",
            refused.Headers.WwwAuthenticate.ToString(),
            StringComparison.Ordinal
        );
        using var metadata = await SendAsync(app, HttpMethod.Get, host, WellKnown + path);
        Assert.Equal(resource, (await McpCalls.ReadAsync(metadata))["resource"]!.ToString());
        using var served = await SendAsync(app, HttpMethod.Post, host, path, _issuer.Mint(resource));
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);

        // Of another tenant, and of another server, it is none.
        foreach (
            var other in new[]
            {
                resource.Replace("jwa", "jwb", StringComparison.Ordinal),
                Fill(resource, port).Replace($":{port}", ":9", StringComparison.Ordinal),
            }
        )
        {
            using var foreign = await SendAsync(app, HttpMethod.Post, host, path, _issuer.Mint(other));
            Assert.Equal(HttpStatusCode.Unauthorized, foreign.StatusCode);
        }
    }

    [Theory]
    [InlineData("localhost:1", 401)]
    [InlineData("evil.example", 400)]
    [InlineData("evil.example:{0}", 400)]
    public async Task A_host_that_is_none_of_the_servers_never_gets_into_a_challenge(string host, int status)
    {
        await using var app = await StartAsync(
            "",
            settings => settings["Tenancy:PublicUrl"] = "https://agents.example",
            address: "http://0.0.0.0:0"
        );
        host = Fill(host, Port(app));
        using var refused = await SendAsync(app, HttpMethod.Post, host, "/jwa/mcp");
        Assert.Equal(status, (int)refused.StatusCode);
        Assert.DoesNotContain(host, refused.Headers.WwwAuthenticate.ToString(), StringComparison.OrdinalIgnoreCase);
        if (status == 401)
        {
            Assert.Contains(
                $"https://agents.example{WellKnown}/jwa/mcp",
                refused.Headers.WwwAuthenticate.ToString(),
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public async Task In_production_the_address_that_the_server_is_bound_to_is_no_place_of_its_own()
    {
        await using var app = await StartAsync(
            "",
            settings => settings["Tenancy:PublicUrl"] = "https://agents.example",
            environment: "Staging"
        );
        using var foreign = await SendAsync(app, HttpMethod.Post, $"127.0.0.1:{Port(app)}", "/jwa/mcp");
        Assert.Equal(HttpStatusCode.BadRequest, foreign.StatusCode);
        using var bound = await SendAsync(
            app,
            HttpMethod.Post,
            "agents.example",
            "/jwa/mcp",
            _issuer.Mint($"http://127.0.0.1:{Port(app)}/jwa/mcp")
        );
        Assert.Equal(HttpStatusCode.Unauthorized, bound.StatusCode);
    }

    [Theory]
    [InlineData(false, "/mcp")]
    [InlineData(true, "/mcp")]
    public async Task A_server_whose_requests_name_no_tenant_leads_to_its_own_url(bool isMultiTenant, string path)
    {
        await using var app = await StartAsync("", settings =>
        {
            settings["Tenancy:PublicUrl"] = "https://agents.example";
            settings["Tenancy:MultiTenant"] = isMultiTenant ? "true" : "false";
            settings["Tenancy:DefaultTenant"] = "jwa";
        });
        using var refused = await SendAsync(app, HttpMethod.Post, "agents.example", path);
        Assert.Contains(
            $"\"https://agents.example{WellKnown}{path}\"",
            refused.Headers.WwwAuthenticate.ToString(),
            StringComparison.Ordinal
        );
        foreach (var place in new[] { WellKnown + path, WellKnown })
        {
            using var metadata = await SendAsync(app, HttpMethod.Get, "agents.example", place);
            Assert.Equal($"https://agents.example{path}", (await McpCalls.ReadAsync(metadata))["resource"]!.ToString());
        }

        using var served = await SendAsync(app, HttpMethod.Post, "agents.example", path, _issuer.Mint($"https://agents.example{path}"));
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
    }

    [Theory]
    [InlineData("http://jwa.localhost:{0}/mcp", true, false)]
    [InlineData("http://jwa.localhost:{0}/jwb/mcp", true, false)]
    [InlineData("http://other.localhost:{0}/jwa/mcp", false, false)]
    [InlineData("http://localhost:{0}/jwb/jwa/mcp", true, false)]
    [InlineData("http://localhost:{0}/jwa/mcp?x", false, false)]
    [InlineData("http://localhost:{0}/jwa/mcp#x", false, false)]
    [InlineData("http://jwb@localhost:{0}/jwa/mcp", false, false)]
    [InlineData("http://localhost:{0}/j%77a/mcp", false, false)]
    [InlineData("http://localhost:{0}/jwb/../jwa/mcp", true, false)]
    public async Task In_development_an_audience_is_never_two_tenants(string audience, bool isFirsts, bool isSeconds)
    {
        await using var app = await StartAsync("", static _ => { });
        var port = Port(app);
        var token = _issuer.Mint(Fill(audience, port));
        foreach (var (tenant, isGood) in new[] { ("jwa", isFirsts), ("jwb", isSeconds) })
        {
            using var response = await SendAsync(app, HttpMethod.Post, Fill("127.0.0.1:{0}", port), $"/{tenant}/mcp", token);
            Assert.Equal((tenant, isGood ? HttpStatusCode.OK : HttpStatusCode.Unauthorized), (tenant, response.StatusCode));
        }
    }

    [Fact]
    public async Task A_base_that_a_proxy_passes_on_makes_no_tenants_token_good_at_the_default_tenant()
    {
        await using var app = await StartAsync("", settings =>
        {
            settings["Tenancy:PublicUrl"] = "https://agents.example";
            settings["Tenancy:DefaultTenant"] = "jwa";
            settings["Tenancy:Proxies:0"] = "127.0.0.1";
        });
        var token = _issuer.Mint("https://agents.example/jwb/mcp");
        using var foreign = await SendAsync(app, HttpMethod.Post, "agents.example", "/mcp", token, prefix: "/jwb");
        Assert.Equal(HttpStatusCode.Unauthorized, foreign.StatusCode);
    }

    [Theory]
    [InlineData("/.well-known/oauth-authorization-server/jwa/mcp")]
    [InlineData("/.well-known/openid-configuration/jwa/mcp")]
    [InlineData("/jwa/mcp/.well-known/openid-configuration")]
    [InlineData("/jwa/mcp/.well-known/oauth-authorization-server")]
    [InlineData("/.well-known/oauth-authorization-server")]
    [InlineData("/.well-known/openid-configuration")]
    [InlineData(WellKnown)]
    public async Task Where_a_client_looks_for_an_authorization_server_here_there_is_none_and_a_page_can_read_that(string place)
    {
        await using var app = await StartAsync("", settings =>
        {
            settings["Tenancy:PublicUrl"] = "https://agents.example";
            settings["Tenancy:AllowedOrigins:0"] = "https://console.example";
        });
        using var answer = await SendAsync(app, HttpMethod.Get, "agents.example", place, origin: "https://console.example");
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("https://console.example", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Theory]
    [InlineData("127.0.0.1:{0}", "http://127.0.0.1:{0}")]
    [InlineData("agents.example", "https://agents.example")]
    public async Task A_tenant_that_a_header_names_has_its_metadata_where_the_server_was_reached(string host, string origin)
    {
        await using var app = await StartAsync("", settings => settings["Tenancy:PublicUrl"] = "https://agents.example");
        using var refused = await SendAsync(app, HttpMethod.Post, Fill(host, Port(app)), "/mcp", tenant: "jwa");
        Assert.Contains(
            $"resource_metadata=\"{Fill(origin, Port(app))}{WellKnown}/jwa/mcp\"",
            refused.Headers.WwwAuthenticate.ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_client_that_registers_itself_here_reads_that_there_is_no_oauth()
    {
        await using var app = await StartAsync("", settings =>
        {
            settings["Tenancy:PublicUrl"] = "https://agents.example";
            settings["Tenancy:AllowedOrigins:0"] = "https://console.example";
        });
        foreach (
            var (method, place) in new[]
            {
                (HttpMethod.Post, "/register"),
                (HttpMethod.Post, "/token"),
                (HttpMethod.Get, "/authorize?response_type=code"),
            }
        )
        {
            using var answer = await SendAsync(app, method, "agents.example", place, origin: "https://console.example");
            Assert.True(answer.StatusCode == HttpStatusCode.NotFound, $"{place}: {answer.StatusCode}");
            Assert.Equal("https://console.example", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
            var error = await McpCalls.ReadAsync(answer);
            Assert.Equal("access_denied", error["error"]!.ToString());
            Assert.Contains("bearer token that is valid and has the scope", $"{error["error_description"]}", StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whatever_else_an_application_asks_for_the_metadata_is_open_and_a_refusal_can_be_read(bool isForAll)
    {
        await using var app = await StartAsync(
            "",
            settings => settings["Tenancy:PublicUrl"] = "https://agents.example",
            services: services =>
            {
                var nobody = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireClaim("badge").Build();
                services.AddAuthorizationBuilder().AddPolicy("badge", nobody);
                services.Configure<AuthorizationOptions>(options => options.FallbackPolicy = isForAll ? nobody : null);
            },
            conventions: endpoints =>
            {
                if (!isForAll)
                {
                    endpoints.RequireAuthorization("badge");
                }
            }
        );
        using var metadata = await SendAsync(app, HttpMethod.Get, "agents.example", WellKnown + "/jwa/mcp");
        Assert.Equal(HttpStatusCode.OK, metadata.StatusCode);
        using var register = await SendAsync(app, HttpMethod.Post, "agents.example", "/register");
        Assert.Equal("access_denied", (await McpCalls.ReadAsync(register))["error"]!.ToString());
        using var unknown = await SendAsync(app, HttpMethod.Post, "agents.example", "/jwa/mcp");
        Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
        Assert.Contains(WellKnown + "/jwa/mcp", unknown.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Equal(-32028, (int)(await McpCalls.ReadAsync(unknown))["error"]!["code"]!);
        using var refused = await SendAsync(
            app,
            HttpMethod.Post,
            "agents.example",
            "/jwa/mcp",
            _issuer.Mint("https://agents.example/jwa/mcp")
        );
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal(-32028, (int)(await McpCalls.ReadAsync(refused))["error"]!["code"]!);
    }

    [Fact]
    public async Task A_client_that_is_not_listed_reads_so_where_an_application_asks_for_callers_first()
    {
        await using var app = await StartAsync(
            "",
            settings =>
            {
                settings["Tenancy:PublicUrl"] = "https://agents.example";
                settings["Tenancy:Tenants:0:authentication:requireClients"] = "true";
            },
            conventions: endpoints => endpoints.RequireAuthorization()
        );
        var token = _issuer.Mint("https://agents.example/jwa/mcp", claims => claims["client_id"] = "other");
        using var refused = await SendAsync(app, HttpMethod.Post, "agents.example", "/jwa/mcp", token);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal("application/json", refused.Content.Headers.ContentType!.MediaType);
        var error = (await McpCalls.ReadAsync(refused))["error"]!;
        Assert.Equal(-32028, (int)error["code"]!);
        Assert.Contains("client", error["message"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1:{0}", "/api/jwa/mcp")]
    [InlineData("jwa.localhost:{0}", "/api/mcp")]
    public async Task In_development_it_is_found_below_the_applications_base_too(string host, string path)
    {
        await using var app = await StartAsync("/api", settings => settings["Tenancy:BaseDomain"] = "localhost");
        var port = Port(app);
        host = Fill(host, port);
        using var refused = await SendAsync(app, HttpMethod.Post, host, path);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        var place = refused.Headers.WwwAuthenticate.ToString().Split("resource_metadata=\"")[1].Split('"')[0];
        using var metadata = await SendAsync(app, HttpMethod.Get, host, new Uri(place).AbsolutePath);
        Assert.Equal(HttpStatusCode.OK, metadata.StatusCode);
        Assert.Equal($"http://{host}{path}", (await McpCalls.ReadAsync(metadata))["resource"]!.ToString());
    }

    [Fact]
    public async Task An_endpoint_of_the_applications_own_at_such_a_place_is_not_touched()
    {
        const string metadata = "/.well-known/openid-configuration";
        await using var app = await StartAsync(
            "",
            settings => settings["Tenancy:PublicUrl"] = "https://agents.example",
            endpoints: app =>
            {
                app.MapPost("/register", () => "welcome");
                app.MapGet(metadata, () => "mine");
            }
        );
        using var answer = await SendAsync(app, HttpMethod.Post, "agents.example", "/register");
        Assert.Equal("welcome", await answer.Content.ReadAsStringAsync(Token));
        using var own = await SendAsync(app, HttpMethod.Get, "agents.example", metadata);
        Assert.Equal("mine", await own.Content.ReadAsStringAsync(Token));
    }

    [Theory]
    [InlineData("/.well-known/oauth-protected-resource")]
    [InlineData("/.well-known/oauth-protected-resource/mcp")]
    [InlineData("/.well-known/oauth-protected-resource/{tenant}/mcp")]
    [InlineData("/.well-known/oauth-protected-resource/{a}/{b}/{c}/mcp")]
    [InlineData("/.well-known/oauth-protected-resource/jwa/mcp")]
    [InlineData("/.well-known/oauth-authorization-server/{tenant}/mcp")]
    [InlineData("/.well-known/openid-configuration/mcp")]
    [InlineData("/{tenant}/mcp/.well-known/oauth-protected-resource")]
    [InlineData("/mcp/.well-known/openid-configuration")]
    [InlineData("/.well-known/{**rest}")]
    [InlineData("/.well-known/oauth-protected-resource/{**resource}")]
    public async Task An_endpoint_of_the_applications_own_answers_at_the_places_of_the_metadata(string pattern)
    {
        await using var app = await StartAsync(
            "",
            settings => settings["Tenancy:PublicUrl"] = "https://agents.example",
            endpoints: app => app.MapGet(pattern, () => "mine")
        );
        var path = pattern
            .Replace("{tenant}", "jwa", StringComparison.Ordinal)
            .Replace("{a}/{b}/{c}", "a/b/c", StringComparison.Ordinal)
            .Replace("{**rest}", "oauth-protected-resource/jwa/mcp", StringComparison.Ordinal)
            .Replace("{**resource}", "jwa/mcp", StringComparison.Ordinal);
        using var answer = await SendAsync(app, HttpMethod.Get, "agents.example", path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("mine", await answer.Content.ReadAsStringAsync(Token));
        using var call = await SendAsync(app, HttpMethod.Post, "agents.example", "/jwa/mcp");
        Assert.Equal(HttpStatusCode.Unauthorized, call.StatusCode);
    }

    [Fact]
    public async Task A_page_of_the_applications_own_for_everything_leaves_the_metadata_where_it_is()
    {
        await using var app = await StartAsync(
            "",
            settings => settings["Tenancy:PublicUrl"] = "https://agents.example",
            endpoints: app =>
            {
                app.MapGet("/{**page}", () => "mine");
                app.MapFallback(() => "mine");
            }
        );
        using var answer = await SendAsync(app, HttpMethod.Get, "agents.example", WellKnown + "/jwa/mcp");
        Assert.Equal("https://agents.example/jwa/mcp", (await McpCalls.ReadAsync(answer))["resource"]!.ToString());
    }

    [Fact]
    public async Task The_metadata_knows_the_tools_scopes_beside_the_tenants_and_a_refusal_names_what_is_held_and_needed()
    {
        await using var app = await StartAsync("", settings =>
        {
            settings["Tenancy:PublicUrl"] = "https://agents.example";
            settings["Tenancy:Tenants:0:authentication:scopes:0"] = "adcp";
        });
        using var metadata = await SendAsync(app, HttpMethod.Get, "agents.example", WellKnown + "/jwa/mcp");
        Assert.Equal("""["adcp","buy"]""", (await McpCalls.ReadAsync(metadata))["scopes_supported"]!.ToJsonString());
        using var other = await SendAsync(app, HttpMethod.Get, "agents.example", WellKnown + "/jwb/mcp");
        Assert.Equal("""["buy"]""", (await McpCalls.ReadAsync(other))["scopes_supported"]!.ToJsonString());
        using var refused = await SendAsync(
            app,
            HttpMethod.Post,
            "agents.example",
            "/jwa/mcp",
            _issuer.Mint("https://agents.example/jwa/mcp", claims => claims["scope"] = "adcp offline_access"),
            body: McpCalls.Call("scoped")
        );
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("scope=\"adcp offline_access buy\"", refused.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    private static string Fill(string text, int port) => text.Replace("{0}", $"{port}", StringComparison.Ordinal);

    private static int Port(WebApplication app) => new Uri(app.Urls.First().Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)).Port;

    // As a proxy or a resolver would make it: the request comes by any host.
    private static async Task<HttpResponseMessage> SendAsync(
        WebApplication app,
        HttpMethod method,
        string host,
        string path,
        string? token = null,
        string? origin = null,
        string? body = null,
        string? tenant = null,
        string? prefix = null
    )
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });
        using var request = McpCalls.Post(1, Way.Path, "any", token, body ?? McpCalls.Call("whoami"));
        request.RequestUri = new($"http://127.0.0.1:{Port(app)}{path}");
        request.Method = method;
        request.Headers.Host = host;
        request.Headers.Add("X-Forwarded-Proto", "https");
        if (prefix is not null)
        {
            request.Headers.Add("X-Forwarded-For", "192.0.2.1");
            request.Headers.TryAddWithoutValidation("X-Forwarded-Prefix", prefix);
        }

        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        if (tenant is not null)
        {
            request.Headers.Add("X-Tenant-ID", tenant);
        }

        if (method == HttpMethod.Get)
        {
            request.Content = null;
        }

        return await client.SendAsync(request, Token);
    }

    private async Task<WebApplication> StartAsync(
        string pathBase,
        Action<Dictionary<string, string?>> change,
        string environment = "Development",
        string address = "http://127.0.0.1:0",
        Action<WebApplication>? endpoints = null,
        Action<IServiceCollection>? services = null,
        Action<IEndpointConventionBuilder>? conventions = null
    )
    {
        var settings = new Dictionary<string, string?>
        {
            ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            ["Tenancy:Admin:Keys:0"] = new string('k', 32),
            ["Tenancy:AcceptEmbeddedStore"] = "true",
            ["Tenancy:AllowDevelopmentValues"] = environment == "Development" ? "false" : "true",
        };
        foreach (var (id, number) in new[] { ("jwa", 0), ("jwb", 1) })
        {
            settings[$"Tenancy:Tenants:{number}:id"] = id;
            settings[$"Tenancy:Tenants:{number}:authentication:kind"] = "jwks";
            settings[$"Tenancy:Tenants:{number}:authentication:issuer"] = _issuer.Url;

            // The issuer of these tests speaks http, which is for Development only.
            settings[$"Tenancy:Tenants:{number}:authentication:audiences:0"] = $"{id}-api";
        }

        change(settings);
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = environment, ApplicationName = typeof(OAuthPlacesTests).Assembly.GetName().Name }
        );
        builder.Configuration.AddInMemoryCollection(settings);
        builder.WebHost.UseUrls(address);
        builder.Logging.ClearProviders();
        builder.Services.AddTenancy(builder.Configuration).AddEmbeddedStore().AddPlatform<OAuthPlatform>("any");
        builder.Services.PostConfigure<Tenancy.Configuration.TenancyOptions>(options => options.Validation.AllowLoopback = true);
        services?.Invoke(builder.Services);
        var app = builder.Build();
        if (pathBase.Length > 0)
        {
            app.UsePathBase(pathBase);
            app.UseRouting();
        }

        app.UseTenancy();
        var mcp = app.MapTenantMcp();
        conventions?.Invoke(mcp);
        endpoints?.Invoke(app);
        await app.StartAsync(Token);
        var registry = app.Services.GetRequiredService<TenantRegistry>();
        await Poll.UntilAsync(() =>
            Task.FromResult(registry.IsLoaded && registry.Get("jwa") is { IsServing: true } && registry.Get("jwb") is { IsServing: true })
        );
        return app;
    }

    internal sealed class OAuthPlatform : ITenantPlatform<OAuthPlatform>
    {
        public static void Define(IPlatformBuilder platform) => platform.AddHandlers<OAuthTools>();

        public static Task<OAuthPlatform> CreateAsync(TenantSetup tenant, CancellationToken cancellationToken) =>
            Task.FromResult(new OAuthPlatform());
    }

    internal sealed class OAuthTools
    {
        [McpServerTool(Name = "whoami")]
        public static string WhoAmI(ToolContext context) => $"{context.TenantId}";

        [McpServerTool(Name = "scoped"), RequireScope("buy")]
        public static string Scoped() => "done";
    }
}

using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Server;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Configuration;

/// <summary>A configuration that cannot be meant stops the start, and the message names the setting and the fix.</summary>
[Tier(Tier.Process)]
public sealed class StartTests
{
    private static readonly string LongKey = new('k', 44);

    [Theory]
    [InlineData("Tenancy:Identification", "path,cookie", "Tenancy:Identification", "cookie", "use any of path")]
    [InlineData("Tenancy:Identificaton", "path", "Tenancy:Identificaton", "is not a setting", "Identification")]
    [InlineData("Tenancy:Identificaton", "path", "did you mean Identification?")]
    [InlineData("Tenancy:Admin:Kyes:0", "secret", "Tenancy:Admin:Kyes", "is not a setting", "did you mean Keys?")]
    [InlineData("Tenancy:Adcp:Requests", "lax", "Tenancy:Adcp:Requests", "'lax'", "use strict, warn or off")]
    [InlineData("Tenancy:Adcp:Reqests", "warn", "Tenancy:Adcp:Reqests", "is not a setting", "did you mean Requests?")]
    [InlineData("Tenancy:Adcp:TestMode", "perhaps", "Tenancy:Adcp:TestMode", "'perhaps'", "true or false")]
    [InlineData("Tenancy:MaxRequestBodySize", "1023", "Tenancy:MaxRequestBodySize", "is 1023", "use at least 1024 bytes")]
    [InlineData("Tenancy:MultiTenant", "perhaps", "Tenancy:MultiTenant", "perhaps", "true or false")]
    [InlineData("Tenancy:PublicUrl", "agents.example.com", "Tenancy:PublicUrl", "agents.example.com", "absolute http or https URL")]
    [InlineData("Tenancy:PublicUrl", "https://agents.example.com/a/b/c", "Tenancy:PublicUrl", "/a/b/c", "at most 2 path segments")]
    [InlineData("Tenancy:BaseDomain", "https://example.com", "Tenancy:BaseDomain", "https://example.com", "without scheme")]
    [InlineData(
        "Tenancy:AllowedOrigins:0",
        "https://x.example/app",
        "Tenancy:AllowedOrigins",
        "https://x.example/app",
        "scheme, host and port only"
    )]
    [InlineData("Tenancy:AllowedHeaders:0", "X-Api-Key: x", "Tenancy:AllowedHeaders", "X-Api-Key: x", "the name of a header")]
    [InlineData("Tenancy:DefaultTenant", "Acme Inc", "Tenancy:DefaultTenant", "Acme Inc", "a-z, 0-9")]
    [InlineData("Tenancy:MaxRequestBodySize", "lots", "Tenancy:MaxRequestBodySize", "lots", "whole number")]
    [InlineData("Tenancy:MaxBodyBytesPerTenant", "lots", "Tenancy:MaxBodyBytesPerTenant", "lots", "whole number")]
    [InlineData(
        "Tenancy:MaxBodyBytesPerTenant",
        "4194303",
        "Tenancy:MaxBodyBytesPerTenant",
        "is 4194303",
        "at least Tenancy:MaxRequestBodySize, 4194304"
    )]
    [InlineData(
        "Tenancy:MaxBodyBytesPerNode",
        "33554431",
        "Tenancy:MaxBodyBytesPerNode",
        "is 33554431",
        "at least Tenancy:MaxBodyBytesPerTenant, 33554432"
    )]
    [InlineData("Tenancy:RequestBodyTimeout", "soon", "Tenancy:RequestBodyTimeout", "soon", "hours:minutes:seconds")]
    [InlineData("Tenancy:RequestBodyTimeout", "00:00:00", "Tenancy:RequestBodyTimeout", "00:00:00", "00:00:01 to 00:10:00")]
    [InlineData("Tenancy:Admin:Keys:0", " ", "Tenancy:Admin:Keys", "empty", "remove it")]
    [InlineData(
        "Tenancy:Admin:AllowedHosts",
        "http://admin.internal",
        "Tenancy:Admin:AllowedHosts",
        "http://admin.internal",
        "admin.internal:8080"
    )]
    [InlineData("Tenancy:Defaults:Platform", "blimp", "Tenancy:Defaults:Platform", "blimp", "publisher")]
    [InlineData("Tenancy:Defaults:Authentication:Kind", "magic", "Tenancy:Defaults:Authentication:Kind", "known ones", "bearer, none")]
    [InlineData("Tenancy:Defaults:Authentication:Isuer", "x", "Tenancy:Defaults:Authentication:Isuer", "check its spelling", "'issuer'")]
    [InlineData(
        "Tenancy:Tenants:0:urls:0",
        "acme.example.com",
        "Tenancy:Tenants:0:urls:0 ",
        "acme.example.com",
        "absolute http or https URL"
    )]
    [InlineData("Tenancy:Tenants:1:urls:0", "http://ACME.example.com", "Tenancy:Tenants:1:urls", "tenant 'acme'", "belongs to one tenant")]
    [InlineData("Tenancy:Tenants:1:id", "acme", "Tenancy:Tenants:1:id", "used by two tenants", "its own")]
    [InlineData("Tenancy:Tenants:0:id", "Acme", "Tenancy:Tenants:0:id", "'Acme'", "a-z, 0-9")]
    [InlineData("Tenancy:Tenants:0:platform", "blimp", "Tenancy:Tenants:0:platform", "'blimp'", "publisher, retailer")]
    [InlineData("Tenancy:Tenants:0:limits:rateLimit", "-1", "Tenancy:Tenants:0:limits:rateLimit ", "is -1", "from 1 to 60000000")]
    [InlineData("Tenancy:Defaults:Limits:MaxClients", "10001", "Tenancy:Defaults:Limits:maxClients ", "is 10001", "from 1 to 10000")]
    [InlineData("Tenancy:Tenants:0:url", "https://x.example", "Tenancy:Tenants:0", "url", "check its spelling", "perhaps 'urls'")]
    [InlineData(
        "Tenancy:Tenants:0:principals:0:token",
        "globex.dev-buyer",
        "Tenancy:Tenants:0:principals:0:token ",
        "must begin with",
        "'acme.'"
    )]
    [InlineData("ConnectionStrings:Redis", "localhost:6379,nonsense=1", "ConnectionStrings:Redis", "nonsense", "host:port")]
    public async Task A_mistake_in_any_environment_stops_the_start(string setting, string value, params string[] expected)
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { [setting] = value };
        await AssertRefusedAsync(settings, "Development", expected);
    }

    [Theory]
    [InlineData("Tenancy:Admin:Keys:0", "dev-admin-key", "Tenancy:Admin:Keys:0", "32 bytes", "openssl rand")]
    [InlineData("Tenancy:Adcp:TestMode", "true", "Tenancy:Adcp:TestMode", "everywhere but in Development")]
    [InlineData("Tenancy:BaseDomain", "localhost", "Tenancy:BaseDomain", "development value", "set the domain")]
    [InlineData("Tenancy:PublicUrl", "http://localhost:5099", "Tenancy:PublicUrl", "development value", "set the URL")]
    [InlineData("Tenancy:AcceptEmbeddedStore", "false", "ConnectionStrings:Redis", "forgets everything", "Tenancy:AcceptEmbeddedStore")]
    [InlineData(
        "Tenancy:Tenants:0:principals:0:token",
        "acme.dev-buyer",
        "Tenancy:Tenants:0:principals:0:token ",
        "easy to guess",
        "43 random base64url"
    )]
    public async Task A_value_for_development_stops_the_start_everywhere_but_in_development(
        string setting,
        string? value,
        params string[] expected
    )
    {
        foreach (var environment in new[] { "Production", "Prod", "Staging", "Developement" })
        {
            var settings = Production();
            settings[setting] = value;
            await AssertRefusedAsync(settings, environment, expected);
        }
    }

    [Fact]
    public async Task An_environment_that_is_no_production_can_say_that_it_is_for_development()
    {
        var settings = Development();
        settings["Tenancy:AllowDevelopmentValues"] = "true";
        settings["Tenancy:Admin:AllowedHosts"] = "127.0.0.1";
        await using var server = await TenancyServer.StartAsync(settings: settings, environment: "Staging");
        using var response = await server.AdminAsync(HttpMethod.Get, "");
        Assert.True(response.IsSuccessStatusCode);
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("whoami"));
        request.Headers.Host = "localhost:5099";
        using var answer = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Production_has_no_such_word()
    {
        var settings = Development();
        settings["Tenancy:AllowDevelopmentValues"] = "true";
        await AssertRefusedAsync(
            settings,
            "Production",
            "Tenancy:AllowDevelopmentValues",
            "Production has no values for development",
            "Tenancy:Admin:Keys:0",
            "Tenancy:BaseDomain"
        );
        settings = Production();
        settings["Tenancy:AllowDevelopmentValues"] = "true";
        await AssertRefusedAsync(settings, "Production", "Tenancy:AllowDevelopmentValues");
    }

    [Fact]
    public async Task A_misspelt_environment_is_named_with_the_way_out() =>
        await AssertRefusedAsync(
            Development(testMode: false),
            "Prod",
            "'Prod'",
            "Tenancy:AllowDevelopmentValues=true",
            "Tenancy:Admin:Keys:0",
            "Tenancy:BaseDomain",
            "Tenancy:PublicUrl",
            "principals:0:token"
        );

    [Fact]
    public async Task Production_needs_to_know_its_own_host()
    {
        var settings = Production();
        settings.Remove("Tenancy:PublicUrl");
        settings.Remove("Tenancy:BaseDomain");
        await AssertRefusedAsync(settings, "Production", "Tenancy:PublicUrl", "outside Development it is needed", "Tenancy:BaseDomain");
    }

    [Fact]
    public async Task Production_starts_without_those_values()
    {
        await using var server = await TenancyServer.StartAsync(settings: Production(), environment: "Production");
        using var response = await server.AdminAsync(HttpMethod.Get, "", key: LongKey);
        Assert.True(response.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Production_refuses_a_development_token_that_a_store_still_has()
    {
        await using var redis = await RedisServer.StartAsync();
        await using (await TenancyServer.StartAsync(redis: redis))
        {
            // Seeds the store with the tokens of development.
        }

        await using var server = await TenancyServer.StartAsync(settings: Production(), environment: "Production", redis: redis);
        using var request = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Call("whoami"));
        request.Headers.Host = "agents.example.com";
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task All_mistakes_are_named_at_once()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings)
        {
            ["Tenancy:PublicUrl"] = "x",
            ["Tenancy:Identification"] = "y",
            ["Tenancy:Tenants:0:id"] = "Z",
        };
        await AssertRefusedAsync(settings, "Development", "Tenancy:PublicUrl", "Tenancy:Identification", "Tenancy:Tenants:0:id");
    }

    [Fact]
    public async Task What_the_SDK_offers_and_would_take_something_to_another_tenant_is_refused()
    {
        await AssertRefusedAsync(options => options.PerSessionExecutionContext = true, "PerSessionExecutionContext", "leave it false");
        await AssertRefusedAsync(
            options =>
                options.EventStreamStore = new DistributedCacheEventStreamStore(
                    Options.Create(
                        new DistributedCacheEventStreamStoreOptions
                        {
                            Cache = new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions())),
                        }
                    )
                ),
            "EventStreamStore",
            "leave it null"
        );
#pragma warning disable MCP9004
        await AssertRefusedAsync(options => options.EnableLegacySse = true, "EnableLegacySse", "leave it false");
#pragma warning restore MCP9004

        static async Task AssertRefusedAsync(Action<HttpServerTransportOptions> change, params string[] words)
        {
            var refused = await Assert.ThrowsAsync<OptionsValidationException>(() =>
                TenancyServer.StartAsync(services: services => services.Configure(change))
            );
            Assert.All(words, word => Assert.Contains(word, refused.Message, StringComparison.Ordinal));
        }
    }

    private static Dictionary<string, string?> Production() =>
        new()
        {
            ["Tenancy:PublicUrl"] = "https://agents.example.com",
            ["Tenancy:BaseDomain"] = "agents.example.com",
            ["Tenancy:Admin:Keys:0"] = LongKey,
            ["Tenancy:Admin:AllowedHosts"] = "127.0.0.1",
            ["Tenancy:AcceptEmbeddedStore"] = "true",
            ["Tenancy:Tenants:0:id"] = "acme",
            ["Tenancy:Tenants:0:principals:0:name"] = "buyer",
        };

    // What the scaffold has for development.
    private static Dictionary<string, string?> Development(bool testMode = true) =>
        new()
        {
            ["Tenancy:PublicUrl"] = "http://localhost:5099",
            ["Tenancy:BaseDomain"] = "localhost",
            ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
            ["Tenancy:Adcp:TestMode"] = testMode ? "true" : "false",
            ["Tenancy:Tenants:0:id"] = "acme",
            ["Tenancy:Tenants:0:principals:0:name"] = "buyer",
            ["Tenancy:Tenants:0:principals:0:token"] = McpCalls.Acme,
        };

    private static async Task AssertRefusedAsync(Dictionary<string, string?> settings, string environment, params string[] expected)
    {
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(async () =>
        {
            WebApplication? app = null;
            try
            {
                app = TenancyServer.Build(settings, environment);
                await app.StartAsync();
            }
            finally
            {
                if (app is not null)
                {
                    await app.DisposeAsync();
                }
            }
        });
        Assert.All(expected, text => Assert.Contains(text, exception.Message, StringComparison.Ordinal));
    }
}

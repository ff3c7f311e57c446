using System.Net;
using System.Text;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Configuration;
using Tenancy.State;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>A cache in front of the server knows nothing of admin keys: what it may keep it gives to everybody.</summary>
[Tier(Tier.Process)]
public sealed class AdminCachingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_answer_of_any_admin_route_may_be_kept_with_the_key_or_without()
    {
        await using var server = await TenancyServer.StartAsync();
        using var principals = await server.AdminAsync(HttpMethod.Get, "/acme/principals");
        var principal = (await McpCalls.ReadAsync(principals))["principals"]![0]!["id"]!.ToString();
        var routes = Routes(server);
        Assert.Contains(("PATCH", "/admin/tenants/{id}"), routes);
        foreach (var (method, route) in routes)
        {
            var path = route
                .Replace("{id}", "acme", StringComparison.Ordinal)
                .Replace("{principalId}", principal, StringComparison.Ordinal)
                .Replace("{handle}", new string('h', 43), StringComparison.Ordinal);
            foreach (var key in new[] { TenancyServer.AdminKey, "wrong", null })
            {
                var unknown = path.Replace("acme", "nobody", StringComparison.Ordinal);
                using var known = await AssertNotKeptAsync(server, method, path, key, "{}");
                using var other = await AssertNotKeptAsync(server, method, unknown, key, "not json");
            }
        }
    }

    [Theory]
    [InlineData("GET", "/admin/tenants/acme/recheck", HttpStatusCode.MethodNotAllowed)]
    [InlineData("HEAD", "/admin/tenants", HttpStatusCode.MethodNotAllowed)]
    [InlineData("OPTIONS", "/admin/tenants/acme", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/admin/tenants/acme/no/such/thing", HttpStatusCode.NotFound)]
    [InlineData("POST", "/admin/tenants/acme/no/such/thing", HttpStatusCode.NotFound)]
    public async Task What_the_framework_would_answer_by_itself_may_not_be_kept_either(string method, string path, HttpStatusCode expected)
    {
        await using var server = await TenancyServer.StartAsync();
        using var response = await AssertNotKeptAsync(server, method, path, TenancyServer.AdminKey, null);
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        if (expected == HttpStatusCode.MethodNotAllowed)
        {
            Assert.NotEmpty(response.Content.Headers.Allow);
        }
    }

    [Fact]
    public async Task A_body_that_is_larger_than_the_server_takes_is_answered_in_words_that_may_not_be_kept()
    {
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.Configure<Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions>(options =>
                options.Limits.MaxRequestBodySize = 1000
            )
        );
        using var response = await AssertNotKeptAsync(
            server,
            "POST",
            "/admin/tenants",
            TenancyServer.AdminKey,
            $$"""{"id":"large","name":"{{new string('x', 5000)}}"}"""
        );
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("Development")]
    [InlineData("Production")]
    public async Task An_error_that_nobody_foresaw_is_logged_and_answered_in_words_that_may_not_be_kept(string environment)
    {
        await using var redis = await RedisServer.StartAsync();
        var log = new LogRecorder();
        await using var server = await TenancyServer.StartAsync(
            environment: environment,
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:PublicUrl"] = "https://agents.example.com",
                ["Tenancy:Admin:Keys:0"] = new string('k', 44),
                ["Tenancy:Admin:AllowedHosts"] = "127.0.0.1",
            },
            services: services => services.AddSingleton<Microsoft.Extensions.Logging.ILoggerProvider>(log),
            redis: redis
        );

        var key = new string('k', 44);
        using (await AssertNotKeptAsync(server, "POST", "/admin/tenants", key, """{"id":"broken"}""")) { }

        using var issued = await AssertNotKeptAsync(server, "POST", "/admin/tenants/broken/principals", key, """{"name":"a"}""");
        var token = (await McpCalls.ReadAsync(issued))["token"]!.ToString();

        // A record that no release of this library wrote.
        var record = new TenantKeyspace(TenantId.Parse("broken")).Principal(TenantKeyspace.Hash(token)).Value.ToString();
        await redis.ExecuteAsync("SET", record, "{");
        using var response = await AssertNotKeptAsync(server, "GET", "/admin/tenants/broken/principals", key, body: null);
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains(log.Errors, entry => entry.Event == "AdminRequestFailed");
    }

    private static List<(string Method, string Route)> Routes(TenancyServer server) =>
        [
            .. from endpoint in server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            where endpoint.RoutePattern.RawText!.StartsWith("/admin", StringComparison.Ordinal)
            from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET", "PUT"]
            orderby method == "DELETE" || endpoint.RoutePattern.RawText!.EndsWith("unregister", StringComparison.Ordinal)
            select (method, endpoint.RoutePattern.RawText!),
        ];

    private static async Task<HttpResponseMessage> AssertNotKeptAsync(
        TenancyServer server,
        string method,
        string path,
        string? key,
        string? body
    )
    {
        using var request = new HttpRequestMessage(new(method), path);
        if (body is not null && method != "GET")
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        if (key is not null)
        {
            request.Headers.Add("X-Admin-API-Key", key);
        }

        // Events go on and on: their head says it.
        var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        Assert.True(
            response.Headers.CacheControl is { NoStore: true },
            $"{method} {path} with key {key}: {(int)response.StatusCode} with {response.Headers.CacheControl}"
        );
        return response;
    }
}

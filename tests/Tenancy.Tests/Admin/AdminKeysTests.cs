using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Configuration;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>Several keys are valid at once; one may be for one tenant, or for reading, and none is kept out by what others do.</summary>
[Tier(Tier.Server)]
public sealed class AdminKeysTests
{
    private const string Reader = "a-key-that-reads";
    private const string OfAcme = "a-key-of-acme";
    private const string ReaderOfAcme = "a-key-that-reads-acme";

    private static readonly Dictionary<string, string?> Settings = new(TenancyServer.DefaultSettings)
    {
        ["Tenancy:Admin:Keys:1"] = "another-key",
        ["Tenancy:Admin:ReadKeys:0"] = Reader,
        ["Tenancy:Admin:TenantKeys:0"] = $"acme={OfAcme}",
        ["Tenancy:Admin:TenantReadKeys:0"] = $"acme={ReaderOfAcme}",
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_for_reading_changes_nothing()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Get, "", Reader));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Get, "/globex", Reader));
        foreach (
            var (method, path, body) in new (HttpMethod, string, object?)[]
            {
                (HttpMethod.Post, "", new { id = "another" }),
                (HttpMethod.Patch, "/acme", new { name = "another" }),
                (HttpMethod.Post, "/acme/recheck", null),
                (HttpMethod.Post, "/acme/unregister", null),
                (HttpMethod.Post, "/acme/principals", new { name = "mine" }),
                (HttpMethod.Delete, "/acme", null),
            }
        )
        {
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, method, path, Reader, body));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, method, path, ReaderOfAcme, body));
        }

        using var acme = await server.AdminAsync(HttpMethod.Get, "/acme");
        Assert.Equal("acme", (string)(await McpCalls.ReadAsync(acme))["name"]!);
        Assert.Equal(2, (await ListAsync(server, Reader)).Length);
    }

    [Fact]
    public async Task To_a_key_of_one_tenant_no_other_exists()
    {
        await using var server = await TenancyServer.StartAsync(settings: Settings);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Patch, "/acme", OfAcme, new { name = "ACME" }));
        Assert.Equal(HttpStatusCode.Created, await StatusAsync(server, HttpMethod.Post, "/acme/principals", OfAcme, new { name = "b" }));
        Assert.Equal(["acme"], await ListAsync(server, OfAcme));
        Assert.Equal(["acme"], await ListAsync(server, ReaderOfAcme));
        foreach (
            var (method, path, body) in new (HttpMethod, string, object?)[]
            {
                (HttpMethod.Get, "", null),
                (HttpMethod.Patch, "", new { name = "x" }),
                (HttpMethod.Delete, "", null),
                (HttpMethod.Post, "/recheck", null),
                (HttpMethod.Get, "/principals", null),
                (HttpMethod.Post, "/principals", new { name = "mine" }),
                (HttpMethod.Get, "/clients", null),
                (HttpMethod.Get, "/sessions", null),
            }
        )
        {
            Assert.Equal(
                (await AnswerAsync(server, method, "/nobody" + path, OfAcme, body)).Replace("nobody", "globex", StringComparison.Ordinal),
                await AnswerAsync(server, method, "/globex" + path, OfAcme, body)
            );
        }

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, HttpMethod.Post, "", OfAcme, new { id = "another" }));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/admin/nodes");
        request.Headers.Add("X-Admin-API-Key", OfAcme);
        using var nodes = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.Forbidden, nodes.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Get, "/globex", TenancyServer.AdminKey));
    }

    [Fact]
    public async Task What_others_fail_with_refuses_no_valid_key_and_a_key_has_300_requests_a_minute_of_its_own()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await TenancyServer.StartAsync(settings: Settings, services: services =>
            services.AddSingleton<TimeProvider>(time)
        );
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, HttpMethod.Get, "/acme", i % 2 == 0 ? "guess" : null));
        }

        using (var late = await server.AdminAsync(HttpMethod.Get, "/acme", key: "guess"))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, late.StatusCode);
            Assert.InRange(int.Parse(late.Headers.GetValues("Retry-After").Single(), null), 1, 6);
            Assert.Equal("application/problem+json", late.Content.Headers.ContentType!.MediaType);
        }

        for (var i = 0; i < 300; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Get, "/acme", Reader));
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(server, HttpMethod.Get, "/acme", Reader));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Get, "/acme", "another-key"));
        time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Get, "/acme", Reader));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, HttpMethod.Get, "/acme", "guess"));
    }

    [Theory]
    [InlineData("Tenancy:Admin:TenantKeys:0", "secret-without-tenant", "acme=KEY")]
    [InlineData("Tenancy:Admin:TenantKeys:0", "no tenant=secret", "acme=KEY")]
    [InlineData("Tenancy:Admin:TenantReadKeys:0", "acme=", "is empty")]
    [InlineData("Tenancy:Admin:ReadKeys:0", "dev-admin-key", "the same key")]
    public async Task A_mistake_in_the_keys_stops_the_start_and_repeats_no_key(string setting, string value, string said)
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings) { [setting] = value };
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => TenancyServer.StartAsync(settings: settings));
        Assert.Contains(setting, exception.Message, StringComparison.Ordinal);
        Assert.Contains(said, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("dev-admin-key", exception.Message, StringComparison.Ordinal);
        Assert.Empty(new AdminOptions().TenantKeys);
    }

    private static async Task<string[]> ListAsync(TenancyServer server, string key)
    {
        using var response = await server.AdminAsync(HttpMethod.Get, "", key: key);
        return
        [
            .. JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!["tenants"]!.AsArray().Select(one => (string)one!["id"]!),
        ];
    }

    private static async Task<HttpStatusCode> StatusAsync(
        TenancyServer server,
        HttpMethod method,
        string path,
        string? key,
        object? body = null
    )
    {
        using var response = await server.AdminAsync(method, path, body, key);
        return response.StatusCode;
    }

    private static async Task<string> AnswerAsync(TenancyServer server, HttpMethod method, string path, string key, object? body)
    {
        using var response = await server.AdminAsync(method, path, body, key);
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Token)}";
    }
}

using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>Settings that will not do are refused in the same way wherever they come in, and a recheck reads anew what they name.</summary>
[Tier(Tier.Server)]
public sealed class BadSettingsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("?wait=true")]
    public async Task A_tenant_with_bad_settings_is_refused_as_a_change_to_such_is_and_nothing_is_made(string query)
    {
        await using var server = await TenancyServer.StartAsync();
        var bad = new
        {
            id = "initech",
            urls = new[] { "https://initech.example.com" },
            settings = new { fail = "the product file is missing" },
            principals = new[] { new { name = "Buyer", token = "initech.given-token" } },
        };
        using var refused = await server.AdminAsync(HttpMethod.Post, query, bad);
        using var patched = await server.AdminAsync(HttpMethod.Patch, "/acme", new { bad.settings });
        Assert.Equal((HttpStatusCode.UnprocessableEntity, HttpStatusCode.UnprocessableEntity), (refused.StatusCode, patched.StatusCode));
        Assert.Equal(await patched.Content.ReadAsStringAsync(Token), await refused.Content.ReadAsStringAsync(Token));
        var errors = JsonNode.Parse(await refused.Content.ReadAsStringAsync(Token))!["errors"]!;
        Assert.Contains("the product file is missing", (string)errors["settings"]![0]!, StringComparison.Ordinal);
        Assert.Null(server.Services.GetRequiredService<TenantRegistry>().Get("initech"));

        // The id, the URL and the token are free, as nothing has taken them.
        using var mended = await server.AdminAsync(
            HttpMethod.Post,
            query,
            new
            {
                bad.id,
                bad.urls,
                settings = new { product = "poster" },
                bad.principals,
            }
        );
        Assert.Equal(HttpStatusCode.Created, mended.StatusCode);
        await server.CallAsync("initech", "initech.given-token", "whoami");
    }

    [Fact]
    public async Task Of_a_new_tenant_one_platform_is_built_and_where_it_is_refused_none_is_left()
    {
        var built = new BuiltPlatforms();
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton(built));
        built.Clear();
        using (var made = await server.AdminAsync(HttpMethod.Post, "?wait=true", new { id = "initech" }))
        {
            Assert.Equal("healthy", (string)JsonNode.Parse(await made.Content.ReadAsStringAsync(Token))!["health"]!);
        }

        Assert.Single(built);
        built.Clear();
        using var taken = await server.AdminAsync(HttpMethod.Post, "", new { id = "another", urls = new[] { "https://acme.example.com" } });
        Assert.Equal(HttpStatusCode.Conflict, taken.StatusCode);
        await Poll.UntilAsync(() => Task.FromResult(built.All(platform => platform.Disposals == 1)));
    }

    [Fact]
    public async Task A_recheck_builds_the_platform_anew_and_calls_that_run_end_on_the_one_they_began_with()
    {
        var built = new BuiltPlatforms();
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton(built));
        var before = Assert.Single(built);
        using var rechecked = await server.AdminAsync(HttpMethod.Post, "/acme/recheck");
        Assert.Equal(HttpStatusCode.OK, rechecked.StatusCode);
        Assert.Equal(2, built.Count);
        await Poll.UntilAsync(() => Task.FromResult(before.Disposals == 1));
        Assert.Equal(0, built.Single(platform => platform != before).Disposals);
        await server.CallAsync("acme", McpCalls.Acme, "get_products");
    }
}

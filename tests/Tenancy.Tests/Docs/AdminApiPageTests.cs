using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Admin.Console;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Docs;

/// <summary>docs/admin-api.md has every endpoint of the admin API, and its commands work in their order.</summary>
[Tier(Tier.Process)]
public sealed class AdminApiPageTests
{
    private static readonly Page Page = Page.Read("docs/admin-api.md");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_endpoint_has_a_row_and_every_row_an_endpoint()
    {
        await using var server = await TenancyServer.StartAsync();
        var endpoints = server
            .Services.GetServices<EndpointDataSource>()
            .SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/admin/", StringComparison.Ordinal))
            .Where(endpoint => endpoint.Metadata.GetMetadata<ConsoleMetadata>() is null)
            // Those without a method answer what none of the others takes.
            .Select(endpoint => (endpoint.RoutePattern, endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods))
            .Where(endpoint => endpoint.HttpMethods is not null)
            .Select(endpoint => $"{endpoint.HttpMethods![0]} {endpoint.RoutePattern.RawText!.TrimEnd('/')}");
        var rows = Page.Rows("| request | does").Select(row => row[0].Trim('`'));
        Assert.Equal(endpoints.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_commands_work_in_their_order()
    {
        await using var server = await TenancyServer.StartAsync();
        await using var shell = new Shell(("SERVER", $"http://localhost:{server.Port}"), ("KEY", TenancyServer.AdminKey));
        var blocks = Page.Scripts().Where(script => !script.StartsWith("export", StringComparison.Ordinal)).ToArray();
        Assert.True(blocks.Length > 5, $"{blocks.Length} blocks");
        foreach (var script in blocks)
        {
            // What an admin would copy from the answer before.
            if (script.Contains("$PRINCIPAL", StringComparison.Ordinal))
            {
                shell["PRINCIPAL"] = (string)(await GetAsync(server, "/initech/principals"))["principals"]![0]!["id"]!;
            }

            if (script.Contains("$HANDLE", StringComparison.Ordinal))
            {
                shell["HANDLE"] = (string)(await GetAsync(server, "/hooli/clients"))["clients"]![0]!["handle"]!;
            }

            await shell.RunAsync(script, Token);
        }

        var left = (await GetAsync(server, ""))["tenants"]!.AsArray().Select(tenant => (string)tenant!["id"]!);
        Assert.Equal(["acme", "globex"], left);
    }

    private static async Task<JsonNode> GetAsync(TenancyServer server, string path)
    {
        using var response = await server.AdminAsync(HttpMethod.Get, path);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!;
    }
}

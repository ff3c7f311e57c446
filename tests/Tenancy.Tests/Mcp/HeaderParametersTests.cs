using System.Net;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;
using Tenancy.Mcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A parameter that travels as a header, too, so that a proxy can read it, is the same in both.</summary>
[Tier(Tier.Server)]
public sealed class HeaderParametersTests
{
    [Theory]
    [InlineData("north", "north", HttpStatusCode.OK)]
    [InlineData("=?base64?bm9ydGg=?=", "north", HttpStatusCode.OK)]
    [InlineData("south", "north", HttpStatusCode.BadRequest)]
    [InlineData("=?base64?bm9ydGg?=", "north", HttpStatusCode.BadRequest)]
    [InlineData(null, "north", HttpStatusCode.BadRequest)]
    public async Task A_call_whose_header_is_not_its_parameter_is_refused(string? header, string region, HttpStatusCode status)
    {
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton(new CommonHandlers(platform => platform.AddHandlers<Regions>()))
        );
        foreach (var (tenant, token) in new[] { ("acme", McpCalls.Acme), ("globex", McpCalls.Globex) })
        {
            using var request = McpCalls.Post(
                server.Port,
                Way.Path,
                tenant,
                token,
                McpCalls.Call("sell_in", new() { ["region"] = region }, Generation.Stateless),
                Generation.Stateless
            );
            if (header is not null)
            {
                request.Headers.Add("Mcp-Param-Region", header);
            }

            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(status, response.StatusCode);
            var answer = await McpCalls.ReadAsync(response);
            Assert.Equal(status == HttpStatusCode.OK ? $"{tenant} in {region}" : null, (string?)answer["result"]?["content"]![0]!["text"]);
            Assert.Equal(status == HttpStatusCode.OK ? null : -32020, (int?)answer["error"]?["code"]);
        }
    }

    [Fact]
    public async Task A_tool_with_such_a_parameter_is_the_same_in_every_platform()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync<Regions, Others>());
        Assert.Contains("The tool 'sell_in' has parameters with x-mcp-header", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync<Others, Regions>());
        await using var server = await StartAsync<Regions, Regions>();
    }

    private static Task<TenancyServer> StartAsync<TOne, TOther>()
        where TOne : class
        where TOther : class =>
        TenancyServer.StartAsync(services: services =>
        {
            services.AddSingleton(
                new PlatformRegistration(
                    "one",
                    typeof(object),
                    platform => platform.AddHandlers<TOne>(),
                    (_, _) => Task.FromResult(new object())
                )
            );
            services.AddSingleton(
                new PlatformRegistration(
                    "other",
                    typeof(object),
                    platform => platform.AddHandlers<TOther>(),
                    (_, _) => Task.FromResult(new object())
                )
            );
        });

    internal sealed class Regions
    {
        [McpServerTool(Name = "sell_in")]
        public static string SellIn([McpHeader("Region")] string region, ToolContext context) => $"{context.TenantId} in {region}";
    }

    internal sealed class Others
    {
        [McpServerTool(Name = "sell_in")]
        public static string SellIn(string region) => region;
    }
}

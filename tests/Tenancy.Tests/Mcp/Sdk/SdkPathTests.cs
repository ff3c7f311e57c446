using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Mcp.Sdk;
using Tenancy.Mcp.Sessions;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp.Sdk;

[Tier(Tier.Server)]
public sealed class SdkPathTests
{
    [Fact]
    public async Task Where_a_session_cannot_be_renewed_the_answer_is_the_applications_to_write()
    {
        // Without the MCP SDK's endpoints there is nobody to renew it.
        await using var nothing = new ServiceCollection().BuildServiceProvider();
        await using var server = await TenancyServer.StartAsync(
            services: services =>
                services.AddSingleton(provider => new StaleSessions(
                    nothing,
                    provider.GetRequiredService<OpenSessions>(),
                    TimeProvider.System
                )),
            endpoints: app =>
                app.Use(
                    async (HttpContext context, RequestDelegate next) =>
                    {
                        try
                        {
                            await next(context);
                        }
                        catch (InvalidOperationException)
                        {
                            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                            await context.Response.WriteAsync("mine");
                        }
                    }
                )
        );
        var session = await server.InitializeAsync("acme", McpCalls.Acme);
        using var changed = await server.AdminAsync(HttpMethod.Patch, "/acme", """{"platform":"retailer"}""");
        Assert.True(changed.IsSuccessStatusCode);
        using var ping = McpCalls.Post(server.Port, Way.Path, "acme", McpCalls.Acme, McpCalls.Message("ping"), sessionId: session);
        using var failed = await server.Client.SendAsync(ping, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
        Assert.Equal("mine", await failed.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}

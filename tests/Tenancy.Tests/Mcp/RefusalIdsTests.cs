using System.Buffers;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Authentication;
using Tenancy.Mcp;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Mcp;

/// <summary>A refusal repeats the id of the request that it answers, and nothing of another one.</summary>
[Tier(Tier.Server)]
public sealed class RefusalIdsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_finds_no_place_is_refused_with_its_id_on_either_way(bool hasProgress)
    {
        await using var server = await TenancyServer.StartAsync();
        using (var changed = await server.AdminAsync(HttpMethod.Patch, "/acme", """{"limits":{"maxConcurrentCalls":1}}"""))
        {
            Assert.True(changed.IsSuccessStatusCode);
        }

        Assert.NotNull(
            server
                .Services.GetRequiredService<ConcurrentCalls>()
                .TryTake(server.Services.GetRequiredService<TenantRegistry>().Get("acme")!, CallerIdentity.System)
        );
        var meta = hasProgress ? ",\"_meta\":{\"progressToken\":1}" : "";
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            McpCalls.Acme,
            McpCalls.Call("whoami").Replace("\"arguments\":{}", "\"arguments\":{}" + meta, StringComparison.Ordinal)
        );
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(429, (int)response.StatusCode);
        Assert.Equal(1, (int)(await McpCalls.ReadAsync(response))["id"]!);
    }

    [Fact]
    public async Task The_id_of_a_refused_call_does_not_come_from_memory_that_others_have_by_then()
    {
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddSingleton<IAuthenticationService, Borrower>()
        );
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "acme",
            null,
            McpCalls.Call("whoami", new() { ["x"] = new string('x', 20_000) })
        );
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(401, (int)response.StatusCode);
        Assert.Equal(1, (int)(await McpCalls.ReadAsync(response))["id"]!);
    }

    /// <summary>Uses the memory that is free while a challenge is written, as another request would.</summary>
    private sealed class Borrower : IAuthenticationService
    {
        public Task<AuthenticateResult> AuthenticateAsync(HttpContext context, string? scheme) =>
            Task.FromResult(AuthenticateResult.NoResult());

        public Task ChallengeAsync(HttpContext context, string? scheme, AuthenticationProperties? properties)
        {
            for (var length = 1024; length <= 64 * 1024; length *= 2)
            {
                var memory = ArrayPool<byte>.Shared.Rent(length);
                memory.AsSpan().Fill((byte)'7');
                ArrayPool<byte>.Shared.Return(memory);
            }

            return Task.CompletedTask;
        }

        public Task ForbidAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) => Task.CompletedTask;

        public Task SignInAsync(HttpContext context, string? scheme, ClaimsPrincipal principal, AuthenticationProperties? properties) =>
            Task.CompletedTask;

        public Task SignOutAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) => Task.CompletedTask;
    }
}

using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>Whatever an application configures, nobody is known by what can be given to somebody else: an e-mail address, a name.</summary>
/// <remarks>For schemes of the application's own, the start refuses such a claim: see <see cref="TenantSchemeTests"/>.</remarks>
[Tier(Tier.Server)]
public sealed class IdentityClaimTests : IAsyncLifetime
{
    private const string Email = "shared@acme.example";
    private TestIssuer _issuer = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _issuer = await TestIssuer.StartAsync();

    public ValueTask DisposeAsync() => _issuer.DisposeAsync();

    [Fact]
    public async Task A_transformation_that_adds_a_claim_of_identities_changes_no_identity()
    {
        await using var server = await StartAsync(services => services.AddTransient<IClaimsTransformation, AddsClaims>());
        await AssertKnownBySubjectAsync(server);
        Assert.DoesNotContain(
            Email,
            (await server.CallAsync("acme", McpCalls.Acme, "whoami"))["content"]![0]!["text"]!.ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Who_is_made_into_somebody_without_an_identity_of_the_tenant_is_nobody()
    {
        await using var server = await StartAsync(services => services.AddTransient<IClaimsTransformation, ReplacesUser>());
        using var request = McpCalls.Post(server.Port, Way.Path, "initech", Token("alice"), McpCalls.Call("whoami"));
        using var response = await server.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    // Two people who share what can be shared.
    private async Task AssertKnownBySubjectAsync(TenancyServer server)
    {
        foreach (var subject in new[] { "alice", "bob" })
        {
            var who = (await server.CallAsync("initech", Token(subject), "whoami"))["content"]![0]!["text"]!.ToString();
            Assert.StartsWith($"initech|user:{_issuer.Url}|{subject}|", who, StringComparison.Ordinal);
            Assert.DoesNotContain(Email, who, StringComparison.Ordinal);
        }

        var session = await server.InitializeAsync("initech", Token("alice"));
        using var request = McpCalls.Post(
            server.Port,
            Way.Path,
            "initech",
            Token("bob"),
            McpCalls.Call("whoami"),
            Generation.Sessions,
            session
        );
        using var response = await server.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    private string Token(string subject) => _issuer.Mint("api", claims =>
        {
            claims["sub"] = subject;
            claims["email"] = claims["name"] = claims["preferred_username"] = claims["upn"] = Email;
        });

    private async Task<TenancyServer> StartAsync(Action<IServiceCollection> services)
    {
        var server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>(TenancyServer.DefaultSettings)
            {
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            },
            services: services
        );
        using var answer = await server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$"""{ "id": "initech", "authentication": { "kind": "jwks", "issuer": "{{_issuer.Url}}", "audiences": ["api"] } }"""
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
        return server;
    }

    private sealed class AddsClaims : IClaimsTransformation
    {
        public Task<ClaimsPrincipal> TransformAsync(ClaimsPrincipal principal)
        {
            principal.AddIdentity(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, $"initech|{Email}"), new("sub", Email)], "test"));
            ((ClaimsIdentity)principal.Identity!).AddClaim(new(ClaimTypes.NameIdentifier, $"initech|{Email}"));
            return Task.FromResult(principal);
        }
    }

    private sealed class ReplacesUser : IClaimsTransformation
    {
        public Task<ClaimsPrincipal> TransformAsync(ClaimsPrincipal principal) =>
            Task.FromResult(
                new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, Email), new(ClaimTypes.Name, Email)], "test"))
            );
    }
}

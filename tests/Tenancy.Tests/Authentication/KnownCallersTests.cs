using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy.Adcp;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>A caller who was proved a moment ago does not go ASP.NET Core's way, unless the application has put something there.</summary>
[Tier(Tier.Server)]
public sealed class KnownCallersTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_known_caller_goes_past_authentication_and_one_that_is_not_known_does_not()
    {
        // ASP.NET Core's middleware leaves this feature behind.
        var authenticated = new Queue<bool>();
        await using var server = await TenancyServer.StartAsync(endpoints: app =>
            app.Use(
                (HttpContext context, RequestDelegate next) =>
                {
                    authenticated.Enqueue(context.Features.Get<IAuthenticationFeature>() is not null);
                    return next(context);
                }
            )
        );
        await ExpectAsync(McpCalls.Acme, HttpStatusCode.OK, isAuthenticated: true);
        await ExpectAsync(McpCalls.Acme, HttpStatusCode.OK, isAuthenticated: false);
        await ExpectAsync(null, HttpStatusCode.OK, isAuthenticated: false);
        await ExpectAsync("acme.nobody", HttpStatusCode.Unauthorized, isAuthenticated: true);
        await ExpectAsync(McpCalls.Globex, HttpStatusCode.Unauthorized, isAuthenticated: true);

        async Task ExpectAsync(string? token, HttpStatusCode status, bool isAuthenticated)
        {
            Assert.Equal(status, await StatusAsync(server.Client, server.Port, token));
            Assert.Equal(isAuthenticated, authenticated.Dequeue());
        }
    }

    [Fact]
    public async Task What_an_application_adds_to_one_requests_user_is_not_there_in_the_next()
    {
        var identities = new List<int>();
        await using var server = await TenancyServer.StartAsync(endpoints: app =>
            app.Use(
                (HttpContext context, RequestDelegate next) =>
                {
                    identities.Add(context.User.Identities.Count());
                    context.User.AddIdentity(new ClaimsIdentity("of the application"));
                    ((ClaimsIdentity)context.User.Identity!).AddClaim(new("role", "admin"));
                    Assert.Single(context.User.FindAll("role"));
                    return next(context);
                }
            )
        );
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server.Client, server.Port, McpCalls.Acme));
        }

        Assert.Equal([1, 1, 1], identities);
    }

    [Fact]
    public async Task A_policy_for_all_endpoints_is_asked_at_each_request()
    {
        var answers = new Queue<bool>([true, false]);
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddAuthorization(options =>
                options.FallbackPolicy = new AuthorizationPolicyBuilder().RequireAssertion(_ => answers.Dequeue()).Build()
            )
        );
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server.Client, server.Port, McpCalls.Acme));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server.Client, server.Port, McpCalls.Acme));
    }

    [Fact]
    public async Task A_policy_of_the_MCP_endpoints_is_asked_at_each_request()
    {
        var answers = new Queue<bool>([true, false]);
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Configuration.AddInMemoryCollection(TenancyServer.DefaultSettings);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder
            .Services.AddTenancy(builder.Configuration)
            .AddEmbeddedStore()
            .AddAdcp()
            .AddPlatform<TestPublisher>("publisher")
            .AddPlatform<TestRetailer>("retailer");
        builder.Services.AddSingleton<IAccountResolver, OneAccount>();
        builder.Services.AddAuthorizationBuilder().AddPolicy("in turn", policy => policy.RequireAssertion(_ => answers.Dequeue()));
        await using var app = builder.Build();
        app.UseTenancy();
        app.MapTenantMcp().RequireAuthorization("in turn");
        await app.StartAsync(Token);
        using var client = new HttpClient();
        var port = new Uri(app.Urls.First()).Port;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, port, McpCalls.Acme));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, port, McpCalls.Acme));
    }

    [Fact]
    public async Task A_transformation_of_claims_is_run_at_each_request()
    {
        var transformation = new Transformation();
        await using var server = await TenancyServer.StartAsync(services: services =>
            services.AddScoped<IClaimsTransformation>(_ => transformation)
        );
        for (var i = 1; i < 4; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(server.Client, server.Port, McpCalls.Acme));
            Assert.Equal(i, transformation.Runs);
        }
    }

    [Fact]
    public async Task What_becomes_of_a_token_at_one_tenant_changes_nothing_at_another()
    {
        var clock = new MovableClock();
        await using var server = await TenancyServer.StartAsync(services: services => services.AddSingleton<TimeProvider>(clock));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server.Client, server.Port, McpCalls.Acme));

        // Good at acme, bad at globex: acme's caller is still one whom the bad tokens of others do not keep out.
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server.Client, server.Port, McpCalls.Acme, "globex"));
        clock.Advance(TimeSpan.FromSeconds(2));
        HttpStatusCode guessed;
        var guesses = 0;
        do
        {
            guessed = await StatusAsync(server.Client, server.Port, $"acme.guess-{guesses++}");
        } while (guessed == HttpStatusCode.Unauthorized && guesses < 200);
        Assert.Equal(HttpStatusCode.TooManyRequests, guessed);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server.Client, server.Port, McpCalls.Acme));
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, int port, string? token, string tenant = "acme")
    {
        using var request = McpCalls.Post(port, Way.Path, tenant, token, McpCalls.Call("get_products"));
        using var response = await client.SendAsync(request, Token);
        return response.StatusCode;
    }

    private sealed class Transformation : IClaimsTransformation
    {
        public int Runs { get; private set; }

        public Task<ClaimsPrincipal> TransformAsync(ClaimsPrincipal principal)
        {
            Runs++;
            return Task.FromResult(principal);
        }
    }
}

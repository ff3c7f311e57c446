using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.Admin;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Admin;

/// <summary>The admin key is an authentication scheme with an authorization policy, as ASP.NET Core has them.</summary>
[Tier(Tier.Server)]
public sealed class AdminPolicyTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_endpoint_of_ones_own_can_ask_for_the_admin_key()
    {
        await using var server = await TenancyServer.StartAsync(endpoints: app =>
            app.MapGet("/reports", (ClaimsPrincipal user) => user.Identity!.AuthenticationType)
                .RequireAuthorization(TenantAdminDefaults.Policy)
        );
        using var refused = await GetAsync(server, "/reports", "wrong");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains("X-Admin-API-Key", await refused.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        using var admitted = await GetAsync(server, "/reports", TenancyServer.AdminKey);
        Assert.Equal(TenantAdminDefaults.AuthenticationScheme, await admitted.Content.ReadAsStringAsync(Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_application_can_say_itself_who_is_an_admin(bool isBefore)
    {
        Action<WebApplicationBuilder> define = builder =>
        {
            builder.Services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, Badge>("Badge", null);
            builder.Services.AddAuthorization(options =>
                options.AddPolicy(TenantAdminDefaults.Policy, policy =>
                    policy.AddAuthenticationSchemes("Badge").RequireClaim("badge", "chief")
                )
            );
        };
        await using var app = isBefore ? BareServer.Build(before: define) : BareServer.Build(configure: define);
        app.UseTenancy();
        app.MapTenantAdmin();
        await app.StartAsync(Token);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, "X-Badge", "chief"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, "X-Badge", "guard"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, "X-Admin-API-Key", TenancyServer.AdminKey));
    }

    [Fact]
    public async Task A_policy_that_is_added_to_the_admin_api_is_asked_for_beside_the_key()
    {
        await using var app = BareServer.Build(configure: builder =>
            builder.Services.AddAuthorization(options => options.AddPolicy("never", policy => policy.RequireAssertion(_ => false)))
        );
        app.UseTenancy();
        app.MapTenantAdmin().RequireAuthorization("never");
        await app.StartAsync(Token);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, "X-Admin-API-Key", TenancyServer.AdminKey));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, "X-Admin-API-Key", "wrong"));
    }

    [Fact]
    public async Task A_tenants_caller_is_no_admin()
    {
        await using var server = await TenancyServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/admin/tenants");
        request.Headers.Add("Authorization", "Bearer " + McpCalls.Acme);
        request.Headers.Add("X-Tenant-ID", "acme");
        using var response = await server.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public void A_tenant_cannot_name_the_admins_scheme_as_its_own() =>
        Assert.Throws<ArgumentException>(() =>
            BareServer.Build(configure: builder =>
                new TenancyBuilder(builder.Services).AddTenantScheme(TenantAdminDefaults.AuthenticationScheme)
            )
        );

    [Fact]
    public async Task Without_a_key_it_is_said_that_there_is_no_admin_api()
    {
        var settings = new Dictionary<string, string?>(TenancyServer.DefaultSettings);
        settings.Remove("Tenancy:Admin:Keys:0");
        var log = new LogRecorder(LogLevel.Information);
        await using var server = await TenancyServer.StartAsync(settings: settings, services: services =>
            services.AddSingleton<ILoggerProvider>(log)
        );
        Assert.Contains(log.Entries, entry =>
            entry.Event == "AdminApiOff" && entry.Text.Contains("Tenancy:Admin:Keys", StringComparison.Ordinal)
        );
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/admin/tenants") { Headers = { { header, value } } };
        using var response = await client.SendAsync(request, Token);
        if (response.Content.Headers.ContentType is { } type)
        {
            Assert.Equal(response.IsSuccessStatusCode ? "application/json" : "application/problem+json", type.MediaType);
        }

        return response.StatusCode;
    }

    private static Task<HttpResponseMessage> GetAsync(TenancyServer server, string path, string key)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "X-Admin-API-Key", key } } };
        return server.Client.SendAsync(request, Token);
    }

    /// <summary>An application's own way to know its people.</summary>
    private sealed class Badge(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() =>
            Task.FromResult(
                Request.Headers["X-Badge"] is [{ } badge]
                    ? AuthenticateResult.Success(
                        new(new ClaimsPrincipal(new ClaimsIdentity([new Claim("badge", badge)], Scheme.Name)), Scheme.Name)
                    )
                    : AuthenticateResult.NoResult()
            );
    }
}

using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Authentication;
using Tenancy.Registry;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>A server with tenants of one issuer: one takes any access token, one asks for its type, one finds scopes elsewhere.</summary>
public sealed class TenantsOfOneIssuer : IAsyncLifetime
{
    private ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    internal FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    internal ECDsa Key => _key;

    internal StubServer Issuer { get; private set; } = null!;

    internal TenancyServer Server { get; set; } = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Issuer = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(_key, "one")));
        Server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
                ["Tenancy:Validation:AllowedNetworks:0"] = "127.0.0.0/8",
            },
            services: services => services.AddSingleton<TimeProvider>(Time)
        );
        await RegisterAsync("any", "");
        await RegisterAsync("strict", ""","tokenType":"at+jwt" """);
        await RegisterAsync("roles", ""","scopeClaims":["roles","permissions","realm"]""");
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Issuer.DisposeAsync();
        _key.Dispose();
    }

    /// <summary>From now on the issuer has another key of the same id, and signs with it.</summary>
    internal void ReplaceKey()
    {
        _key.Dispose();
        _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Issuer.Answer = StubServer.Issuer(TestKeys.Set(TestKeys.Ec(_key, "one")));
    }

    internal async Task RegisterAsync(string id, string settings)
    {
        using var response = await Server.AdminAsync(
            HttpMethod.Post,
            "?wait=true",
            $$$"""{"id":"{{{id}}}","authentication":{"kind":"jwks","issuer":"{{{Issuer.Url}}}","audiences":["{{{id}}}"]{{{settings}}}}}"""
        );
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    internal async Task RecheckAsync(string id, string health)
    {
        using var response = await Server.AdminAsync(HttpMethod.Post, $"/{id}/recheck", null);
        Assert.Equal(health, (await McpCalls.ReadAsync(response))["health"]!.ToString());
    }

    internal async Task<int> ChangeAsync(string id, string patch)
    {
        using var response = await Server.AdminAsync(HttpMethod.Patch, "/" + id, patch);
        return (int)response.StatusCode;
    }

    // Each tenant of one issuer has an audience of its own, and here a token has all of them.
    internal string Token(string claims, string head = "", ECDsa? by = null) =>
        Sign(
            RawToken
                .Claims(Issuer.Url, "AUDIENCES", claims.Trim(), Time.GetUtcNow().AddHours(1))
                .Replace("\"AUDIENCES\"", """["any","strict","roles"]""", StringComparison.Ordinal),
            head,
            by
        );

    internal string Sign(string claims, string head = "", ECDsa? by = null) =>
        RawToken.Sign($$"""{"alg":"ES256","kid":"one"{{(head.Length > 0 ? "," : "")}}{{head}}}""", claims, RawToken.By(by ?? _key));

    internal async Task<string> JudgeAsync(string tenant, string token)
    {
        var (_, refusal) = await CheckAsync(tenant, token);
        return refusal is null ? "good" : JsonSerializer.Serialize(refusal.Cause).Trim('"');
    }

    internal async Task<IEnumerable<string>> ScopesAsync(string tenant, string claims) =>
        CallerScopes.All((await CheckAsync(tenant, Token(claims))).Token!.User);

    internal async Task<int> CallAsync(string tenant, string token)
    {
        using var request = McpCalls.Post(Server.Port, Way.Path, tenant, token, McpCalls.Call("whoami"));
        using var response = await Server.Client.SendAsync(request, Cancellation);
        return (int)response.StatusCode;
    }

    internal async Task<(BelievedToken? Token, TokenRefusal? Refusal)> CheckAsync(string tenant, string token)
    {
        var jwts = Server.Services.GetRequiredService<TenantJwts>();
        return await jwts.CheckAsync(
            jwts.Get(Server.Services.GetRequiredService<TenantRegistry>().Get(tenant)!),
            token,
            called: null,
            Cancellation
        );
    }
}

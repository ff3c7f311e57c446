using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Tenancy.Tests.Hosting;

namespace Tenancy.Tests.Authentication;

/// <summary>A server whose tenants <c>acme</c> and <c>globex</c> have one issuer that names no audience.</summary>
internal sealed class TenantsOfOnePool : IAsyncLifetime
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    public StubServer Pool { get; private set; } = null!;

    public StubServer Other { get; private set; } = null!;

    public TenancyServer Server { get; private set; } = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Pool = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(_key, "one")));
        Other = await StubServer.StartIssuerAsync(TestKeys.Set(TestKeys.Ec(_key, "one")));
        Server = await TenancyServer.StartAsync(
            settings: new Dictionary<string, string?>
            {
                ["Tenancy:BaseDomain"] = "localhost",
                ["Tenancy:Admin:Keys:0"] = TenancyServer.AdminKey,
            },
            services: services => services.AddSingleton<TimeProvider>(Time)
        );
        await RegisterAsync("acme", Pool);
        await RegisterAsync("globex", Pool);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Pool.DisposeAsync();
        await Other.DisposeAsync();
        _key.Dispose();
    }

    public static string Tenant(string id, StubServer issuer, string settings) =>
        $$$"""{"id":"{{{id}}}","authentication":{"kind":"jwks","issuer":"{{{issuer.Url}}}",{{{settings}}}}}""";

    public async Task RegisterAsync(
        string id,
        StubServer issuer,
        string settings = """ "requireClients":true,"audienceFromClients":true """
    ) => await AdminAsync(HttpMethod.Post, "?wait=true", Tenant(id, issuer, settings));

    public async Task<string> ListAsync(string tenant, string client)
    {
        var (status, body) = await TryListAsync(tenant, client);
        Assert.True(status == HttpStatusCode.Created, body);
        return JsonNode.Parse(body)!["handle"]!.ToString();
    }

    public async Task<(HttpStatusCode Status, string Body)> TryListAsync(string tenant, string client)
    {
        using var response = await Server.AdminAsync(HttpMethod.Post, $"/{tenant}/clients", $$"""{ "clientId": "{{client}}" }""");
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    public async Task<string> AdminAsync(HttpMethod method, string path, string? body = null)
    {
        using var response = await Server.AdminAsync(method, path, body);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, text);
        return text;
    }

    public async Task<int> CallAsync(string tenant, string claims, StubServer? issuer = null)
    {
        using var request = McpCalls.Post(Server.Port, Way.Path, tenant, Token(claims, issuer), McpCalls.Call("whoami"));
        using var response = await Server.Client.SendAsync(request, Cancellation);
        return (int)response.StatusCode;
    }

    public async Task<JsonNode> ExplainAsync(string tenant, string claims) =>
        JsonNode.Parse(
            await AdminAsync(HttpMethod.Post, $"/{tenant}/explain-token", new JsonObject { ["token"] = Token(claims) }.ToJsonString())
        )!;

    private string Token(string claims, StubServer? issuer = null)
    {
        var all =
            $$"""{"iss":"{{(issuer ?? Pool).Url}}","sub":"alice","exp":{{Time.GetUtcNow().AddHours(1).ToUnixTimeSeconds()}},"""
            + $"{claims.Trim()}}}";
        return RawToken.Sign("""{"alg":"ES256","kid":"one"}""", all, RawToken.By(_key));
    }
}

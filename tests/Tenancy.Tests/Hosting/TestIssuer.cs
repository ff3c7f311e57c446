using System.Net.Http.Json;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Tenancy.Tests.Hosting;

/// <summary>
/// A real identity provider, OpenIddict, on loopback: whoever asks gets a token for the user and the audience that he names.
/// </summary>
internal sealed class TestIssuer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client = new();

    private TestIssuer(WebApplication app, SigningCredentials signing)
    {
        _app = app;
        Signing = signing;
    }

    /// <summary>What answers instead of the provider while it is set: an outage.</summary>
    public RequestDelegate? Outage { get; set; }

    /// <summary>The key that signs now.</summary>
    public SigningCredentials Signing { get; private set; }

    public string Url => _app.Urls.First() + "/";

    public static async Task<TestIssuer> StartAsync()
    {
        var signing = NewKey();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddAuthentication();
        builder
            .Services.AddOpenIddict()
            .AddServer(options =>
            {
                options.EnableDegradedMode();
                options.SetTokenEndpointUris("token").AllowPasswordFlow().AcceptAnonymousClients();
                options.SetAuthorizationEndpointUris("authorize").AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange();
                options.RegisterScopes("buy", "read");
                options
                    .AddSigningCredentials(signing)
                    .AddEncryptionKey(new SymmetricSecurityKey(RandomNumberGenerator.GetBytes(32)))
                    .DisableAccessTokenEncryption()
                    .DisableResourceValidation();
                options.UseAspNetCore().DisableTransportSecurityRequirement();
                options.AddEventHandler<ValidateTokenRequestContext>(handler => handler.UseInlineHandler(static _ => default));
                options.AddEventHandler<HandleTokenRequestContext>(handler =>
                    handler.UseInlineHandler(static context =>
                    {
                        context.Principal = Principal(
                            context.Request.Username ?? context.Principal?.GetClaim(Claims.Subject) ?? "",
                            context.Request
                        );
                        return default;
                    })
                );
                options.AddEventHandler<ValidateAuthorizationRequestContext>(handler => handler.UseInlineHandler(static _ => default));
                options.AddEventHandler<HandleAuthorizationRequestContext>(handler =>
                    handler.UseInlineHandler(static context =>
                    {
                        // Whoever sits before the browser is alice, and consents.
                        context.Principal = Principal("alice", context.Request);
                        return default;
                    })
                );
                options.AddEventHandler<HandleConfigurationRequestContext>(handler =>
                    handler.UseInlineHandler(static context =>
                    {
                        context.Metadata["registration_endpoint"] = new Uri(context.BaseUri!, "register").AbsoluteUri;
                        return default;
                    })
                );
            });
        var app = builder.Build();
        var issuer = new TestIssuer(app, signing);
        app.Use((context, next) => issuer.Outage is { } outage ? outage(context) : next(context));
        app.UseAuthentication();

        // OpenIddict registers no clients by itself (RFC 7591); here anybody is one.
        app.MapPost("/register", async (HttpContext context) =>
        {
            var client = (await JsonNode.ParseAsync(context.Request.Body))!.AsObject();
            client["client_id"] = Guid.NewGuid().ToString("N");
            context.Response.StatusCode = StatusCodes.Status201Created;
            await context.Response.WriteAsJsonAsync(client);
        });
        await app.StartAsync();
        return issuer;
    }

    /// <summary>An elliptic curve key, which costs nothing to make.</summary>
    public static SigningCredentials NewKey(string? id = null) =>
        new(
            new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP256)) { KeyId = id ?? Guid.NewGuid().ToString("N") },
            SecurityAlgorithms.EcdsaSha256
        );

    /// <summary>A token from the provider's token endpoint.</summary>
    public async Task<string> GetTokenAsync(string user, string audience, string? clientId = null)
    {
        var fields = new Dictionary<string, string>
        {
            ["grant_type"] = "password",
            ["username"] = user,
            ["password"] = "any",
            ["resource"] = audience,
        };
        if (clientId is not null)
        {
            fields["client_id"] = clientId;
        }

        using var form = new FormUrlEncodedContent(fields);
        using var response = await _client.PostAsync(new Uri(Url + "token"), form);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync<JsonObject>())!["access_token"]!.ToString();
    }

    /// <summary>A token with any content, signed with the provider's key or another.</summary>
    public string Mint(
        string audience,
        Action<Dictionary<string, object>>? claims = null,
        SigningCredentials? signing = null,
        string? type = "at+jwt",
        DateTime? expires = null,
        DateTime? notBefore = null,
        string? issuer = null
    )
    {
        var content = new Dictionary<string, object> { ["sub"] = "alice" };
        claims?.Invoke(content);
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            new SecurityTokenDescriptor
            {
                Issuer = issuer ?? Url,
                Audience = audience.Length > 0 ? audience : null,
                Claims = content,
                NotBefore = notBefore,
                Expires = expires == DateTime.MaxValue ? null : expires ?? DateTime.UtcNow.AddHours(2),
                TokenType = type,
                SigningCredentials = signing ?? Signing,
            }
        );
    }

    /// <summary>Signs with a new key, an RSA one, from now on; the older ones stay published until they are removed.</summary>
    public void Rotate()
    {
        Signing = new(new RsaSecurityKey(RSA.Create(2048)) { KeyId = Guid.NewGuid().ToString("N") }, SecurityAlgorithms.RsaSha256);
        Credentials.Insert(0, Signing);
    }

    /// <summary>Takes all keys but the one that signs out of the published set.</summary>
    public void RemoveOldKeys() => Credentials.RemoveRange(1, Credentials.Count - 1);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private static ClaimsPrincipal Principal(string subject, OpenIddictRequest request)
    {
        var identity = new ClaimsIdentity("test", Claims.Name, Claims.Role);
        identity
            .SetClaim(Claims.Subject, subject)
            .SetScopes(request.GetScopes())
            .SetResources(request.GetResources())
            .SetAudiences(request.GetResources())
            .SetDestinations(static _ => [Destinations.AccessToken]);
        return new(identity);
    }

    private List<SigningCredentials> Credentials =>
        _app.Services.GetRequiredService<IOptionsMonitor<OpenIddictServerOptions>>().CurrentValue.SigningCredentials;
}

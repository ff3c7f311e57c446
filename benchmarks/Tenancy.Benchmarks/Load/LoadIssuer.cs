using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Tenancy.Benchmarks.Load;

/// <summary>An issuer of JSON Web Tokens on loopback: its keys (RFC 7517), and tokens (RFC 9068) for whoever asks.</summary>
internal sealed class LoadIssuer : IAsyncDisposable
{
    public const string KeysPath = "jwks";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly WebApplication _app;
    private readonly SigningCredentials _signing;

    private LoadIssuer()
    {
        _signing = new(new ECDsaSecurityKey(_key) { KeyId = "load" }, SecurityAlgorithms.EcdsaSha256);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        _app = builder.Build();
        var keys = Keys();
        _app.MapGet("/" + KeysPath, () => Results.Text(keys, "application/jwk-set+json"));
    }

    public string Url => _app.Urls.First() + "/";

    public static async Task<LoadIssuer> StartAsync()
    {
        var issuer = new LoadIssuer();
        await issuer._app.StartAsync();
        return issuer;
    }

    /// <summary>Makes a token for a caller.</summary>
    public string Issue(string audience, int caller) =>
        new JsonWebTokenHandler().CreateToken(
            new SecurityTokenDescriptor
            {
                Issuer = Url,
                Audience = audience,
                Claims = new Dictionary<string, object> { ["sub"] = $"buyer-{caller}" },
                Expires = DateTime.UtcNow.AddHours(12),
                TokenType = "at+jwt",
                SigningCredentials = _signing,
            }
        );

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }

    private string Keys()
    {
        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        return JsonSerializer.Serialize(
            new
            {
                keys = new[]
                {
                    new
                    {
                        kty = "EC",
                        crv = "P-256",
                        use = "sig",
                        kid = "load",
                        x = Base64UrlEncoder.Encode(point.X),
                        y = Base64UrlEncoder.Encode(point.Y),
                    },
                },
            }
        );
    }

    /// <summary>Leaves Ctrl+C to the process, which has more to end than this.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

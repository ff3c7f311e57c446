using System.Buffers.Text;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Tenancy.Configuration;
using Tenancy.Fleet;

namespace Tenancy.Benchmarks.Load;

/// <summary>The tenants of a server. Requests go to some of them, spread over all, as far apart as they get.</summary>
internal sealed class LoadTenants(Cell cell, int count, string issuer) : ITenantSource
{
    public const string BaseDomain = "load.test";

    /// <summary>The most that are called.</summary>
    public const int MaxCalled = 64;

    // More than any machine makes: what is measured is the counting, not the refusal.
    private static readonly TenantLimits Limits = new(RateLimit: 60_000_000, MaxIdempotencyRecords: 100_000_000);

    /// <summary>The tenants that are called.</summary>
    public static IEnumerable<string> Called(int count)
    {
        var called = Math.Min(count, MaxCalled);
        return Enumerable.Range(0, called).Select(number => Id((int)((long)number * count / called)));
    }

    /// <summary>The bearer token of the only principal of a tenant that is called.</summary>
    public static string Token(string tenant) => $"{tenant}.{Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(tenant)))}";

    /// <summary>What a JSON Web Token for the tenant names as its audience (RFC 8707).</summary>
    public static string Audience(string tenant) => $"https://{tenant}.{BaseDomain}/mcp";

    public async IAsyncEnumerable<TenantRegistration> LoadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var called = cell.Authentication == TenantAuthenticationKind.Bearer ? Called(count).ToHashSet(StringComparer.Ordinal) : [];
        for (var number = 0; number < count; number++)
        {
            var id = Id(number);
            yield return new()
            {
                Tenant = new() { Id = id, Limits = Limits, Authentication = Authentication() },
                Principals = called.Contains(id) ? [new() { Name = "buyer", Token = Token(id) }] : [],
            };
        }
    }

    public Task WaitForChangeAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);

    private static string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"tenant-{number:000000}");

    private TenantAuthentication Authentication() => cell.Authentication == TenantAuthenticationKind.Jwks
        ? new() { Kind = TenantAuthenticationKind.Jwks, Issuer = issuer, JwksUri = issuer + LoadIssuer.KeysPath }
        : new() { Kind = cell.Authentication!.Value };
}
